import { sorSync } from "@offprint/solvers";
import { FormatError, random, ShapeError, sparse, tree, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { gridLaplacian, RANGE, shiftedSystems } from "../claims/grid.js";
import { HeatEquation } from "../claims/heat-equation.js";
import {
  ChebCB,
  FixedSetting,
  type LinearSystem,
  omegaGrid,
  policyFromJSON,
  type SolvedSystem,
  solveSequence,
  TsallisInf,
  tuneSequence,
} from "../src/index.js";
import { farthest } from "./matrices.js";

const settings = omegaGrid();
const systems = shiftedSystems(random.rng(0), "high", 60);

describe("tuneSequence", () => {
  it("tunes any setting of the user's own solver, by any cost", async () => {
    const policy = new TsallisInf({ settings: ["slow", "fast"], seed: 0, minLoss: 0 });
    const seen: string[] = [];
    const {
      losses,
      settings: chosen,
      totalLoss,
    } = await tuneSequence(
      Array.from({ length: 300 }, (_, t) => t),
      async (_, setting) => {
        seen.push(setting);
        return setting === "slow" ? 0.3 : 0.1;
      },
      policy,
    );
    expect(chosen).toEqual(seen);
    expect(totalLoss).toBeCloseTo(
      losses.reduce((a, b) => a + b),
      12,
    );
    expect(chosen.slice(200).filter((setting) => setting === "fast").length).toBeGreaterThan(75);
  });

  it("draws problems one at a time, passes on contexts and progress, and stops when told", async () => {
    const policy = new ChebCB({ settings: [1, 2], seed: 0, range: [0, 10] });
    const order: string[] = [];
    async function* problems() {
      for (let t = 0; t < 5; t++) {
        order.push(`problem ${t}`);
        yield { t };
      }
    }
    const controller = new AbortController();
    const run = tuneSequence(problems(), ({ t }) => order.push(`solve ${t}`), policy, {
      context: ({ t }) => t,
      onProgress: ({ round }) => {
        if (round === 1) controller.abort();
      },
      signal: controller.signal,
    });
    expect((await run).status).toBe("aborted");
    expect(order).toEqual(["problem 0", "solve 0", "problem 1", "solve 1"]);
    expect(policy.rounds).toBe(2);
  });
});

describe("a resumed sequence", () => {
  const problems = [0, 1, 2, 3, 4, 5];
  const made = () => {
    const settings = [() => 30, () => 10, Object.assign(() => 20, { label: "third" })];
    return { settings, policy: new TsallisInf({ settings, seed: 0 }) };
  };

  it("has the settings of the policy given, which need not survive JSON", async () => {
    const solve = (_: number, setting: () => number) => setting();
    const whole = await tuneSequence(problems, solve, made().policy);
    const { state: resume } = await tuneSequence(problems, solve, made().policy, { rounds: 2 });
    const { settings, policy } = made();
    const rest = await tuneSequence(problems, solve, policy, { resume });
    expect(rest.losses).toEqual(whole.losses);
    expect(rest.policy.settings).toEqual(settings);
    expect(rest.settings.slice(2).every((setting) => settings.includes(setting))).toBe(true);
    const saved = JSON.parse(JSON.stringify(rest.policy));
    expect(() => policyFromJSON(saved)).toThrow(FormatError);
    expect(() => policyFromJSON(saved)).toThrow(/settings\[0\] is null.*give the settings too/);
    expect(policyFromJSON(saved, settings).settings).toEqual(settings);
    expect(() => policyFromJSON(saved, settings.slice(1))).toThrow(/give the same/);
  });

  it("refuses another policy than the one it goes on with", async () => {
    const part = await solveSequence(systems, new FixedSetting(1.3), { rounds: 2 });
    const { state: resume } = part;
    for (const other of [new FixedSetting(1.4), new TsallisInf({ settings: [1.3], seed: 0 })]) {
      await expect(solveSequence(systems, other, { resume })).rejects.toThrow(ValueError);
      await expect(solveSequence(systems, other, { resume })).rejects.toThrow(
        /resume goes on with fixed over \[1\.3\]/,
      );
    }
    expect((await solveSequence(systems, new FixedSetting(1.3), { resume, rounds: 3 })).rounds).toBe(3);
  });
});

describe("solveSequence", () => {
  it("solves every system to the tolerance, and learns from the counts that it reports", async () => {
    for (const solver of ["sor", "ssor", "ssor-cg"] as const) {
      const solved: SolvedSystem[] = [];
      const policy = new ChebCB({ settings, seed: 1, range: RANGE });
      const result = await solveSequence(systems, policy, { solver, onSolution: (each) => solved.push(each) });
      expect(solved.map(({ iterations }) => iterations)).toEqual([...result.counts]);
      expect(solved.map(({ setting }) => setting)).toEqual(result.settings);
      expect(result.totalIterations).toBe(result.counts.reduce((a, b) => a + b));
      expect(result.unconverged).toEqual([]);
      expect(policy.rounds).toBe(60);
      systems.forEach(({ A, b, shift }, t) => {
        const { x, relativeResidual, converged } = solved[t]!;
        const ax = sparse.multiplyVector(A, x);
        const norm = (v: Float64Array) => Math.sqrt(v.reduce((s, w) => s + w * w, 0));
        const right = b as Float64Array;
        const residual = norm(right.map((v, i) => v - ax[i]! - shift * x[i]!)) / norm(right);
        expect(residual).toBeLessThan(1.001e-8);
        expect(relativeResidual / residual).toBeCloseTo(1, 3);
        expect(converged).toBe(true);
      });
    }
  });

  it("is the loop that a user would write", async () => {
    const [mine, theirs] = [0, 1].map(() => new TsallisInf({ settings, seed: 4 })) as [TsallisInf, TsallisInf];
    const { counts } = await solveSequence(systems, mine);
    systems.forEach(({ A, b, shift }, t) => {
      const omega = theirs.choose();
      const solved = sorSync(A, b, { omega, shift, tolerance: 1e-8 });
      theirs.update(solved.iterations);
      expect(solved.iterations).toBe(counts[t]);
    });
    expect(JSON.stringify(mine)).toBe(JSON.stringify(theirs));
  });

  it("can be stopped and goes on from its state as if it had not been, with and without a warm start", async () => {
    for (const warmStart of [false, true]) {
      const policy = () => new ChebCB({ settings, seed: 2, range: RANGE });
      const whole = await solveSequence(systems, policy(), { warmStart });
      const part = await solveSequence(systems, policy(), {
        warmStart,
        onProgress: ({ round }) => (round === 24 ? "stop" : undefined),
      });
      expect([part.status, part.rounds]).toEqual(["stopped", 25]);
      const resume = tree.fromJson(tree.toJson(part.state)) as typeof part.state;
      for (const rest of [systems, (done: number) => systems.slice(done)]) {
        const all = await solveSequence(rest, policy(), { warmStart, resume });
        expect(all.counts).toEqual(whole.counts);
        expect(JSON.stringify(all.policy)).toBe(JSON.stringify(whole.policy));
      }
    }
  });

  it("gives a solve up within when it is aborted: the choice counts as not made", async () => {
    const A = gridLaplacian(60);
    const long: LinearSystem = { A, b: new Float64Array(3600).fill(1) };
    const controller = new AbortController();
    const options = { tolerance: 0, maxIterations: 1e9, signal: controller.signal };
    const timer = setTimeout(() => controller.abort(), 20);
    const run = await solveSequence([long], new FixedSetting(1), options);
    clearTimeout(timer);
    expect([run.status, run.rounds, run.policy.rounds, run.policy.arm]).toEqual(["aborted", 0, 0, undefined]);
  });

  it("counts a system that does not converge as the most iterations, and names it", async () => {
    const hard = { ...systems[0]!, shift: 0 };
    const losses: number[] = [];
    const result = await solveSequence([hard, hard], new FixedSetting(1), {
      maxIterations: 20,
      onSolution: ({ loss, converged }) => losses.push(loss, Number(converged)),
    });
    expect(result.unconverged).toEqual([0, 1]);
    expect(losses).toEqual([20, 0, 20, 0]);
    const rotation = sparse.fromDense([
      [1, 3],
      [-3, 1],
    ]);
    const diverged = await solveSequence([{ A: rotation, b: [1, 1] }], new FixedSetting(1), {
      onSolution: ({ loss }) => losses.push(loss),
    });
    expect(diverged.unconverged).toEqual([0]);
    expect(losses.at(-1)).toBe(10000);
  });

  it("starts from the solution before where told, and a solved system costs nothing", async () => {
    const { A, b } = systems[0]!;
    const same: LinearSystem[] = [
      { A, b },
      { A, b },
    ];
    const cold = await solveSequence(same, new FixedSetting(1.3), { solver: "ssor-cg" });
    const warm = await solveSequence(same, new FixedSetting(1.3), { solver: "ssor-cg", warmStart: true });
    expect(cold.counts[1]).toBe(cold.counts[0]);
    expect(warm.counts[1]).toBe(0);
    const zero = await solveSequence([{ A, b: new Float64Array(100) }], new TsallisInf({ settings, seed: 0 }));
    expect(zero.totalIterations).toBe(0);
  });

  it("lets a generator make each time step from the last solution", async () => {
    const run = async (omega: number) => {
      const heat = new HeatEquation(10);
      await solveSequence(heat.systems(40), new FixedSetting(omega), {
        solver: "ssor-cg",
        tolerance: 1e-10,
        onSolution: ({ x }) => heat.accept(x),
      });
      return heat.u;
    };
    expect(farthest(await run(1), await run(1.4))).toBeLessThan(1e-8);
  });

  it("rejects what it cannot solve", async () => {
    const fixed = () => new FixedSetting(1);
    const { A, b } = systems[0]!;
    await expect(solveSequence([{ A, b: [1, 2] }], fixed())).rejects.toThrow(ShapeError);
    await expect(solveSequence([{ A, b }], new FixedSetting(2))).rejects.toThrow(/0 < omega < 2/);
    await expect(solveSequence([{ A, b }], fixed(), { solver: "cg" as "sor" })).rejects.toThrow(/solver is "cg"/);
    await expect(solveSequence([{ A, b }], fixed(), { tolerance: -1 })).rejects.toThrow(ValueError);
    await expect(solveSequence([{ A, b }], fixed(), { maxIterations: 0 })).rejects.toThrow(ValueError);
    const contextual = new ChebCB({ settings, seed: 0, range: RANGE });
    await expect(solveSequence([{ A, b }], contextual)).rejects.toThrow(/context is missing/);
  });
});
