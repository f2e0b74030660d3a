import { div, random, sqrt, square, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { quadratic, rastrigin } from "../claims/landscapes.js";
import { cbo, consensusHopping, randomSearch, type SwarmProgress, type SwarmState } from "../src/index.js";

const problem = { objective: { perParticle: rastrigin.value }, dimension: 2 };
const options = { particles: 60, mean: 2, std: 2, steps: 120 };
const values = (x: Tensor) => Array.from(x.data());

/** Rastrigin's function, counting its calls. */
function counted() {
  const counter = { calls: 0 };
  const perParticle = (v: Float64Array) => {
    counter.calls += 1;
    return rastrigin.value(v);
  };
  return { counter, objective: { perParticle } };
}

describe("a run", () => {
  it("finds the global minimiser of Rastrigin's function", async () => {
    const { x, objective, status, iterations, history, best } = await cbo(problem, { ...options, steps: 400 });
    expect(Math.max(...values(x).map(Math.abs))).toBeLessThan(0.1);
    expect(objective).toBeLessThan(0.2);
    expect(status).toBe("completed");
    expect(iterations).toBe(400);
    expect(history.consensus.shape).toEqual([401, 2]);
    expect(best.objective).toBeCloseTo(rastrigin.value(values(best.x)), 12);
    expect(best.objective).toBe(history.best[400]);
    for (let k = 1; k <= 400; k++) expect(history.best[k]).toBeLessThanOrEqual(history.best[k - 1]);
  });

  it("repeats with its seed, and differs with another", async () => {
    const [a, b, c] = await Promise.all([0, 0, 1].map((seed) => cbo(problem, { ...options, seed })));
    expect(values(b.particles)).toEqual(values(a.particles));
    expect(b.history).toEqual(a.history);
    expect(values(c.x)).not.toEqual(values(a.x));
  });

  it("evaluates N (K + 1) times for CBO and hopping, and once for the answer", async () => {
    const { counter, objective } = counted();
    const swarm = await cbo({ objective, dimension: 2 }, { particles: 7, steps: 5 });
    expect(counter.calls).toBe(7 * 6 + 1);
    expect(swarm.evaluations).toBe(counter.calls);
    counter.calls = 0;
    const hops = await consensusHopping({ objective }, { x0: [1, 2], width: 0.5, particles: 7, steps: 5 });
    expect(counter.calls).toBe(7 * 6 + 1);
    expect(hops.evaluations).toBe(counter.calls);
  });

  it("records figures of the swarm: spread, effective number, mean energy under the weights", async () => {
    const initial = [[0], [2]];
    const { history } = await cbo(
      { objective: { perParticle: (v) => v[0] } },
      { initial, alpha: Math.log(3) / 2, steps: 0 },
    );
    // weights 1 and 1/3: consensus 1/2, displacements 1/2 and 3/2
    expect(values(history.consensus)[0]).toBeCloseTo(0.5, 14);
    expect(history.spread[0]).toBeCloseTo(Math.sqrt((0.25 + 2.25) / 2), 14);
    expect(history.nEff[0]).toBeCloseTo((4 / 3) ** 2 / (10 / 9), 14);
    expect(history.energy[0]).toBeCloseTo(0.5, 14);
  });

  it("keeps no path on request", async () => {
    const { history } = await cbo(problem, { ...options, recordPath: false });
    expect(history.consensus.shape).toEqual([0, 2]);
    expect(history.energy).toHaveLength(121);
  });

  it("tells what is doubtful", async () => {
    const overshoot = await cbo(problem, { ...options, dt: 0.5, lambda: 3, steps: 1 });
    expect(overshoot.warnings.join()).toMatch(/lambda dt is 1.5: particles overshoot/);
    const sharp = await cbo(problem, { ...options, alpha: 1e6, steps: 1 });
    expect(sharp.warnings.join()).toMatch(/lower alpha or take more particles/);
    expect((await cbo(problem, { ...options, alpha: 0.1, steps: 1 })).warnings).toEqual([]);
  });
});

describe("a run ends", () => {
  it("converged, when no particle is further than the tolerance", async () => {
    const run = await cbo(problem, { ...options, steps: 5000, tolerance: 1e-3, sigma: 0.5 });
    expect(run.status).toBe("converged");
    expect(run.iterations).toBeLessThan(5000);
    const m = values(run.x);
    const rows = run.particles.toArray() as number[][];
    expect(Math.max(...rows.map((v) => Math.hypot(v[0] - m[0], v[1] - m[1])))).toBeLessThan(1e-3);
  });

  it("stalled, when the consensus rests for so many steps", async () => {
    const run = await cbo(problem, { ...options, steps: 5000, patience: 10, sigma: 0 });
    expect(run.status).toBe("stalled");
    const path = run.history.consensus.toArray() as number[][];
    const moved = (k: number) => Math.max(...path[k].map((x, j) => Math.abs(x - path[k - 1][j])));
    const last = run.iterations;
    for (let k = last - 9; k <= last; k++) expect(moved(k)).toBeLessThanOrEqual(1e-5);
  });

  it("with its budget: no evaluation is made beyond it", async () => {
    const { counter, objective } = counted();
    const run = await cbo({ objective, dimension: 2 }, { ...options, maxEvaluations: 1000 });
    expect(run.status).toBe("budget");
    expect(counter.calls).toBeLessThanOrEqual(1000);
    expect(counter.calls).toBeGreaterThan(1000 - 61);
    expect(run.evaluations).toBe(counter.calls);
  });

  it("stopped by onProgress, which is told every step", async () => {
    const seen: SwarmProgress[] = [];
    const onProgress = (progress: SwarmProgress) => {
      seen.push(progress);
      return progress.step === 4 ? "stop" : undefined;
    };
    const run = await cbo(problem, { ...options, onProgress });
    expect(run.status).toBe("stopped");
    expect(run.iterations).toBe(4);
    expect(seen.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4]);
    expect(seen[4].consensus).toEqual(run.x.data());
    expect(seen[4].energy).toBe(run.history.energy[4]);
  });

  it("aborted by its signal, with what there is", async () => {
    const controller = new AbortController();
    const onProgress = ({ step }: SwarmProgress) => step === 3 && controller.abort();
    const run = await cbo(problem, { ...options, onProgress, signal: controller.signal });
    expect(run.status).toBe("aborted");
    expect(run.iterations).toBe(3);
  });

  it("diverged, when the particles leave the range of numbers, with the last good answer", async () => {
    const run = await cbo(problem, { ...options, sigma: 1e30, dt: 1, steps: 50 });
    expect(run.status).toBe("diverged");
    expect(values(run.x).every(Number.isFinite)).toBe(true);
    expect(run.warnings.join()).toMatch(/lower sigma, or give bounds/);
  });
});

describe("an interrupted run", () => {
  it("goes on bit by bit, whatever stopped it", async () => {
    const whole = await cbo(problem, { ...options, patience: 60 });
    let state: SwarmState | undefined;
    for (const steps of [40, 41, 90])
      state = (await cbo(problem, { ...options, patience: 60, steps, ...(state && { resume: state }) })).state;
    const rest = await cbo(problem, { ...options, patience: 60, resume: state! });
    expect(rest.iterations).toBe(30);
    expect(values(rest.particles)).toEqual(values(whole.particles));
    expect(values(rest.x)).toEqual(values(whole.x));
    expect(rest.best.objective).toBe(whole.best.objective);
    expect(Array.from(rest.history.energy)).toEqual(Array.from(whole.history.energy.subarray(90)));
    expect(rest.status).toBe(whole.status);
  });

  it("of hopping too", async () => {
    const hop = { x0: [2, 2], width: 0.6, particles: 40, schedule: { everySteps: 7, factor: 0.9 } };
    const whole = await consensusHopping(problem, { ...hop, steps: 30 });
    const { state } = await consensusHopping(problem, { ...hop, steps: 11 });
    const rest = await consensusHopping(problem, { ...hop, steps: 30, resume: state });
    expect(values(rest.particles)).toEqual(values(whole.particles));
  });
});

describe("constraints", () => {
  it("a box is never left, and its boundary is found where the minimiser lies outside", async () => {
    let outside = 0;
    const objective = {
      perParticle(v: Float64Array) {
        if (v[0] < 1 || v[0] > 4 || v[1] < -3 || v[1] > 3) outside += 1;
        return quadratic.value(v);
      },
    };
    const bounds = { lower: [1, -3], upper: [4, 3] };
    const { x } = await cbo({ objective, bounds }, { steps: 400 });
    expect(outside).toBe(0);
    expect(values(x)[0]).toBeLessThan(1.02);
    expect(Math.abs(values(x)[1])).toBeLessThan(0.05);
  });

  it("a projection keeps particles on the sphere, where Rayleigh's quotient has its least eigenvector", async () => {
    const objective = (v: Tensor) => sum(square(v).mul([3, 2, 1, 0.5, 4]), { axis: 1 });
    const project = (v: Tensor) => div(v, sqrt(sum(square(v), { axis: 1, keepDims: true })));
    const run = await cbo(
      { objective, project, dimension: 5 },
      { particles: 60, steps: 200, sigma: 1, dt: 0.02, seed: 3 },
    );
    for (const v of run.particles.toArray() as number[][]) expect(Math.hypot(...v)).toBeCloseTo(1, 12);
    expect(Math.abs(values(run.best.x)[3])).toBeGreaterThan(0.99);
    expect(run.best.objective).toBeLessThan(0.52);
  });
});

describe("random batches of particles", () => {
  it("evaluate a batch a step, and all particles in the end", async () => {
    const { counter, objective } = counted();
    const run = await cbo({ objective, dimension: 2 }, { ...options, particles: 20, batchParticles: 5, steps: 10 });
    expect(counter.calls).toBe(5 * 11 + 20 + 1);
    expect(run.evaluations).toBe(counter.calls);
  });

  it("move everybody, or with partial updates only the batch, no particle twice in a pass", async () => {
    const batch = { ...options, alpha: 0.1, particles: 20, batchParticles: 5 };
    const movedAfter = async (steps: number, batchUpdate: "full" | "partial") => {
      const before = (await cbo(problem, { ...batch, steps: 0 })).particles.toArray() as number[][];
      const after = (await cbo(problem, { ...batch, batchUpdate, steps })).particles.toArray() as number[][];
      return after.filter((v, i) => v[0] !== before[i][0]).length;
    };
    expect(await movedAfter(1, "full")).toBe(20);
    expect(await movedAfter(1, "partial")).toBe(5);
    expect(await movedAfter(3, "partial")).toBe(15);
    expect(await movedAfter(4, "partial")).toBe(20);
  });

  it("find minimisers with a fraction of the evaluations", async () => {
    const run = await cbo(problem, { ...options, particles: 200, batchParticles: 20, steps: 500 });
    expect(Math.max(...values(run.x).map(Math.abs))).toBeLessThan(0.2);
    expect(run.evaluations).toBeLessThan(12_000);
  });
});

describe("random search", () => {
  it("takes so many samples of the starting distribution and keeps the best", async () => {
    const { counter, objective } = counted();
    const run = await randomSearch({ objective, dimension: 2 }, { evaluations: 2500, mean: 2, std: 2 });
    expect(counter.calls).toBe(2500);
    expect(run.objective).toBe(rastrigin.value(values(run.x)));
    expect(run.history.best).toHaveLength(3);
    expect(run.history.best[2]).toBe(run.objective);
  });

  it("is beaten by a swarm with as many evaluations, in ten dimensions", async () => {
    const wide = { objective: { perParticle: rastrigin.value }, dimension: 10 };
    const swarm = await cbo(wide, { mean: 2, std: 2, steps: 120 });
    const search = await randomSearch(wide, { mean: 2, std: 2, evaluations: swarm.evaluations });
    expect(swarm.objective).toBeLessThan(0.5 * search.objective);
  });
});

it("starts in the middle of its bounds, a quarter of them wide, or where it is told", async () => {
  const bounds = { lower: [0, 10], upper: [4, 30] };
  const { particles } = await cbo({ objective: { perParticle: () => 0 }, bounds }, { particles: 5000, steps: 0 });
  const column = (j: number) => values(particles).filter((_, i) => i % 2 === j);
  const mean = (x: number[]) => x.reduce((a, b) => a + b) / x.length;
  expect(mean(column(0))).toBeCloseTo(2, 1);
  expect(Math.abs(mean(column(1)) - 20)).toBeLessThan(0.3);
  const first = random.rng("0/start").normal([5000, 2], { dtype: "float64" });
  const inside = tensor(first).mul([1, 5]).add([2, 20]).clip([0, 10], [4, 30]);
  expect(values(particles)[0]).toBeCloseTo(values(inside)[0], 12);
});
