import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { largestDifference } from "@offprint/claims";
import { readCsv, Table, writeCsv, writeLibsvm, writeMatrixMarket } from "@offprint/data";
import { iris } from "@offprint/datasets";
import { FormatError, random, sparse, tensor, ValueError } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { bcd, labelPropagation, leastSquares, logistic, quadratic, softmaxRegression } from "../src/index.js";
import { normals } from "./problems.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bcd-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(data: string, options: Record<string, unknown> = {}): Promise<string[]> {
  const [command] = commands;
  const defaults = Object.fromEntries((command.options ?? []).map((option) => [option.name, option.default]));
  const lines: string[] = [];
  await command.run({
    arguments: { data },
    options: { ...defaults, ...options } as Record<string, string>,
    print: (line) => lines.push(line),
    onProgress: () => {},
    signal: new AbortController().signal,
    backend: async () => undefined,
  });
  return lines;
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const numbers = async (path: string, column: string) =>
  readCsv(await readFile(path)).column(column).values as Float64Array;
const rng = random.rng("cli");
const dense = normals(rng, 60).map((v) => (Math.abs(v) < 0.5 ? 0 : v));
const A = sparse.fromDense(tensor(dense, { shape: [12, 5] }));
const y = normals(rng, 12);

describe("offprint bcd", () => {
  it("solves a lasso from LIBSVM text", async () => {
    const out = join(folder, "lasso.csv");
    const history = join(folder, "history.csv");
    const lines = await run(await file("data.svm", writeLibsvm(A, y)), { penalty: "l1", lambda: 1.5, out, history });
    const expected = bcd({ smooth: leastSquares(A, y), composite: { kind: "l1", lambda: 1.5 } });
    expect(lines[0]).toBe(`data.svm: least squares, 12 x 5, ${A.entries} entries`);
    expect(lines[1]).toMatch(/^converged after \d+ iterations: objective/);
    expect(lines[2]).toContain(`${expected.support.length} of 5 variables are not zero`);
    expect(largestDifference(await numbers(out, "value"), expected.x.data())).toBeLessThan(1e-12);
    expect((await numbers(history, "objective")).at(-1)).toBeCloseTo(expected.objective, 10);
  });

  it("reads two labels of any kind for logistic regression, and MatrixMarket with a target file", async () => {
    const out = join(folder, "logistic.csv");
    const classes = Float64Array.from(y, (v, i) => (v > 0 !== (i % 4 === 0) ? 7 : 3));
    const matrix = await file("a.mtx", writeMatrixMarket(A));
    const target = await file("y.csv", writeCsv(new Table([{ name: "label", type: "number", values: classes }])));
    const lines = await run(matrix, { problem: "logistic", target, penalty: "l1", lambda: 0.1, out });
    expect(lines[0]).toMatch(/logistic regression, 12 x 5, .*positive class 7/);
    const expected = bcd(
      {
        smooth: logistic(
          A,
          classes.map((c) => (c === 7 ? 1 : -1)),
        ),
        composite: { kind: "l1", lambda: 0.1 },
      },
      { maxIterations: 10000 },
    );
    expect(largestDifference(await numbers(out, "value"), expected.x.data())).toBeLessThan(1e-9);
  });

  it("fits classes by name from a table", async () => {
    const flowers = iris({ dtype: "float64" });
    const species = ["setosa", "versicolor", "virginica"];
    const columns = Array.from({ length: 4 }, (_, f) => ({
      name: `m${f}`,
      type: "number" as const,
      values: Float64Array.from({ length: 150 }, (_, i) => flowers.inputs.data()[4 * i + f]),
    }));
    const names = Array.from(flowers.targets.data(), (c) => species[c]);
    const table = await file(
      "iris.csv",
      writeCsv(new Table([...columns, { name: "species", type: "text", values: names }])),
    );
    const out = join(folder, "softmax.csv");
    const lines = await run(table, { problem: "softmax", penalty: "l1", lambda: 2, out });
    expect(lines[0]).toMatch(/softmax regression, 150 x 4, 3 classes/);
    const expected = bcd(
      {
        smooth: softmaxRegression(flowers.inputs, flowers.targets.data() as Int32Array, 3),
        composite: { kind: "l1", lambda: 2 },
      },
      { maxIterations: 100000 },
    );
    const found = readCsv(await readFile(out));
    expect(found.names).toEqual(["variable", "class setosa", "class versicolor", "class virginica"]);
    expect(
      largestDifference(
        found.column("class versicolor").values as Float64Array,
        [1, 4, 7, 10].map((i) => expected.x.data()[i]),
      ),
    ).toBeLessThan(1e-9);
    expect(found.column("variable").values).toEqual(["m0", "m1", "m2", "m3"]);
  });

  it("solves quadratics and label propagation from MatrixMarket files", async () => {
    const out = join(folder, "x.csv");
    const H = sparse.fromDense([
      [4, 1, 0],
      [1, 3, -1],
      [0, -1, 5],
    ]);
    const c = await file("c.mtx", writeMatrixMarket(tensor([[1], [2], [3]], { dtype: "float64" })));
    await run(await file("h.mtx", writeMatrixMarket(H)), {
      problem: "quadratic",
      target: c,
      penalty: "box",
      lower: 0,
      upper: 0.5,
      out,
    });
    const expected = bcd({ smooth: quadratic(H, [1, 2, 3]), composite: { kind: "box", lower: 0, upper: 0.5 } });
    expect(largestDifference(await numbers(out, "value"), expected.x.data())).toBeLessThan(1e-12);

    const W = sparse.fromTriplets(4, 4, [0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2], [1, 1, 1, 1, 1, 1]);
    const labels = await file("labels.csv", "node,value\n1,0\n4,3\n");
    const lines = await run(await file("graph.mtx", writeMatrixMarket(W)), {
      problem: "labels",
      target: labels,
      "first-node": 1,
      out,
    });
    expect(lines[0]).toBe("graph.mtx: label propagation, 4 nodes, 2 labelled");
    expect(Array.from(await numbers(out, "node"))).toEqual([1, 2, 3, 4]);
    expect(
      largestDifference(
        await numbers(out, "value"),
        labelPropagation(
          W,
          new Map([
            [0, 0],
            [3, 3],
          ]),
        ).complete([1, 2]),
      ),
    ).toBeLessThan(1e-12);
  });

  it("goes on from a saved state", async () => {
    const data = await file("again.svm", writeLibsvm(A, y));
    const state = join(folder, "state.json");
    const options = { penalty: "l1", lambda: 1.5, state, update: "pg", "block-size": 2 };
    expect((await run(data, { ...options, iterations: 3 }))[1]).toMatch(/^not converged after 3 iterations/);
    const [, rest] = await run(data, options);
    const [, whole] = await run(data, { ...options, state: undefined });
    expect(rest).toBe(whole);
    await writeFile(state, "{}");
    await expect(run(data, options)).rejects.toThrow(FormatError);
  });

  it("says in one line what is wrong with a file or an option", async () => {
    const data = await file("wrong.svm", "1 1:2 x\n");
    await expect(run(data)).rejects.toThrow(/wrong.svm: LIBSVM: line 1: "x" is not index:value/);
    await expect(run(join(folder, "absent.svm"))).rejects.toThrow(ValueError);
    const good = await file("good.svm", writeLibsvm(A, y));
    await expect(run(good, { problem: "lasso" })).rejects.toThrow(/--problem: take one of least-squares/);
    await expect(run(good, { penalty: "l2" })).rejects.toThrow(/--penalty: take none, l1, nonneg or box/);
    await expect(run(good, { problem: "logistic" })).rejects.toThrow(/the target has 12 values; it needs two/);
    const matrix = await file("only.mtx", writeMatrixMarket(A));
    await expect(run(matrix)).rejects.toThrow(/--target: .*only.mtx holds a matrix only/);
    await expect(run(matrix, { problem: "labels" })).rejects.toThrow(
      /--target: give the .csv file of the known labels/,
    );
    await expect(run(matrix, { target: matrix })).rejects.toThrow(
      /it holds a matrix of 12 x 5; give an array of one column/,
    );
    await expect(
      run(await file("short.mtx", "%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1 1\n"), { target: matrix }),
    ).rejects.toThrow(FormatError);
  });
});
