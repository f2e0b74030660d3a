import { runConformance } from "@offprint/solvers/conformance";
import { jit, random, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  countCalls,
  type Denoiser,
  ddimInvert,
  ddimSample,
  discreteSchedule,
  dpmSolverSample,
  edmDenoiser,
  edmSample,
  explodingSchedule,
  gaussianFlow,
  levelGrid,
  levelTensors,
  type SamplerOptions,
  withGuidance,
} from "../src/index.js";
import { normal, someMixture } from "./problems.js";

const schedule = discreteSchedule({ betas: "scaledLinear" });
const single = someMixture(1, 1, 3);
const denoiser = single.denoiser(schedule);
const z = normal(2, [4, 3]);

/** Largest error at the clean end against the closed form. */
async function error(
  sample: (d: Denoiser, z: Tensor, o: SamplerOptions) => Promise<{ x: Tensor }>,
  model: Denoiser,
  steps: number,
  start: Tensor,
): Promise<number> {
  const levels = levelGrid(model.schedule, steps, { spacing: "logSnr", clean: "none" });
  const { x } = await sample(model, start, { levels });
  const exact = gaussianFlow(single, start, levels[steps], levels[0]);
  return Math.max(...x.sub(exact).abs().data());
}

describe("samplers come near the exact flow", () => {
  it("DDIM with the first order, DPM-Solver++(2M) and EDM with the second", async () => {
    for (const [sample, order] of [
      [ddimSample, 1],
      [dpmSolverSample, 2],
      [edmSample, 2],
    ] as const) {
      const [coarse, fine] = [await error(sample, denoiser, 100, z), await error(sample, denoiser, 200, z)];
      expect(Math.log2(coarse / fine), sample.name).toBeGreaterThan(order - 0.2);
      expect(Math.log2(coarse / fine), sample.name).toBeLessThan(order + 0.4);
    }
  });

  it("the same where variance explodes", async () => {
    const model = single.denoiser(explodingSchedule());
    expect(await error(edmSample, model, 100, z.mul(80))).toBeLessThan(0.02);
  });

  it("DDIM down and up again is only near where it began", async () => {
    const levels = levelGrid(schedule, 20);
    const { x } = await ddimInvert(denoiser, z, { levels });
    const back = await ddimSample(denoiser, x, { levels });
    const gap = Math.max(...back.x.sub(z).abs().data());
    expect(gap).toBeGreaterThan(1e-3);
    expect(gap).toBeLessThan(1);
  });

  it("ancestral sampling and churn keep the distribution", async () => {
    const start = normal(3, [4000, 3]);
    const covariance = single.covariances.reshape([3, 3]);
    const spread = (x: Tensor) =>
      x
        .sub(x.mean(0))
        .transpose()
        .matmul(x.sub(x.mean(0)))
        .div(4000);
    const { x } = await ddimSample(denoiser, start, { steps: 100, eta: 1, spacing: "trailing" });
    expectClose(spread(x), covariance, 0.06);
    const model = single.denoiser(explodingSchedule());
    const churned = await edmSample(model, start.mul(80), { steps: 30, churn: 10 });
    expectClose(spread(churned.x), covariance, 0.06);
    const again = await ddimSample(denoiser, start, { steps: 5, eta: 1, seed: 1 });
    const other = await ddimSample(denoiser, start, { steps: 5, eta: 1, seed: 2 });
    expect(Math.abs(again.x.data()[0] - other.x.data()[0])).toBeGreaterThan(1e-6);
  });

  it("one step of DDIM to the clean end is the predicted data", async () => {
    const { x, levels } = await ddimSample(denoiser, z, { steps: 1 });
    expectClose(x, single.data(z, levelTensors(levels[1])), 1e-12);
  });
});

describe("calls", () => {
  it("are counted: one a step, two of EDM but for its last, one of guidance with twice the batch", async () => {
    for (const [sample, calls] of [
      [ddimSample, 10],
      [dpmSolverSample, 10],
      [edmSample, 19],
    ] as const) {
      const counted = countCalls(denoiser);
      const result = await sample(counted, z, { steps: 10 });
      expect([counted.calls, result.calls, result.steps]).toEqual([calls, calls, 10]);
      expectClose(result.x, (await sample(denoiser, z, { steps: 10 })).x, 1e-12);
    }
    const mixture = someMixture(5, 2, 3);
    const batches: number[] = [];
    const external: Denoiser = {
      ...mixture.denoiser(schedule),
      external: true,
      async predict(states, level, condition) {
        batches.push(states.shape[0]);
        return mixture.noise(states, level, condition);
      },
    };
    const condition = tensor(
      [
        [1, 0],
        [1, 0],
        [0, 1],
        [0, 1],
      ],
      { dtype: "float64" },
    );
    const guided = withGuidance(external, mixture.weights.reshape([1, 2]), 3);
    const { x } = await ddimSample(guided, z, { steps: 4, condition });
    expect(batches).toEqual([8, 8, 8, 8]);
    const traced = withGuidance(mixture.denoiser(schedule), mixture.weights.reshape([1, 2]), 3);
    expectClose(x, (await ddimSample(traced, z, { steps: 4, condition })).x, 1e-12);
  });
});

describe("EDM's preconditioning", () => {
  it("of the network that a normal distribution has: its exact answers", async () => {
    const deviation = 0.5;
    // For data N(0, deviation^2) the inner network is 0: c_skip z is the mean.
    const model = edmDenoiser((x) => x.mul(0), { dataDeviation: deviation });
    const levels = levelGrid(model.schedule, 40);
    const { x } = await edmSample(model, z.mul(80), { levels });
    expectClose(x, z.mul((80 * deviation) / Math.hypot(deviation, 80)), 0.01);
  });
});

describe("what goes wrong is named", () => {
  it("states that stop being finite, by their level", async () => {
    const broken: Denoiser = { ...denoiser, predict: (x) => x.mul(Number.NaN) };
    expect(await failureOf(() => ddimSample(broken, z, { steps: 5 }))).toEqual(
      errorLike("NonFiniteError", /iteration 1: the state at level t = /),
    );
  });

  it("shapes, grids and denoisers that are none", async () => {
    expect(await failureOf(() => ddimSample(denoiser, [1, 2], {}))).toEqual(
      errorLike("ShapeError", /initial has shape \[2\]/),
    );
    expect(await failureOf(() => ddimSample({} as Denoiser, z))).toEqual(errorLike("ValueError", /predict/));
    const short: Denoiser = { ...denoiser, predict: (x) => x.sum(1) };
    expect(await failureOf(() => ddimSample(short, z))).toEqual(errorLike("ShapeError", /like the states/));
    const promised: Denoiser = { ...denoiser, predict: async (x) => x };
    expect(await failureOf(() => ddimSample(promised, z))).toEqual(errorLike("ValueError", /external: true/));
    const levels = levelGrid(schedule, 3).reverse();
    expect(await failureOf(() => ddimSample(denoiser, z, { levels }))).toEqual(
      errorLike("ValueError", /from clean to noisy/),
    );
    expect(await failureOf(() => ddimSample(denoiser, z, { levels: levelGrid(schedule, 3), steps: 3 }))).toEqual(
      errorLike("ValueError", /leave one/),
    );
    expect(
      await failureOf(() =>
        ddimSample(denoiser, z, {
          levels: [
            { t: 0, timestep: 0, alpha: 1, sigma: 0 },
            { t: 1, timestep: 1, alpha: 0, sigma: 1 },
          ],
        }),
      ),
    ).toEqual(errorLike("ValueError", /alpha must be > 0/));
    const part = await ddimSample(denoiser, z, {
      steps: 6,
      onProgress: ({ step }) => (step === 2 ? "stop" : undefined),
    });
    expect(await failureOf(() => ddimSample(denoiser, z, { steps: 7, resume: part.state }))).toEqual(
      errorLike("ValueError", /resume is a state of another grid/),
    );
  });

  it("float32 states stay float32, and a network in float32 leaves float64 states exact between calls", async () => {
    const { x } = await ddimSample(denoiser, random.rng(1).normal([2, 3]), { steps: 3, dtype: "float32" });
    expect(x.dtype).toBe("float32");
    const single32: Denoiser = { ...denoiser, predict: jitlessCast };
    expect((await ddimSample(single32, z, { steps: 3 })).x.dtype).toBe("float64");
  });
});

function jitlessCast(x: Tensor, level: Parameters<Denoiser["predict"]>[1]): Tensor {
  return (denoiser.predict(x, level) as Tensor).cast("float32");
}

/** Enough samples that 900 steps take long. */
const many = normal(5, [4000, 3]);
for (const [name, sample] of [
  ["ddimSample", ddimSample],
  ["ddimInvert", ddimInvert],
  ["edmSample", edmSample],
  ["dpmSolverSample", dpmSolverSample],
] as const) {
  runConformance(
    name,
    {
      run: (options) => sample(denoiser, options["steps"] === 900 ? many : z, options),
      limit: "steps",
      short: 6,
      endless: { steps: 900 },
      seeded: false,
      invalid: [{ spacing: "even" }, { clean: "no" }, { dtype: "int32" }, { levels: [] }, { rho: -1 }],
      nonFinite: [() => sample(denoiser, [[1, Number.NaN, 2]], { steps: 3 })],
    },
    { describe, it, expect },
  );
}
runConformance(
  "ddimSample with fresh noise",
  {
    run: (options) => ddimSample(denoiser, options["steps"] === 900 ? many : z, { eta: 1, ...options }),
    limit: "steps",
    short: 5,
    endless: { steps: 900 },
    seeded: true,
    invalid: [{ eta: 2 }, { eta: -1 }],
    nonFinite: [() => ddimSample(denoiser, [[Number.POSITIVE_INFINITY]], { steps: 3 })],
  },
  { describe, it, expect },
);

it("compiled functions of a denoiser may be users' own", async () => {
  const own = jit((x: Tensor) => x.mul(0.5));
  const wrapped: Denoiser = { prediction: "noise", schedule, external: true, predict: (x) => own(x) };
  expect((await ddimSample(wrapped, z, { steps: 3 })).calls).toBe(3);
});
