import {
  grad,
  hessian,
  jacobian,
  jitSync,
  linalg,
  random,
  sum,
  type Tensor,
  tensor,
  tile,
  trace,
  vmap,
} from "@offprint/tensor-core";
import { errorLike, expectClose, f64, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  continuousSchedule,
  convertPrediction,
  ddimSample,
  discreteSchedule,
  explodingSchedule,
  gaussianFlow,
  gaussianMixture,
  levelAt,
  levelAtRatio,
  levelTensors,
  type Prediction,
  predictAs,
  solveFlow,
  withGuidance,
} from "../src/index.js";
import { normal, someMixture } from "./problems.js";

const schedule = discreteSchedule({ betas: "scaledLinear" });
const levels = [0.01, 0.1, 0.3, 0.6, 1].map((t) => levelAt(schedule, t));

describe("a mixture's answers", () => {
  const mixture = someMixture(1, 3, 4);
  const z = normal(2, [5, 4]);

  it("score and Hessian are the derivatives of the density", () => {
    for (const level of levels.map((each) => levelTensors(each))) {
      const density = (x: Tensor) => sum(mixture.logDensity(x, level));
      expectClose(mixture.score(z, level), grad(density)(z), 1e-10);
      const each = vmap(hessian((x: Tensor) => sum(mixture.logDensity(x.reshape([1, 4]), level))))(z);
      expectClose(mixture.hessian(z, level), each, { absolute: 0, relative: 0, ofLargest: 1e-8 });
    }
  });

  it("the covariance of the data is sigma^2 / alpha times the derivative of its mean", () => {
    for (const level of levels) {
      const at = levelTensors(level);
      const slope = vmap(jacobian((x: Tensor) => mixture.data(x.reshape([1, 4]), at).reshape([4])))(z);
      expectClose(mixture.dataCovariance(z, at), slope.mul(level.sigma ** 2 / level.alpha), 1e-10);
    }
  });

  it("diagonal and isotropic variances are covariances", () => {
    const means = [
      [0, 1],
      [2, -1],
    ];
    const diagonal = gaussianMixture({
      means,
      variances: [
        [0.1, 0.2],
        [0.3, 0.4],
      ],
    });
    const full = gaussianMixture({
      means,
      covariances: [
        [
          [0.1, 0],
          [0, 0.2],
        ],
        [
          [0.3, 0],
          [0, 0.4],
        ],
      ],
    });
    const at = levelTensors(levels[2]);
    const x = normal(3, [6, 2]);
    for (const what of ["score", "data", "noise", "dataCovariance", "hessian", "logDensity"] as const) {
      expectClose(diagonal[what](x, at), full[what](x, at), 1e-12);
    }
    const round = gaussianMixture({ means, variances: [0.1, 0.2] });
    expectClose(
      round.covariances,
      [
        [
          [0.1, 0],
          [0, 0.1],
        ],
        [
          [0.2, 0],
          [0, 0.2],
        ],
      ],
      0,
    );
  });

  it("one component: the closed form of a normal distribution", () => {
    const single = someMixture(4, 1, 3);
    const at = levels[3];
    const x = normal(5, [2, 3]);
    const total = single.covariances
      .reshape([3, 3])
      .mul(at.alpha ** 2)
      .add(
        tensor(
          [
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
          ],
          { dtype: "float64" },
        ).mul(at.sigma ** 2),
      );
    const expected = linalg.solve(total, single.means.reshape([3]).mul(at.alpha).sub(x).transpose()).transpose();
    expectClose(single.score(x, levelTensors(at)), expected, 1e-12);
  });

  it("a level for every sample, and compiled: the same numbers", () => {
    const pair = [levels[1], levels[3]];
    const both = {
      t: f64(pair.map((l) => l.t)),
      timestep: f64(pair.map((l) => l.timestep)),
      alpha: f64(pair.map((l) => l.alpha)),
      sigma: f64(pair.map((l) => l.sigma)),
    };
    const x = z.slice([{ stop: 2 }]);
    const compiled = jitSync((states: Tensor, level: typeof both) => mixture.data(states, level));
    for (const [i, level] of pair.entries()) {
      const one = mixture.data(x.slice([{ start: i, stop: i + 1 }]), levelTensors(level));
      expectClose(mixture.data(x, both).slice([{ start: i, stop: i + 1 }]), one, 1e-14);
      expectClose(compiled(x, both).slice([{ start: i, stop: i + 1 }]), one, 1e-13);
    }
    expect(
      trace((states: Tensor) => mixture.score(states, levelTensors(levels[0])), { shape: [2, 4], dtype: "float64" }),
    ).toBeDefined();
  });

  it("a condition leaves some components; guidance goes beyond it", () => {
    const at = levelTensors(levels[2]);
    const own = mixture.only([1]);
    const alone = gaussianMixture({
      means: mixture.means.slice([{ start: 1, stop: 2 }]),
      covariances: mixture.covariances.slice([{ start: 1, stop: 2 }]),
    });
    expectClose(mixture.data(z, at, own), alone.data(z, at), 1e-12);
    const denoiser = mixture.denoiser(schedule);
    const guided = withGuidance(denoiser, mixture.weights.reshape([1, 3]), 2.5);
    const condition = tile(own.reshape([1, 3]), [5, 1]);
    const [none, with1] = [mixture.noise(z, at), mixture.noise(z, at, own)];
    expectClose(predictAs(guided, "noise", z, at, condition), none.add(with1.sub(none).mul(2.5)), 1e-12);
  });

  it("draws have the mixture's moments", () => {
    const { x, component } = mixture.sample(random.rng(6), 20000);
    const expected = mixture.weights.reshape([1, 3]).matmul(mixture.means).reshape([4]);
    expectClose(x.mean(0), expected, 0.03);
    expect(component.shape).toEqual([20000]);
    // The score of what noise is added to averages to nothing, as every density's does.
    const level = levels[3];
    const noisy = x.mul(level.alpha).add(normal(61, [20000, 4]).mul(level.sigma));
    expectClose(mixture.score(noisy, levelTensors(level)).mean(0), [0, 0, 0, 0], 0.04);
  });

  it("refuses parts that do not fit", async () => {
    expect(await failureOf(() => gaussianMixture({ means: [[0, 1]] }))).toEqual(
      errorLike("ValueError", /covariances or variances/),
    );
    expect(await failureOf(() => gaussianMixture({ means: [[0, 1]], variances: -1 }))).toEqual(
      errorLike("ValueError", /variance is -1/),
    );
    expect(await failureOf(() => gaussianMixture({ means: [[0, 1]], variances: 1, weights: [1, 2] }))).toEqual(
      errorLike("ShapeError", /weights/),
    );
    expect(await failureOf(() => mixture.only([7]))).toEqual(errorLike("ValueError", /component 7/));
  });
});

describe("the posterior of a linear measurement", () => {
  it("is proportional to prior times likelihood", () => {
    const mixture = someMixture(7, 2, 2);
    const a = f64([[0.7, -0.4]]);
    const [y, deviation] = [0.3, 0.2];
    const posterior = mixture.posterior(a, [y], deviation);
    const clean = { t: f64(0), timestep: f64(0), alpha: f64(1), sigma: f64(0) };
    const points = normal(8, [20, 2]);
    const likelihood = points
      .matmul(a.transpose())
      .reshape([20])
      .sub(y)
      .pow(2)
      .div(-2 * deviation ** 2);
    const gap = posterior.logDensity(points, clean).sub(mixture.logDensity(points, clean)).sub(likelihood);
    const values = [...gap.data()];
    expect(Math.max(...values) - Math.min(...values)).toBeLessThan(1e-9);
  });
});

describe("predictions", () => {
  it("are all the same thing at a level", () => {
    const [z, noise] = [normal(9, [3, 2]), normal(10, [3, 2])];
    const kinds: Prediction[] = ["noise", "data", "velocity", "score"];
    for (const level of levels.map((each) => levelTensors(each))) {
      for (const kind of kinds) {
        const output = convertPrediction(noise, "noise", kind, z, level);
        for (const other of kinds) {
          const direct = convertPrediction(noise, "noise", other, z, level);
          expectClose(convertPrediction(output, kind, other, z, level), direct, 1e-9);
        }
      }
    }
    const level = levels[2];
    const x0 = z.sub(noise.mul(level.sigma)).div(level.alpha);
    expectClose(
      convertPrediction(noise, "noise", "velocity", z, levelTensors(level)),
      noise.mul(level.alpha).sub(x0.mul(level.sigma)),
      1e-12,
    );
  });
});

describe("a velocity", () => {
  it("is none where noise explodes: refused, rather than taken for another", async () => {
    const denoiser = { prediction: "velocity", schedule: explodingSchedule(), predict: (x: Tensor) => x } as const;
    expect(await failureOf(() => ddimSample(denoiser, normal(11, [3, 2]), { steps: 3 }))).toEqual(
      errorLike("ValueError", /"velocity" is of variance-preserving schedules/),
    );
  });
});

describe("the exact flow", () => {
  it("solved numerically is the closed form for one component", async () => {
    for (const kind of [schedule, continuousSchedule()]) {
      const single = someMixture(11, 1, 3);
      const z = normal(12, [4, 3]);
      const [from, to] = [levelAt(kind, 1), levelAtRatio(kind, 1e-2)];
      const solved = await solveFlow(single.denoiser(kind), z, from, to, {
        relativeTolerance: 1e-10,
        absoluteTolerance: 1e-12,
      });
      expectClose(solved, gaussianFlow(single, z, from, to), 1e-8);
    }
  });

  it("needs noise at both ends, and one component for its closed form", async () => {
    const two = someMixture(13, 2, 2);
    const [from, to] = [levels[4], { ...levels[0], sigma: 0 }];
    expect(await failureOf(() => solveFlow(two.denoiser(schedule), normal(1, [1, 2]), from, to))).toEqual(
      errorLike("ValueError", /no noise/),
    );
    expect(await failureOf(() => gaussianFlow(two, normal(1, [1, 2]), from, levels[0]))).toEqual(
      errorLike("ValueError", /2 components/),
    );
  });
});
