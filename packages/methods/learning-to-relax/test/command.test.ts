import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWords, type WordsSettings } from "@offprint/commands/testing";
import { readCsv, readMatrixMarket, writeMatrixMarket } from "@offprint/data";
import { random, sparse } from "@offprint/tensor-core";
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

type Given = Record<string, string | number | boolean>;

const call = (matrices: string[], given: Given = {}, settings: WordsSettings = {}) => {
  const words = Object.entries(given).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, String(value)])); // biome-ignore format: one line
  return runWords(commands, "solve-sequence", [...matrices.map(file), ...words], settings);
};

async function run(matrices: string[], given: Given = {}) {
  const { code, out } = await call(matrices, given);
  return {
    code,
    lines: out
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/ +/g, " ")),
  };
}

describe("offprint solve-sequence", () => {
  it("solves a matrix with many shifts and right-hand sides, and writes omegas, iterations, solutions and the policy", async () => {
    const shared = { rhs: file("b.mtx"), contexts: file("c.csv"), shift: true };
    const out = { output: file("out.csv"), solutions: file("x"), "policy-state": file("policy.json") };
    const { lines, code } = await run(["A.mtx"], { ...shared, ...out });
    expect(code).toBe(0);
    expect(lines[0]).toBe("30 systems, 20 values of omega");
    const table = readCsv(readFileSync(file("out.csv")));
    expect(table.names).toEqual(["system", "context", "omega", "iterations", "converged", "residual"]);
    expect(table.rows).toBe(T);
    const iterations = table.column("iterations").values as Float64Array;
    const total = iterations.reduce((s, k) => s + k, 0);
    expect(lines.slice(1, 3)).toEqual([`iterations ${total}`, `per system ${(total / T).toFixed(1)}`]);
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
    const again = await run(["A.mtx"], { ...shared, "policy-state": file("policy.json") });
    expect(again.lines[0]).toBe("30 systems, 20 values of omega, 30 rounds known");
    expect(policyFromJSON(JSON.parse(readFileSync(file("policy.json"), "utf8"))).rounds).toBe(2 * T);
  });

  it("refuses options that say other than the policy of --policy-state, and takes the same again", async () => {
    const state = file("learned.json");
    const shared = { rhs: file("b.mtx"), contexts: file("c.csv"), "policy-state": state };
    const first = { ...shared, policy: "tsallis-inf-binned", bins: 3, omegas: "1,1.5" };
    expect((await call(["A.mtx"], first)).code).toBe(0);
    expect((await run(["A.mtx"], first)).lines[0]).toBe("30 systems, 2 values of omega, 30 rounds known");
    const known = readFileSync(state, "utf8");
    const others: [Given, string][] = [
      [{ policy: "cheb-cb" }, "--policy"],
      [{ policy: "1.5" }, "--policy"],
      [{ omegas: "1,1.6" }, "--omegas"],
      [{ bins: 4, range: "0,9" }, "--range, --bins"],
      [{ chebyshev: 6 }, "--chebyshev"],
      [{ seed: 1 }, "--seed"],
    ];
    for (const [given, options] of others) {
      const { code, err } = await call(["A.mtx"], { ...shared, ...given });
      expect([code, err]).toEqual([2, expect.stringContaining(`${options} would do nothing, as ${state} holds a pol`)]);
    }
    expect(readFileSync(state, "utf8")).toBe(known);
  });

  it("refuses what the chosen policy has no use for", async () => {
    const rhs = file("b.mtx");
    const idle: [Given, RegExp][] = [
      [
        { omegas: "1,1.5", policy: "1.5", seed: 2 },
        /--omegas, --seed would do nothing, as the policy is the omega 1\.5/,
      ],
      [{ range: "0,1", chebyshev: 3, bins: 2 }, /--range, --chebyshev, --bins would .* as the policy is tsallis-inf;/],
      [{ contexts: file("c.csv"), bins: 2 }, /--bins would do nothing, as the policy is cheb-cb/],
    ];
    for (const [given, message] of idle) {
      const { code, err } = await call(["A.mtx"], { rhs, ...given });
      expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    }
  });

  it("makes no folder for solutions where the first matrix cannot be read", async () => {
    writeFileSync(file("broken.mtx"), "no matrix");
    const { code } = await call(["broken.mtx"], { rhs: file("b.mtx"), solutions: file("none") });
    expect([code, existsSync(file("none"))]).toEqual([2, false]);
  });

  it("takes a folder in natural order, with the right-hand sides beside the matrices", async () => {
    const { lines, code } = await run(["steps"], {
      output: file("steps.csv"),
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
    const { err, code } = await call(["A.mtx"], { rhs: file("b.mtx"), policy: "1", "max-iterations": 3 });
    expect(code).toBe(1);
    expect(err).toMatch(/Warning: 30 systems did not converge: 1, 2, 3/);
  });

  it.each([false, true])("goes on after an interruption to the same bits, warm start %s", async (warm) => {
    const shared = { rhs: file("b.mtx"), "warm-start": warm, seed: 3 };
    const given: Given = Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== false));
    const state = file(`state-${warm}.json`);
    const controller = new AbortController();
    // The sixth solution is written, and then Ctrl-C comes.
    const solutions = file(`stopped-${warm}`);
    const watch = setInterval(() => {
      if (existsSync(join(solutions, "x-6.mtx"))) controller.abort();
    }, 0);
    const first = await call(["A.mtx"], { ...given, state, solutions }, { signal: controller.signal });
    clearInterval(watch);
    const again = await call(["A.mtx"], { ...given, state, resume: true, output: file("resumed.csv") });
    expect([first.code === 130 || first.code === 0, again.code]).toEqual([true, 0]);
    await call(["A.mtx"], { ...given, output: file("whole.csv") });
    expect(readFileSync(file("resumed.csv"), "utf8")).toBe(readFileSync(file("whole.csv"), "utf8"));
  });

  it("says how many contexts lie outside the range that the policy has", async () => {
    const shared = { rhs: file("b.mtx"), contexts: file("c.csv"), shift: true };
    const { code, err } = await call(["A.mtx"], { ...shared, range: "0.25,0.3" });
    const outside = shifts.filter((c) => c < 0.25 || c > 0.3).length;
    expect([code, err]).toEqual([0, expect.stringContaining(`Warning: ${outside} of 30 contexts lie outside`)]);
    expect((await call(["A.mtx"], shared)).err).not.toMatch(/outside/);
  });

  it("names the file or the option that is wrong", async () => {
    writeFileSync(file("cut.mtx"), readFileSync(file("A.mtx")).subarray(0, 200));
    writeFileSync(file("cut.json"), "{");
    writeFileSync(file("words.csv"), "context\nsoon\n");
    writeFileSync(file("two.csv"), "context\n1\n2\n");
    writeFileSync(file("misspelt.csv"), `contexts,time\n${Array.from(shifts, (c, t) => `${c},${t}`).join("\n")}\n`);
    mkdirSync(file("empty"));
    const rhs = file("b.mtx");
    const wrong: [string[], Given, RegExp][] = [
      [["none.mtx"], {}, /none\.mtx: there is no such file/],
      [["empty"], {}, /empty: the folder has no \.mtx files/],
      [["cut.mtx"], { rhs }, /cut\.mtx/],
      [["A.mtx"], {}, /no right-hand side; put it beside as .*A_b\.mtx, or give --rhs/],
      [["A.mtx"], { rhs: file("cut.mtx") }, /cut\.mtx/],
      [["A.mtx"], { rhs, contexts: file("words.csv") }, /words\.csv.*column context/],
      [["A.mtx"], { rhs, contexts: file("two.csv") }, /2 contexts for 30 systems/],
      [["A.mtx"], { rhs, contexts: file("misspelt.csv") }, /misspelt\.csv.* columns are contexts, time; name the one/],
      [["A.mtx"], { rhs, shift: true }, /--shift/],
      [["A.mtx"], { rhs, solver: "lu" }, /--solver cannot be "lu".*sor, ssor, ssor-cg/],
      [["A.mtx"], { rhs, policy: "best" }, /--policy: take cheb-cb/],
      [["A.mtx"], { rhs, policy: "cheb-cb" }, /needs --contexts/],
      [["A.mtx"], { rhs, omegas: "1,2.5" }, /--omegas/],
      [["A.mtx"], { rhs, contexts: file("c.csv"), range: "3" }, /--range must have 2 entries/],
      [["A.mtx"], { rhs, "policy-state": file("cut.json") }, /cut\.json.*not JSON/],
    ];
    for (const [matrices, options, message] of wrong) {
      const { code, err } = await call(matrices, options);
      expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    }
  });
});
