import { add, div, matmul, random, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose, readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { ackley, canyon, rastrigin, rosenbrock } from "../claims/landscapes.js";
import { type CboOptions, cbo, consensusHopping, type Objective } from "../src/index.js";
import { plain } from "./plain.js";

const fixture = readFixture<any>(import.meta.url, "numpy.json");
const float64 = (x: any) => tensor(x, { dtype: "float64" });
const V0 = float64(fixture.V0);
const noiseSource = (k: number) => float64(fixture.noise[k]);
const explicit = { initial: V0, noiseSource, alpha: 3, lambda: 1.2, dt: 0.1, sigma: 0.9, maxIterations: 4 };
const problem = { objective: rastrigin.objective };
const height = plain(rastrigin);

describe("trajectories with given noise", () => {
  it("are those of the reference, for both kinds of noise, before and after the drift", async () => {
    for (const { noise, noiseAt, particles, path } of fixture.runs) {
      const result = await cbo(problem, { ...explicit, noise, noiseAt });
      expectClose(result.path, path, 1e-12);
      expectClose(result.particles, particles, 1e-12);
      expectClose(result.x, path[4], 1e-12);
    }
    expect(fixture.runs).toHaveLength(4);
  });

  it("of hopping are those of the reference", async () => {
    const initial = [1, 0.5, -0.5];
    const result = await consensusHopping(problem, {
      initial,
      particles: 5,
      width: 0.4,
      alpha: 3,
      maxIterations: 4,
      noiseSource,
    });
    expectClose(result.path, fixture.hopping.path, 1e-12);
    expectClose(result.particles, fixture.hopping.particles, 1e-12);
  });

  it("are the same whichever way the objective is written", async () => {
    const ways: Objective[] = [
      { pointwise: (v) => rastrigin.objective(v.reshape([1, -1])).reshape([]) },
      { perParticle: plain(rastrigin) },
      { perParticle: async (v) => height(v) },
      { perParticle: async (v) => height(v), concurrency: 2 },
      { batch: async (V) => rastrigin.objective(V).reshape([-1, 1]) },
      { batch: (V) => (V.toArray() as number[][]).map(height) },
    ];
    for (const objective of ways) {
      const result = await cbo({ objective }, { ...explicit, noise: "anisotropic" });
      expectClose(result.path, fixture.runs[2].path, 1e-12);
    }
  });

  it("hopping is CBO with lambda dt = 1 and noise of a constant width", async () => {
    // Anisotropic noise times (width / |u|) is noise of that width: the source undoes the factor.
    const [width, initial, K] = [0.4, [1, 0.5, -0.5], 4];
    const hops = await consensusHopping(problem, {
      initial,
      particles: 5,
      width,
      alpha: 3,
      maxIterations: K,
      noiseSource,
    });
    const states: Tensor[] = [add(float64(initial), float64(fixture.noise[0]).mul(width))];
    let path: Tensor | undefined;
    for (let k = 0; k < K; k++) {
      const { x } = await cbo(problem, { ...explicit, initial: states[k], maxIterations: 0 });
      const u = sub(states[k], x).abs();
      const source = () => div(float64(fixture.noise[k + 1]).mul(width), u);
      const settings: CboOptions = {
        alpha: 3,
        lambda: 1 / 0.1,
        dt: 0.1,
        sigma: 1 / Math.sqrt(0.1),
        noise: "anisotropic",
      };
      const step = await cbo(problem, { ...settings, initial: states[k], maxIterations: 1, noiseSource: source });
      states.push(step.particles);
      path = step.x;
    }
    expectClose(hops.particles, states[K].toArray(), 1e-11);
    expectClose(hops.x, path!.toArray(), 1e-11);
  });
});

describe("the landscapes of the claims", () => {
  it("have the reference's values, in operations of tensors and in plain numbers", () => {
    for (const landscape of [rastrigin, ackley, rosenbrock, canyon(), canyon(true)]) {
      const name = landscape.name in fixture.values ? landscape.name : landscape.name.toLowerCase();
      const expected: number[] = fixture.values[name];
      expect(expected).toHaveLength(6);
      expectClose(landscape.objective(float64(fixture.points)), expected, 1e-12);
      expectClose(fixture.points.map(plain(landscape)), expected, 1e-12);
      const d = landscape.dimension ?? 2;
      expect(plain(landscape)(new Array(d).fill(landscape.minimiser))).toBeCloseTo(0, 12);
    }
  });
});

describe("equivariance", () => {
  const rng = random.rng(2);
  const noises = Array.from({ length: 6 }, () => rng.normal([5, 3], { dtype: "float64" }));
  const base: CboOptions = {
    initial: V0,
    alpha: 3,
    sigma: 0.9,
    dt: 0.1,
    maxIterations: 6,
    noiseSource: (k) => noises[k],
  };
  const E = rastrigin.objective;
  const Q = rng.orthogonal([3, 3], { dtype: "float64" });

  it("translating the objective and the particles translates the trajectory", async () => {
    const shift = float64([1, -2, 0.5]);
    for (const noise of ["isotropic", "anisotropic"] as const) {
      const unmoved = await cbo({ objective: E }, { ...base, noise });
      const moved = await cbo({ objective: (v) => E(sub(v, shift)) }, { ...base, noise, initial: add(V0, shift) });
      expectClose(moved.particles, add(unmoved.particles, shift).toArray(), 1e-9);
    }
  });

  it("rotating objective, particles and noise rotates the trajectory of isotropic noise, not of anisotropic", async () => {
    const rotated = (noise: "isotropic" | "anisotropic") =>
      cbo(
        { objective: (v) => E(matmul(v, Q.transpose())) },
        { ...base, noise, initial: matmul(V0, Q), noiseSource: (k) => matmul(noises[k], Q) },
      );
    const isotropic = await cbo({ objective: E }, { ...base, noise: "isotropic" });
    expectClose((await rotated("isotropic")).particles, matmul(isotropic.particles, Q).toArray(), 1e-9);
    const anisotropic = await cbo({ objective: E }, { ...base, noise: "anisotropic" });
    const gap = sub((await rotated("anisotropic")).particles, matmul(anisotropic.particles, Q));
    expect(sum(gap.abs()).item()).toBeGreaterThan(0.1);
  });

  it("scaling coordinates scales the trajectory of anisotropic noise, not of isotropic", async () => {
    const scale = float64([0.5, 2, 3]);
    const scaled = (noise: "isotropic" | "anisotropic") =>
      cbo({ objective: (v) => E(div(v, scale)) }, { ...base, noise, initial: V0.mul(scale) });
    const anisotropic = await cbo({ objective: E }, { ...base, noise: "anisotropic" });
    expectClose((await scaled("anisotropic")).particles, anisotropic.particles.mul(scale).toArray(), 1e-9);
    const isotropic = await cbo({ objective: E }, { ...base, noise: "isotropic" });
    const gap = sub((await scaled("isotropic")).particles, isotropic.particles.mul(scale));
    expect(sum(gap.abs()).item()).toBeGreaterThan(0.1);
  });
});

describe("limits", () => {
  it("without noise displacements from the consensus shrink by 1 - lambda dt", async () => {
    // Equal energies: the consensus is the mean and stays.
    const flat = { objective: { perParticle: () => 1 } };
    const { particles, path } = await cbo(flat, { ...explicit, sigma: 0, maxIterations: 3 });
    const mean = path.toArray() as number[][];
    expectClose(float64(mean[3]), mean[0], 1e-12);
    const before = sub(V0, float64(mean[0]));
    expectClose(sub(particles, float64(mean[0])), before.mul((1 - 0.12) ** 3).toArray(), 1e-12);
  });

  it("lambda dt = 1 without noise: everybody jumps to the consensus", async () => {
    const { particles, x, path } = await cbo(problem, { ...explicit, lambda: 10, sigma: 0, maxIterations: 1 });
    const m = (path.toArray() as number[][])[0];
    for (const row of particles.toArray() as number[][]) expect(row).toEqual(m);
    expectClose(x, m, 1e-12);
  });

  it("particles that agree stay, whatever the noise", async () => {
    const initial = float64(new Array(5).fill([0.3, -0.2, 4]));
    for (const noise of ["isotropic", "anisotropic"] as const) {
      const { particles } = await cbo(problem, { ...explicit, initial, noise, sigma: 5, maxIterations: 4 });
      expectClose(particles, initial.toArray(), 1e-14);
    }
  });

  it("a gradient drift is a gradient step after the noise", async () => {
    const undrifted = await cbo(problem, { ...explicit, maxIterations: 1 });
    const [gamma, lr] = [0.7, 0.3];
    const derivative = (v: number) => 2 * v + 5 * Math.PI * Math.sin(2 * Math.PI * v);
    const expected = Array.from(undrifted.particles.data(), (v) => v - gamma * lr * 0.1 * derivative(v));
    const auto = await cbo(problem, { ...explicit, maxIterations: 1, gradient: { gamma, learningRate: lr } });
    expectClose(auto.particles, tensor(expected, { dtype: "float64", shape: [5, 3] }).toArray(), 1e-12);
    const differences = { objective: { perParticle: height } };
    const numeric = await cbo(differences, { ...explicit, maxIterations: 1, gradient: { gamma, learningRate: lr } });
    expectClose(numeric.particles, auto.particles.toArray(), 1e-8);
    expect(numeric.evaluations).toBe(5 * 2 + 1 + 5 * 2 * 3);
  });

  it("cooling multiplies sigma and alpha", async () => {
    const cooled = await cbo(problem, {
      ...explicit,
      maxIterations: 2,
      cooling: { everySteps: 1, sigmaFactor: 0.5, alphaFactor: 3 },
    });
    const first = await cbo(problem, { ...explicit, maxIterations: 1 });
    const atFirst = await cbo(problem, {
      ...explicit,
      initial: first.particles,
      alpha: 9,
      sigma: 0.45,
      maxIterations: 1,
      noiseSource: () => noiseSource(1),
    });
    const atLast = await cbo(problem, { ...explicit, initial: atFirst.particles, alpha: 27, maxIterations: 0 });
    expectClose(cooled.particles, atFirst.particles.toArray(), 1e-12);
    expectClose(cooled.x, atLast.x.toArray(), 1e-12);
  });
});

describe("the mean field of ||v||^2", () => {
  /** Mean square distance of the swarm to 0 at the end over that at the start, for the mean of many particles. */
  async function growth(sigma: number, d: number): Promise<number> {
    const square = (v: Float64Array) => v.reduce((s, x) => s + x * x, 0);
    const run = await cbo(
      { objective: { perParticle: square }, dimension: d },
      { particles: 4000, maxIterations: 60, dt: 0.01, alpha: 50, sigma, noise: "isotropic", mean: 1, seed: 5 },
    );
    const start = await cbo(
      { objective: { perParticle: square }, dimension: d },
      { particles: 4000, maxIterations: 0, mean: 1, seed: 5 },
    );
    return sum(run.particles.square()).item() / sum(start.particles.square()).item();
  }

  it("contracts for 2 lambda > d sigma^2, and grows where that is clearly violated", async () => {
    expect(await growth(0.5, 2)).toBeLessThan(0.7); // 2 > 0.5
    expect(await growth(2.5, 4)).toBeGreaterThan(3); // 2 < 25
  });
});
