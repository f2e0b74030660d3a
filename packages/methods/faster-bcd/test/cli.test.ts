import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { largestDifference } from "@offprint/claims";
import { runWords } from "@offprint/commands/testing";
import { readCsv, Table, writeCsv, writeLibsvm, writeMatrixMarket } from "@offprint/data";
import { iris } from "@offprint/datasets";
import { random, sparse, tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { bcd, labelPropagation, leastSquares, logistic, quadratic, softmaxRegression } from "../src/index.js";
import { normals } from "./problems.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bcd-"));
});
afterAll(() => rm(folder, { recursive: true }));

type Given = Record<string, number | string | boolean | undefined>;

const words = (given: Given) =>
  Object.entries(given).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });

const call = (data: string, given: Given = {}) => runWords(commands, "minimize-blocks", [data, ...words(given)]);

/** The lines of a run that converged, blanks between columns as one. */
async function run(data: string, given: Given = {}): Promise<string[]> {
  const { code, out, err } = await call(data, given);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  return out
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));
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

describe("offprint minimize-blocks", () => {
  it("solves a lasso from LIBSVM text", async () => {
    const out = join(folder, "lasso.csv");
    const history = join(folder, "history.csv");
    const lines = await run(await file("data.svm", writeLibsvm(A, y)), {
      penalty: "l1",
      lambda: 1.5,
      output: out,
      history,
    });
    const expected = await bcd({ smooth: leastSquares(A, y), composite: { kind: "l1", lambda: 1.5 } });
    expect(lines[0]).toBe(`data.svm: least squares, 12 x 5, ${A.entries} entries`);
    expect(lines[1]).toMatch(/^converged after \d+ iterations$/);
    expect(lines[3]).toContain(`not zero ${expected.support.length} of 5 variables`);
    expect(largestDifference(await numbers(out, "value"), expected.x.data())).toBeLessThan(1e-12);
    expect((await numbers(history, "objective")).at(-1)).toBeCloseTo(expected.objective, 10);
  });

  it("reads two labels of any kind for logistic regression, and MatrixMarket with a target file", async () => {
    const out = join(folder, "logistic.csv");
    const classes = Float64Array.from(y, (v, i) => (v > 0 !== (i % 4 === 0) ? 7 : 3));
    const matrix = await file("a.mtx", writeMatrixMarket(A));
    const target = await file("y.csv", writeCsv(new Table([{ name: "label", type: "number", values: classes }])));
    const lines = await run(matrix, { problem: "logistic", target, penalty: "l1", lambda: 0.1, output: out });
    expect(lines[0]).toMatch(/logistic regression, 12 x 5, .*positive class 7/);
    const expected = await bcd(
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
    const lines = await run(table, { problem: "softmax", penalty: "l1", lambda: 2, output: out });
    expect(lines[0]).toMatch(/softmax regression, 150 x 4, 3 classes/);
    const expected = await bcd(
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
      output: out,
    });
    const expected = await bcd({ smooth: quadratic(H, [1, 2, 3]), composite: { kind: "box", lower: 0, upper: 0.5 } });
    expect(largestDifference(await numbers(out, "value"), expected.x.data())).toBeLessThan(1e-12);

    const W = sparse.fromTriplets(4, 4, [0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2], [1, 1, 1, 1, 1, 1]);
    const labels = await file("labels.csv", "node,value\n1,0\n4,3\n");
    const lines = await run(await file("graph.mtx", writeMatrixMarket(W)), {
      problem: "labels",
      target: labels,
      "first-node": 1,
      output: out,
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

  it("goes on from a saved state, and from an interruption", async () => {
    const data = await file("again.svm", writeLibsvm(A, y));
    const state = join(folder, "state.json");
    const options = { penalty: "l1", lambda: 1.5, update: "pg", "block-size": 2 };
    const first = await call(data, { ...options, state, "max-iterations": 3 });
    expect([first.code, first.out.replace(/ +/g, " ")]).toEqual([
      1,
      expect.stringMatching(/\nnot converged after 3 iterations\n/),
    ]);
    const [, ...rest] = await run(data, { ...options, state, resume: true });
    const [, ...whole] = await run(data, options);
    expect(rest).toEqual(whole);
    const controller = new AbortController();
    controller.abort();
    const stopped = await runWords(commands, "minimize-blocks", [data, ...words({ ...options, state })], {
      signal: controller.signal,
    });
    expect([stopped.code, stopped.err]).toEqual([130, expect.stringContaining(`The run is kept in ${state}`)]);
    expect((await run(data, { ...options, state, resume: true })).slice(1)).toEqual(whole);
    await writeFile(state, "{}");
    expect((await call(data, { ...options, state, resume: true })).err).toMatch(/does not hold the state of a run/);
  });

  it("takes the columns of a table that are named", async () => {
    const named = await file("named.csv", "name,age,dose,y\nann,1,2,3\nbob,2,1,5\ncy,4,4,8\ndee,3,1,7\n");
    expect((await call(named)).err).toMatch(/column name holds texts; leave it out/);
    const out = join(folder, "named-x.csv");
    const lines = await run(named, { features: "dose,age", output: out });
    expect(lines[0]).toMatch(/least squares, 4 x 2/);
    expect(readCsv(await readFile(out)).column("variable").values).toEqual(["dose", "age"]);
    const rows = await file("rows.svm", writeLibsvm(A, y));
    expect((await call(rows, { features: "age" })).err).toMatch(/--features: the columns of .*rows\.svm have no names/);
    const graph = { problem: "labels", features: "age", target: named };
    expect((await call(rows, graph)).err).toMatch(/--features would do nothing/);
  });

  it("says in one line what is wrong with a file or an option", async () => {
    const data = await file("wrong.svm", "1 1:2 x\n");
    const wrong = async (path: string, given: Given = {}) => (await call(path, given)).err;
    expect(await wrong(data)).toMatch(/wrong\.svm: LIBSVM: line 1: "x" is not index:value/);
    expect(await wrong(join(folder, "absent.svm"))).toMatch(/there is no such file/);
    const good = await file("good.svm", writeLibsvm(A, y));
    expect(await wrong(good, { problem: "lasso" })).toMatch(/--problem cannot be "lasso".*least-squares/);
    expect(await wrong(good, { penalty: "l2" })).toMatch(/--penalty cannot be "l2"/);
    expect(await wrong(good, { problem: "logistic" })).toMatch(/the target has 12 values; it needs two/);
    expect(await wrong(good, { lambda: 3 })).toMatch(/--lambda would do nothing.*that is none/);
    expect(await wrong(good, { penalty: "l1" })).toMatch(/--penalty l1 needs its weight; give --lambda/);
    expect(await wrong(good, { penalty: "nonneg", lower: 1 })).toMatch(/--lower would do nothing.*it is nonneg/);
    expect(await wrong(good, { penalty: "box" })).toMatch(/--penalty box needs --lower or --upper/);
    expect(await wrong(good, { "first-node": 1 })).toMatch(/--first-node would do nothing/);
    const matrix = await file("only.mtx", writeMatrixMarket(A));
    expect(await wrong(matrix)).toMatch(/--target: .*only\.mtx holds a matrix only/);
    expect(await wrong(matrix, { problem: "labels" })).toMatch(/--target: give the \.csv file of the known labels/);
    expect(await wrong(matrix, { target: matrix })).toMatch(/it holds a matrix of 12 x 5; give an array of one column/);
    const short = await file("short.mtx", "%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1 1\n");
    expect(await wrong(short, { target: matrix })).toMatch(/short\.mtx/);
  });
});
