import { devices, loadModel, type OnnxRuntime, onnxRuntime, toOnnx } from "@offprint/onnx-runtime";
import { add, logSumExp, random, square, sum, type Tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ackley, canyon, rastrigin } from "../claims/landscapes.js";
import { type CboOptions, type CboProblem, cbo, consensusHopping, type SwarmResult } from "../src/index.js";
import { plain } from "./plain.js";

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

const values = (x: Tensor) => Array.from(x.data());
const problem: CboProblem = { objective: rastrigin.objective, dimension: 3 };
const options: CboOptions = { particles: 20, maxIterations: 30, mean: 1, std: 1, alpha: 5, sigma: 1 };

function expectSameRun(a: SwarmResult, b: SwarmResult, tolerance = 1e-9): void {
  expect([a.status, a.iterations, a.evaluations]).toEqual([b.status, b.iterations, b.evaluations]);
  expectClose(a.path, b.path, tolerance);
  for (const name of ["energy", "spread", "nEff", "best"] as const) {
    expectClose(
      a.history.map((record) => record[name]),
      b.history.map((record) => record[name]),
      tolerance,
    );
  }
  expectClose(a.particles, b.particles, tolerance);
  expectClose(a.best.x, b.best.x, tolerance);
  expectClose(a.objective, b.objective, tolerance);
}

/** On a backend, compiled by tensor-core, and with the objective as a black box between two compiled functions. */
async function compare(p: CboProblem, o: CboOptions, tolerance?: number): Promise<void> {
  const own = await cbo(p, o);
  expectSameRun(await cbo(p, { ...o, backend }), own, tolerance);
  if (o.gradient !== undefined || typeof p.objective !== "function") return;
  expectSameRun(await cbo({ ...p, objective: { batch: p.objective } }, o), own, tolerance);
}

describe("steps agree wherever they run", () => {
  it("for both kinds of noise, before and after the drift", async () => {
    await compare(problem, { ...options, noise: "isotropic", noiseAt: "pre" });
    await compare(problem, { ...options, noise: "anisotropic", noiseAt: "post" });
  });

  it("for alpha 0 and Infinity, and with cooling", async () => {
    await compare(problem, { ...options, alpha: 0 });
    await compare(problem, { ...options, alpha: Infinity });
    await compare(problem, { ...options, alpha: "auto" }, 1e-6);
    await compare(problem, { ...options, cooling: { everySteps: 3, sigmaFactor: 0.9, alphaFactor: 2 } });
  });

  it("with a gradient drift, bounds and a projection", async () => {
    await compare(problem, { ...options, gradient: { gamma: 1, learningRate: 0.5 } });
    await compare({ ...problem, bounds: { lower: -1, upper: [0.5, 2, 3] } }, options);
    await compare({ ...problem, project: (v) => v.div(sum(square(v), { axis: 1, keepDims: true }).sqrt()) }, options);
  });

  it("with batches of particles, full and partial", async () => {
    for (const batchUpdate of ["full", "partial"] as const) {
      await compare(problem, { ...options, batchParticles: 6, batchUpdate });
    }
  });

  it("where the run ends early: tolerance, patience, budget, onProgress", async () => {
    await compare(problem, { ...options, sigma: 0.2, maxIterations: 900, tolerance: 0.05, recordPath: false });
    await compare(problem, { ...options, sigma: 0, maxIterations: 2000, dt: 0.1, patience: 3 });
    await compare(problem, { ...options, maxEvaluations: 20 * 14 });
    const onProgress = ({ iteration }: { iteration: number }) => (iteration >= 15 ? "stop" : undefined);
    const stopped = await cbo(problem, { ...options, backend, onProgress });
    expectSameRun(stopped, { ...(await cbo(problem, { ...options, maxIterations: 15 })), status: "stopped" });
  });

  it("where energies are NaN or infinite", async () => {
    const objective = (v: Tensor) => add(rastrigin.objective(v), v.slice([null, 0]).sub(-0.5).log().mul(0));
    await compare({ objective, dimension: 3 }, options);
  });

  it("for hopping, and for an objective of one particle", async () => {
    const hop = {
      initial: [2, -1],
      width: 0.5,
      alpha: 3,
      particles: 50,
      maxIterations: 20,
      schedule: { everySteps: 6, factor: 0.8 },
    };
    const pointwise = { objective: { pointwise: (v: Tensor) => logSumExp(v.abs().mul([1, 2])) } };
    expectSameRun(await consensusHopping(pointwise, { ...hop, backend }), await consensusHopping(pointwise, hop));
  });

  it("in float32, to its rounding", async () => {
    await compare(problem, { ...options, maxIterations: 8, dtype: "float32" }, 1e-3);
  });

  it("on a GPU, in float32, where one runs (else on the CPU)", async () => {
    const device = (await devices()).some((d) => d.device === "webgpu" && d.runs) ? "webgpu" : "cpu";
    const gpu = await onnxRuntime({ device });
    const single = {
      ...options,
      dtype: "float32",
      sigma: 0.1,
      dt: 0.1,
      maxIterations: 19,
      tolerance: 1.5,
    } as const;
    const run = await cbo(problem, { ...single, backend: gpu });
    expect(run.status).toBe("converged");
    expect(run.iterations).toBeGreaterThan(0);
    expect(run.iterations).toBeLessThan(19);
    expectSameRun(run, await cbo(problem, single), 1e-3);
    await gpu.release();
  });

  it("when they go on from a state", async () => {
    const { state } = await cbo(problem, { ...options, maxIterations: 13, backend });
    const rest = await cbo(problem, { ...options, backend, resume: state });
    const whole = await cbo(problem, options);
    values(rest.particles).forEach((x, i) => {
      expect(x).toBeCloseTo(values(whole.particles)[i], 9);
    });
  });

  it("on the canyon, from its far end to the minimiser", async () => {
    const { x } = await cbo({ objective: canyon(true).objective, dimension: 2 }, { mean: 8, std: 0.5, backend });
    expect(Math.hypot(...values(x))).toBeLessThan(0.5);
  });
});

it("a model loaded from an .onnx file is an objective", async () => {
  const [n, d] = [40, 2];
  const bytes = toOnnx(ackley.objective, { shape: [n, d], dtype: "float32" });
  const model = await loadModel(bytes);
  const batch = async (V: Tensor) => {
    // The file has a fixed batch: fewer particles are filled up.
    const rows = V.shape[0];
    const filled = V.toArray() as number[][];
    while (filled.length < n) filled.push(filled[0]);
    return values((await model.run({ input0: filled })).output0).slice(0, rows);
  };
  const { x } = await cbo({ objective: { batch }, dimension: d }, { particles: n, mean: 2, std: 2, alpha: 1000 });
  expect(Math.max(...values(x).map(Math.abs))).toBeLessThan(0.25);
  await model.release();
});

it("a backend with an objective that cannot be compiled is refused", async () => {
  const numbers = { objective: { perParticle: plain(rastrigin) }, dimension: 3 };
  await expect(cbo(numbers, { backend })).rejects.toThrow(/a backend compiles objectives in operations of tensors/);
});

it("random numbers do not depend on where steps run", () => {
  const rng = random.rng("0/noise/3").normal([2, 2], { dtype: "float64" });
  expect(values(random.rng("0/noise/3").normal([2, 2], { dtype: "float32" }))).toEqual(
    Array.from(rng.data(), Math.fround),
  );
});
