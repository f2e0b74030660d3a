import {
  countCalls,
  type Denoiser,
  ddimSample,
  discreteSchedule,
  dpmSolverSample,
  edmSample,
  explodingSchedule,
  gaussianMixture,
  type Level,
  levelGrid,
  noiseRatio,
  type SamplerResult,
} from "@offprint/diffusion";
import { runConformance } from "@offprint/solvers/conformance";
import { concatenate, matmul, random, type Tensor, tanh } from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { bdiaEdit, bdiaInvert, bdiaSample, edictInvert, edictSample, oBelmInvert, oBelmSample } from "../src/index.js";

const schedule = discreteSchedule({ betas: "scaledLinear" });
const rng = random.rng("networks");
const [w1, w2] = [rng.normal([5, 16], { dtype: "float64" }), rng.normal([16, 4], { dtype: "float64" })];
/** A network of random weights: exactness must not depend on the model. */
const network: Denoiser = {
  prediction: "noise",
  schedule,
  predict: (z, { sigma }) =>
    tanh(
      matmul(
        tanh(
          matmul(
            concatenate(
              [
                z,
                z
                  .slice([null, { stop: 1 }])
                  .mul(0)
                  .add(sigma),
              ],
              1,
            ),
            w1,
          ),
        ),
        w2,
      ),
    ),
};
const exploding: Denoiser = { ...network, schedule: explodingSchedule() };
const data = random.rng(1).normal([6, 4], { dtype: "float64" });
const noise = random.rng(2).normal([6, 4], { dtype: "float64" });

describe("there and back again, whatever the model", () => {
  it.each([0.9, 1])("gamma %s: data, noise and both states of a pair come back to rounding", async (gamma) => {
    const options = { steps: 30, gamma };
    const up = await bdiaInvert(network, data, options);
    const down = await bdiaSample(network, up.pair[0], { ...options, next: up.pair[1] });
    expectClose(down.x, data, 1e-12);
    const sampled = await bdiaSample(network, noise, options);
    const back = await bdiaInvert(network, sampled.pair[0], { ...options, next: sampled.pair[1] });
    expectClose(back.pair[0], noise, 1e-10);
  });

  it("a float32 network is called with the same rounded states twice, so that nothing is lost", async () => {
    const single: Denoiser = {
      ...network,
      predict: (z, level) => (network.predict(z, level) as Tensor).cast("float32").mul(1.1).cast("float64"),
    };
    const up = await bdiaInvert(single, data, { steps: 20 });
    const down = await bdiaSample(single, up.pair[0], { steps: 20, gamma: 1, next: up.pair[1] });
    expectClose(down.x, data, 1e-13);
  });

  it("with a plain first step in place of the pair exactness is lost", async () => {
    const { pair } = await bdiaInvert(network, data, { steps: 20 });
    const { x } = await bdiaSample(network, pair[0], { steps: 20, gamma: 1 });
    expect(Math.max(...x.sub(data).abs().data())).toBeGreaterThan(1e-3);
  });

  it("EDM's steps, EDICT in both orders, and O-BELM", async () => {
    for (const backward of ["heun", "euler"] as const) {
      const options = { steps: 12, gamma: 0.95, integrator: "edm", backward } as const;
      const top = noise.mul(80);
      const down = await bdiaSample(exploding, top, options);
      const up = await bdiaInvert(exploding, down.pair[0], { ...options, next: down.pair[1] });
      expectClose(up.x, top, 1e-9);
    }
    for (const alternate of [false, true]) {
      const up = await edictInvert(network, data, { steps: 20, alternate });
      const down = await edictSample(network, up.pair[0], { steps: 20, alternate, next: up.pair[1] });
      expectClose(down.pair, [data, data], 1e-10);
    }
    const up = await oBelmInvert(network, data, { steps: 15 });
    const down = await oBelmSample(network, up.pair[0], { steps: 15, next: up.pair[1] });
    expectClose(down.x, data, { absolute: 1e-8, relative: 1e-8 });
  });

  it("an integrator of one's own", async () => {
    const integrator = (z: Tensor, from: Level, to: Level) =>
      z.mul(to.alpha / from.alpha).add(tanh(z).mul(noiseRatio(to) - noiseRatio(from)));
    const up = await bdiaInvert(network, data, { steps: 10, integrator });
    const down = await bdiaSample(network, up.pair[0], { steps: 10, gamma: 1, integrator, next: up.pair[1] });
    expectClose(down.x, data, 1e-11);
    expect(up.calls).toBe(0);
  });
});

describe("limits", () => {
  it("gamma 0 is the plain sampler", async () => {
    const plain = { steps: 12, gamma: 0 };
    expectClose(
      (await bdiaSample(network, noise, plain)).x,
      (await ddimSample(network, noise, { steps: 12 })).x,
      1e-14,
    );
    const top = noise.mul(80);
    const edm = await bdiaSample(exploding, top, { ...plain, integrator: "edm" });
    expectClose(edm.x, (await edmSample(exploding, top, { steps: 12 })).x, 1e-14);
    const dpm = await bdiaSample(network, noise, { ...plain, integrator: "dpmSolver" });
    expectClose(dpm.x, (await dpmSolverSample(network, noise, { steps: 12 })).x, 1e-13);
  });

  it("one step is the plain sampler's", async () => {
    expectClose(
      (await bdiaSample(network, noise, { steps: 1, gamma: 1 })).x,
      (await ddimSample(network, noise, { steps: 1 })).x,
      0,
    );
  });

  it("a linear model makes a product of 2 x 2 matrices", async () => {
    const linear: Denoiser = { ...network, predict: (z, { sigma }) => z.mul(sigma).mul(0.7) };
    const levels = levelGrid(schedule, 9);
    const gamma = 0.6;
    const { x } = await bdiaSample(linear, [[1.5]], { levels, gamma });
    const map = (i: number, j: number) => {
      const [from, to] = [levels[i], levels[j]];
      const a = to.alpha / from.alpha;
      return a + (to.sigma - a * from.sigma) * 0.7 * from.sigma;
    };
    let [above, here] = [1.5, 1.5 * map(9, 8)];
    for (let i = 8; i >= 1; i--) [above, here] = [here, gamma * (above - map(i, i + 1) * here) + map(i, i - 1) * here];
    expectClose(x, [[here]], 1e-13);
  });

  it("O-BELM is exact for noise that is linear in the ratio", async () => {
    // dy/dtau = 2 tau has the solution y = tau^2 + c, which a rule of second order follows.
    const ramp: Denoiser = { ...network, predict: (z, { alpha, sigma }) => z.mul(0).add(sigma.div(alpha).mul(2)) };
    const levels = levelGrid(schedule, 8, { clean: "none" });
    const exact = (level: Level) => level.alpha * noiseRatio(level) ** 2;
    const { x } = await oBelmSample(ramp, [[exact(levels[8])]], { levels, next: [[exact(levels[7])]] });
    expectClose(x, [[exact(levels[0])]], 1e-9);
  });
});

describe("calls of the network", () => {
  it("BDIA n, EDICT 2 n, BDIA-EDM 3 n - 2 with Heun backwards and 2 n - 1 with Euler; with a pair one less", async () => {
    const n = 8;
    const calls = async (run: (d: Denoiser) => Promise<{ calls: number }>, model = network) => {
      const counted = countCalls(model);
      const result = await run(counted);
      expect(result.calls).toBe(counted.calls);
      return counted.calls;
    };
    expect(await calls((d) => bdiaSample(d, noise, { steps: n }))).toBe(n);
    expect(await calls((d) => bdiaSample(d, noise, { steps: n, next: noise }))).toBe(n - 1);
    expect(await calls((d) => bdiaInvert(d, noise, { steps: n }))).toBe(n);
    expect(await calls((d) => edictSample(d, noise, { steps: n }))).toBe(2 * n);
    expect(await calls((d) => oBelmSample(d, noise, { steps: n }))).toBe(n);
    expect(await calls((d) => bdiaSample(d, noise, { steps: n, integrator: "dpmSolver" }))).toBe(n);
    expect(await calls((d) => bdiaSample(d, noise, { steps: n, integrator: "edm" }), exploding)).toBe(3 * n - 2);
    expect(
      await calls((d) => bdiaSample(d, noise, { steps: n, integrator: "edm", backward: "euler" }), exploding),
    ).toBe(2 * n - 1);
  });
});

describe("editing", () => {
  const mixture = gaussianMixture({
    means: [
      [-1, 0],
      [1, 0],
    ],
    variances: 0.1,
  });
  const denoiser = mixture.denoiser(schedule);
  const at = (first: number) => [
    [first, 1 - first],
    [first, 1 - first],
  ];
  const [source, target] = [1, 0].map((first) =>
    random.rng(0).uniform([2, 2], { dtype: "float64" }).mul(0).add(at(first)),
  );
  const points = [
    [-1.1, 0.2],
    [-0.8, -0.3],
  ];

  it("with target = source nothing changes; with another class the class does", async () => {
    const same = await bdiaEdit(denoiser, points, { steps: 20, source, target: source });
    expectClose(same.x, points, 1e-12);
    const edited = await bdiaEdit(denoiser, points, { steps: 20, gamma: 0.96, source, target });
    expect(Math.min(...edited.x.slice([null, 0]).data())).toBeGreaterThan(0.2);
    expectClose(edited.x.slice([null, 1]), [0.2, -0.3], 1e-10);
    expect([edited.steps, edited.calls]).toEqual([40, 39]);
    const up = await bdiaInvert(denoiser, points, { steps: 20, gamma: 0.96, condition: source });
    expectClose(edited.latent, up.pair, 1e-13);
  });

  it("goes through a part of the levels only", async () => {
    const part = await bdiaEdit(denoiser, points, { steps: 20, source, target, strength: 0.3 });
    expect(part.steps).toBe(12);
    expect(part.levels.length).toBe(7);
    const aborted = await bdiaEdit(denoiser, points, {
      steps: 20,
      onProgress: ({ step }) => (step === 3 ? "stop" : undefined),
    });
    expect(aborted.latent).toBeUndefined();
    for (const strength of [0.01, 0.09]) {
      expect(await failureOf(() => bdiaEdit(denoiser, points, { steps: 20, strength }))).toEqual(
        errorLike("ValueError", /strength is 0.0\d; .*at least two of the 20 steps/),
      );
    }
  });
});

describe("what is refused", () => {
  it("gamma out of range, zero to invert; states that do not fit; what cannot be inverted", async () => {
    expect(await failureOf(() => bdiaSample(network, noise, { gamma: 1.2 }))).toEqual(
      errorLike("ValueError", /gamma is 1.2; it must lie in \[0, 1\]/),
    );
    expect(await failureOf(() => bdiaSample(network, noise, { backward: "euler" }))).toEqual(
      errorLike("ValueError", /backward is of the integrator "edm"/),
    );
    expect(await failureOf(() => bdiaInvert(network, noise, { gamma: 0 }))).toEqual(
      errorLike("ValueError", /gamma is 0; .*inverted/),
    );
    expect(await failureOf(() => bdiaSample(network, noise, { next: [[1, 2]] }))).toEqual(
      errorLike("ShapeError", /next has shape \[1,2\]/),
    );
    expect(await failureOf(() => bdiaInvert(network, data, { integrator: "dpmSolver" }))).toEqual(
      errorLike("UnsupportedError", /cannot be inverted/),
    );
    expect(await failureOf(() => edictSample(network, noise, { mixing: 0 }))).toEqual(
      errorLike("ValueError", /mixing is 0/),
    );
    const broken: Denoiser = { ...network, predict: (z, { sigma }) => z.div(sigma.sub(sigma)) };
    expect(await failureOf(() => bdiaSample(broken, noise, { steps: 3 }))).toEqual(
      errorLike("NonFiniteError", /level t = /),
    );
  });
});

const many = random.rng(3).normal([4000, 4], { dtype: "float64" });
const subjects = { bdiaSample, bdiaInvert, bdiaEdit, edictSample, edictInvert, oBelmSample, oBelmInvert };
for (const [name, subject] of Object.entries(subjects)) {
  const run = subject as (...args: Parameters<typeof bdiaSample>) => Promise<SamplerResult>;
  runConformance(
    name,
    {
      run: (options) => run(network, options["steps"] === 900 ? many : data, options),
      limit: "steps",
      short: 6,
      endless: { steps: 900 },
      seeded: false,
      invalid: [
        { spacing: "even" },
        { dtype: "int32" },
        ...(name.startsWith("bdia") ? [{ gamma: 2 }, { gamma: Number.NaN }] : []),
      ],
      nonFinite: [() => run(network, [[1, Number.NaN, 2, 3]], { steps: 3 })],
    },
    { describe, it, expect },
  );
}
