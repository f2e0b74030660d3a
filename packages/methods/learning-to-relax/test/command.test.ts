import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCsv, readMatrixMarket, writeMatrixMarket } from "@offprint/data";
import { AbortedError, FormatError, random, ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gridLaplacian } from "../claims/grid.js";
import { commands } from "../cli/index.js";
import { policyFromJSON } from "../src/index.js";

let folder: string;
const file = (name: string) => join(folder, name);
const A = gridLaplacian(6);
const T = 30;
const shifts = Float64Array.from({ length: T }, (_, t) => 0.25 + 0.2 * Math.sin(t));
const b = random.rng(1).normal([36, T], { dtype: "float64" });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "offprint relax "));
  writeFileSync(file("A.mtx"), writeMatrixMarket(A, { symmetry: "symmetric" }));
  writeFileSync(file("b.mtx"), writeMatrixMarket(b));
  writeFileSync(file("c.csv"), `time,context\n${Array.from(shifts, (c, t) => `${t},${c}`).join("\n")}\n`);
  mkdirSync(file("steps"));
  for (const t of [2, 10, 1]) {
    writeFileSync(file(`steps/A${t}.mtx`), writeMatrixMarket(sparse.add(A, sparse.identity(36), 1, t)));
    writeFileSync(
      file(`steps/A${t}_b.mtx`),
      writeMatrixMarket({ shape: [36, 1], values: new Float64Array(36).fill(t) }),
    );
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(
  matrices: string[],
  options: Record<string, string | number | boolean> = {},
  signal = new AbortController().signal,
  onProgress = (_: number) => {},
) {
  const defaults = Object.fromEntries(
    commands[0]!.options!.filter(({ default: value }) => value !== undefined).map((o) => [o.name, o.default!]),
  );
  const lines: string[] = [];
  const code = await commands[0]!.run({
    arguments: { matrices: matrices.map(file) },
    options: { ...defaults, ...options },
    print: (line) => lines.push(line),
    onProgress,
    signal,
    backend: async () => undefined,
  });
  return { lines, code };
}

describe("offprint relax", () => {
  it("solves a matrix with many shifts and right-hand sides, and writes omegas, iterations, solutions and the policy", async () => {
    const shared = { rhs: file("b.mtx"), contexts: file("c.csv"), shift: true };
    const out = { out: file("out.csv"), solutions: file("x"), state: file("policy.json") };
    const { lines, code } = await run(["A.mtx"], { ...shared, ...out });
    expect(code).toBe(0);
    expect(lines[0]).toBe("30 systems, 20 values of omega");
    const table = readCsv(readFileSync(file("out.csv")));
    expect(table.names).toEqual(["system", "context", "omega", "iterations", "converged", "residual"]);
    expect(table.rows).toBe(T);
    const iterations = table.column("iterations").values as Float64Array;
    expect(lines).toContain(
      `${iterations.reduce((s, k) => s + k, 0)} iterations, ${(iterations.reduce((s, k) => s + k, 0) / T).toFixed(1)} per system`,
    );
    for (const t of [0, 17, 29]) {
      const x = readMatrixMarket(readFileSync(file(`x/x-${t + 1}.mtx`))).matrix as { values: Float64Array };
      const exact = sparse
        .cholesky(sparse.add(A, sparse.identity(36), 1, shifts[t]))
        .solve(Float64Array.from({ length: 36 }, (_, i) => b.data()[i * T + t] as number));
      exact.forEach((v, i) => {
        expect(x.values[i]).toBeCloseTo(v, 6);
      });
    }
    expect(policyFromJSON(JSON.parse(readFileSync(file("policy.json"), "utf8"))).rounds).toBe(T);
    const again = await run(["A.mtx"], { ...shared, state: file("policy.json") });
    expect(again.lines[0]).toBe("30 systems, 20 values of omega, 30 rounds known");
    expect(policyFromJSON(JSON.parse(readFileSync(file("policy.json"), "utf8"))).rounds).toBe(2 * T);
  });

  it("takes a folder in natural order, with the right-hand sides beside the matrices", async () => {
    const { lines, code } = await run(["steps"], {
      out: file("steps.csv"),
      policy: "1.2",
      solutions: file("s"),
      solver: "ssor-cg",
    });
    expect(code).toBe(0);
    expect(lines[0]).toBe("3 systems, 1 values of omega");
    expect(readdirSync(file("s")).length).toBe(3);
    // The third is A10: A + 10 I and b = 10 nearly give 1.
    const x = readMatrixMarket(readFileSync(file("s/x-3.mtx"))).matrix as { values: Float64Array };
    expect(x.values[14]).toBeGreaterThan(0.9);
    expect(x.values[14]).toBeLessThan(1);
    for (const policy of ["tsallis-inf", "1.5"]) expect((await run(["steps/A1.mtx"], { policy })).code).toBe(0);
  });

  it("exits with 1 and names the systems that did not converge", async () => {
    const { lines, code } = await run(["A.mtx"], { rhs: file("b.mtx"), policy: "1", "max-iterations": 3 });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(/Warning: 30 systems did not converge: 1, 2, 3/);
  });

  it("keeps what was solved when it is stopped", async () => {
    const controller = new AbortController();
    const options = { rhs: file("b.mtx"), out: file("stopped.csv"), state: file("stopped.json") };
    const stop = (fraction: number) => {
      if (fraction >= 0.2) controller.abort();
    };
    await expect(run(["A.mtx"], options, controller.signal, stop)).rejects.toThrow(AbortedError);
    expect(readCsv(readFileSync(file("stopped.csv"))).rows).toBe(6);
    expect(policyFromJSON(JSON.parse(readFileSync(file("stopped.json"), "utf8"))).rounds).toBe(6);
  });

  it("names the file or the option that is wrong", async () => {
    writeFileSync(file("cut.mtx"), readFileSync(file("A.mtx")).subarray(0, 200));
    writeFileSync(file("cut.json"), "{");
    writeFileSync(file("words.csv"), "context\nsoon\n");
    writeFileSync(file("two.csv"), "context\n1\n2\n");
    mkdirSync(file("empty"));
    const rhs = file("b.mtx");
    const wrong: [string[], Record<string, string | boolean>, new (...args: never[]) => Error, RegExp][] = [
      [["none.mtx"], {}, ValueError, /none\.mtx: there is no such file/],
      [["empty"], {}, ValueError, /empty: the folder has no \.mtx files/],
      [["cut.mtx"], { rhs }, FormatError, /cut\.mtx/],
      [["A.mtx"], {}, ValueError, /no right-hand side; put it beside as .*A_b\.mtx, or give --rhs/],
      [["A.mtx"], { rhs: file("cut.mtx") }, FormatError, /cut\.mtx/],
      [["A.mtx"], { rhs, contexts: file("words.csv") }, FormatError, /words\.csv.*column context/],
      [["A.mtx"], { rhs, contexts: file("two.csv") }, ShapeError, /2 contexts for 30 systems/],
      [["A.mtx"], { rhs, shift: true }, ValueError, /--shift/],
      [["A.mtx"], { rhs, solver: "lu" }, ValueError, /--solver: take one of sor, ssor, ssor-cg/],
      [["A.mtx"], { rhs, policy: "best" }, ValueError, /--policy: take cheb-cb/],
      [["A.mtx"], { rhs, policy: "cheb-cb" }, ValueError, /needs --contexts/],
      [["A.mtx"], { rhs, omegas: "1,2.5" }, ValueError, /--omegas/],
      [["A.mtx"], { rhs, contexts: file("c.csv"), range: "3" }, ValueError, /--range/],
      [["A.mtx"], { rhs, state: file("cut.json") }, FormatError, /cut\.json.*not JSON/],
    ];
    for (const [matrices, options, type, message] of wrong) {
      const promise = run(matrices, options);
      await expect(promise).rejects.toThrow(type as typeof ValueError);
      await expect(promise).rejects.toThrow(message);
    }
  });
});
