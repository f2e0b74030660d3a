import { runConformance } from "@offprint/solvers/conformance";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  bernoulli,
  delaysOf,
  drawDelays,
  gc,
  gilbertElliott,
  gridKinds,
  ignoreStragglers,
  makeScheme,
  mSgc,
  type Scheme,
  selectParameters,
  simulate,
  srSgc,
  uncoded,
  workCost,
} from "../src/index.js";

const draw = (seed: number, workers = 8, rounds = 60, slowing = 0.05) => {
  const rng = random.rng(seed);
  return drawDelays(rng, gilbertElliott(rng, { workers, rounds, slowing, recovery: 0.8 }));
};

describe("delays", () => {
  it("the chain of Gilbert and Elliott has its stationary rate and its bursts", () => {
    const pattern = gilbertElliott(random.rng(1), { workers: 40, rounds: 3000, slowing: 0.05, recovery: 0.5 });
    const slow = pattern.flat().filter(Boolean).length / (40 * 3000);
    expect(Math.abs(slow - 0.05 / 0.55)).toBeLessThan(0.005);
    let bursts = 0;
    for (const row of pattern) row.forEach((now, r) => (bursts += now && !row[r - 1] ? 1 : 0));
    expect(Math.abs(pattern.flat().filter(Boolean).length / bursts - 2)).toBeLessThan(0.1);
    const free = bernoulli(random.rng(2), { workers: 30, rounds: 3000, slow: 0.2 });
    expect(Math.abs(free.flat().filter(Boolean).length / (30 * 3000) - 0.2)).toBeLessThan(0.01);
    const again = free.flatMap((row) => row.slice(1).filter((_, r) => row[r]));
    expect(Math.abs(again.filter(Boolean).length / again.length - 0.2)).toBeLessThan(0.02);
  });

  it("slow rounds take their factor", () => {
    const delays = drawDelays(random.rng(3), [[false, true, false]], { base: 2, spread: 0, slowFactor: [5, 5] });
    expect(delays).toEqual([[2, 10, 2]]);
  });

  it("recorded rows become a matrix, and gaps are named", () => {
    expect(
      delaysOf([
        [1, 0, 3],
        [0, 0, 1],
        [0, 1, 2],
        [1, 1, 4],
      ]),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(() => delaysOf([[0, 1, 2]])).toThrow(/worker 0 has no time for round 0/);
    expect(() => delaysOf([])).toThrow(/there are no times/);
    const twice = [
      [0, 0, 1],
      [0, 0, 2],
    ] as const;
    expect(() => delaysOf(twice)).toThrow(/two times for round 0/);
    expect(() => gilbertElliott(random.rng(0), { workers: 1, rounds: 1, slowing: 2, recovery: 1 })).toThrow(
      /slowing is 2/,
    );
    expect(() => gilbertElliott(random.rng(0), { workers: 1, rounds: 1, slowing: 0, recovery: 0 })).toThrow(
      /must be positive/,
    );
  });
});

describe("simulate", () => {
  it("is the rule of the paper, by hand", () => {
    // Three workers, mu = 1: round 0 lets worker 2 go at twice the first; round 1 has two slow ones and must wait for one.
    const delays = [
      [1, 1, 1],
      [1.5, 3, 1],
      [9, 4, 1],
    ];
    const scheme = gc({ workers: 3, stragglers: 1 });
    const run = simulate(scheme, delays, { jobs: 3 });
    expect([...run.durations]).toEqual([2, 3, 1]);
    expect([run.total, run.waits]).toEqual([6, 1]);
    expect(run.stragglers).toEqual([[2], [2], []]);
    expect(run.grid.map((kinds) => Array.from(kinds, (kind) => gridKinds[kind]))).toEqual([
      ["as planned", "as planned", "straggler"],
      ["as planned", "slow, waited for", "straggler"],
      ["as planned", "as planned", "as planned"],
    ]);
    expect([...simulate(scheme, delays, { jobs: 3, waitOut: "all" }).durations]).toEqual([2, 4, 1]);
    expect([...simulate(uncoded({ workers: 3 }), delays, { jobs: 3 }).durations]).toEqual([9, 4, 1]);
    expect([...simulate(ignoreStragglers({ workers: 3 }), delays, { jobs: 3 }).durations]).toEqual([2, 2, 1]);
    // alpha times the load comes on top, less what the profile has in it.
    const loaded = simulate(scheme, delays, { jobs: 3, alpha: 3, profileLoad: 1 / 3 });
    expect([...loaded.durations].map((each) => Number(each.toFixed(12)))).toEqual([4, 4, 2]);
  });

  it("nobody is faster than those who wait for nobody", () => {
    const schemes: Scheme[] = [
      gc({ workers: 8, stragglers: 1 }),
      srSgc({ workers: 8, burst: 1, window: 3, lambda: 3 }),
      mSgc({ workers: 8, burst: 2, window: 4, lambda: 3 }),
    ];
    for (let seed = 0; seed < 5; seed++) {
      const delays = draw(seed);
      const lowest = simulate(ignoreStragglers({ workers: 8 }), delays, { jobs: 50 }).total;
      for (const scheme of schemes) {
        for (const waitOut of ["minimal", "all"] as const) {
          expect(simulate(scheme, delays, { jobs: 50, waitOut }).total).toBeGreaterThan(lowest - 1e-9);
        }
      }
    }
  });

  it("what cannot be simulated is refused", () => {
    const scheme = mSgc({ workers: 8, burst: 2, window: 4, lambda: 3 });
    expect(() => simulate(scheme, draw(0, 8, 10), { jobs: 8 })).toThrow(/10 rounds for worker 0; 12 are needed/);
    expect(() => simulate(scheme, draw(0, 7), { jobs: 8 })).toThrow(/7 workers and the scheme 8/);
    expect(() => simulate(scheme, draw(0), { jobs: 8, mu: -1 })).toThrow(/mu is -1/);
    expect(() => simulate(scheme, draw(0), { jobs: 0 })).toThrow(/jobs is 0/);
    expect(() => simulate(scheme, draw(0), { jobs: 8, waitOut: "some" as never })).toThrow(/waitOut is "some"/);
    const broken = draw(0);
    broken[3][5] = Number.NaN;
    expect(() => simulate(scheme, broken, { jobs: 8 })).toThrow(/delays\[3\]\[5\] is NaN/);
    // A scheme that admits too much does not get away with it.
    const careless: Scheme = { ...scheme, admits: () => () => true };
    expect(() => simulate(careless, draw(1, 8, 100, 0.4), { jobs: 90 })).toThrow(/is not finished after round/);
  });
});

describe("selectParameters", () => {
  it("finds the quickest of all admissible parameters, and of each kind", async () => {
    const delays = draw(5);
    const options = { alpha: 5, maxBurst: 2, maxWindow: 4, maxLambda: 4, maxDelay: 3, jobs: 50 };
    const { best, choices, history, status } = await selectParameters(delays, options);
    expect(status).toBe("converged");
    expect(choices.map(({ kind }) => kind)).toContain("m-sgc");
    expect(best.total).toBe(Math.min(...history.map(({ total }) => total)));
    expect(simulate(makeScheme(8, best), delays, { jobs: 50, alpha: 5 }).total).toBe(best.total);
    for (const { delay } of history) expect(delay).toBeLessThanOrEqual(3);
    const only = await selectParameters(delays, { ...options, schemes: ["gc"] });
    expect(only.history.map(({ parameters }) => parameters.stragglers)).toEqual([1, 2, 3, 4]);
    await expect(selectParameters(delays, { schemes: ["mgc" as never] })).rejects.toThrow(/schemes has "mgc"/);
    await expect(selectParameters([])).rejects.toThrow(/no workers/);
    await expect(selectParameters(draw(5, 8, 3))).rejects.toThrow(/too few rounds/);
  });

  runConformance(
    "selectParameters",
    {
      run: (options) => selectParameters(draw(6, 6, 40), { maxWindow: 3, maxLambda: 3, ...options }),
      limit: "maxIterations",
      short: 6,
      endless: { maxIterations: 1e6, maxWindow: 20, maxDelay: 20, maxBurst: 10, maxLambda: 6 },
      seeded: false,
      invalid: [{ mu: -1 }, { alpha: Number.NaN }, { maxBurst: 0 }, { maxLambda: 9 }, { jobs: 1.5 }],
      nonFinite: [() => selectParameters([[1, Number.NaN, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]])],
    },
    { describe, it, expect },
  );
});

describe("what work costs", () => {
  it("is the least-squares slope of mean time over load", () => {
    const at = (load: number, noise: number) => ({ load, delays: [[1 + 3 * load + noise], [1 + 3 * load - noise]] });
    const { alpha, base } = workCost([at(0.1, 0.2), at(0.3, 0.05), at(1, 0)]);
    expect([alpha, base]).toEqual([expect.closeTo(3, 12), expect.closeTo(1, 12)]);
    expect(
      workCost([
        { load: 0, delays: [[2]] },
        { load: 1, delays: [[1]] },
      ]),
    ).toEqual({ alpha: 0, base: 1.5 });
    expect(() => workCost([at(0.1, 0)])).toThrow(/profiles have one load; give two/);
    expect(() => workCost([at(0.1, 0), { load: 1, delays: [] }])).toThrow(/load 1 has no times/);
    expect(() => workCost([at(-1, 0)])).toThrow(/load is -1/);
  });
});
