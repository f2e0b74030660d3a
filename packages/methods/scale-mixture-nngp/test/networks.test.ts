import { condition, nngp, ntk } from "@offprint/gaussian-process";
import { matmul, random, special } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { expect, it } from "vitest";
import { type DenseArchitecture, sampleNetworks, wideNetworkLaw } from "../src/index.js";

const places = [-2.5, -1.2, 0.2, 1.5, 2.8];
const task = { x: places.map((v) => [v]), y: places.map(Math.sin), points: [[1], [-2], [0.7]] };
const shallow = { kind: "fullyConnected", depth: 1, activation: "erf", weightVariance: 9, biasVariance: 1 } as const;
const student = { kind: "inverseGamma", shape: 2, rate: 2 } as const;

it("the tangent kernel's law is the published one: means and sizes to five digits", () => {
  const { marginals } = wideNetworkLaw(shallow, student, task);
  expectClose(marginals.mean, [0.93191, -0.74494, 0.72234], { absolute: 1e-5 });
  expectClose(marginals.scale.sqrt(), [0.13858, 0.0458, 0.22288], { absolute: 1e-5 });
  expect(marginals.degreesOfFreedom).toBe(4);
});

it("with the last layer trained, the law is the Gaussian posterior with the prior's scale", () => {
  const trained = wideNetworkLaw(shallow, student, { ...task, trained: "last" });
  const posterior = condition(nngp({ ...shallow, readoutVariance: 1 }), task.x, task.y);
  expectClose(trained.marginals.mean, posterior.mean(task.points), 1e-6);
  expectClose(trained.covariance, posterior.covariance(task.points), 1e-6);
  expect(trained.marginals.degreesOfFreedom).toBe(4);
  // At a training point the network has its target, and nothing is left to chance.
  const seen = wideNetworkLaw(shallow, student, { ...task, points: task.x, trained: "last" });
  expectClose(seen.marginals.mean, task.y, 1e-6);
  expect(Math.max(...seen.covariance.data().map(Math.abs))).toBeLessThan(1e-6);
});

it("networks before training have the kernel's covariance times the mean of s, for every kind that is drawn", () => {
  const kinds: DenseArchitecture[] = [
    { kind: "fullyConnected", depth: 3, activation: "erf", weightVariance: 2 },
    { kind: "residual", blocks: 2 },
    { kind: "fullyConnected", depth: 2, activation: { apply: special.erf } },
  ];
  for (const architecture of kinds) {
    const prior = { kind: "gamma", shape: 4, rate: 2 } as const;
    const outputs = sampleNetworks(architecture, prior, { points: task.points }, { width: 128, count: 2000, seed: 4 });
    const sampled = matmul(outputs.transpose(), outputs).div(2000);
    const { covariance, marginals } = wideNetworkLaw(architecture, prior, { points: task.points });
    expectClose(sampled, covariance.mul(2), { ofLargest: 0.1 });
    expectClose(
      marginals.variance,
      [0, 4, 8].map((i) => 2 * covariance.data()[i]),
      1e-6,
    );
  }
});

it("a wide network's J J^T is the tangent kernel, so that an ensemble of trained ones predicts the law's mean", () => {
  const count = 60;
  for (const trained of ["last", "all"] as const) {
    const outputs = sampleNetworks(shallow, { kind: "point" }, { ...task, trained }, { width: 2048, count, seed: 2 });
    const { marginals } = wideNetworkLaw(shallow, { kind: "point" }, { ...task, trained });
    const off = outputs.mean(0).sub(marginals.mean).div(marginals.scale.sqrt());
    expect(Math.max(...off.data().map(Math.abs))).toBeLessThan(5 / Math.sqrt(count));
  }
  const deep = { kind: "residual", blocks: 1, activation: "erf" } as const;
  const deeper = sampleNetworks(deep, student, task, { width: 64, count: 40 });
  expect(deeper.shape).toEqual([40, 3]);
  expectClose(deeper.mean(0), wideNetworkLaw(deep, student, task).marginals.mean, { absolute: 0.5 });
});

it("kernels agree with wide networks' features, and the tangent kernel is more than the network's own", () => {
  const x = random.rng(1).normal([4, 3], { dtype: "float64" });
  for (const activation of ["relu", "erf"] as const) {
    const of = { kind: "fullyConnected", depth: 2, activation, readoutVariance: 1 } as const;
    const more = ntk(of).matrix(x).sub(nngp(of).matrix(x));
    for (let i = 0; i < 4; i++) expect(more.data()[5 * i]).toBeGreaterThan(0);
  }
});

it("refuses what does not fit, by name", () => {
  const bad =
    (change: object, options: object = {}, architecture: object = shallow) =>
    () =>
      sampleNetworks(architecture as never, student, { ...task, ...change } as never, options as never);
  const cases: [() => unknown, RegExp][] = [
    [bad({}, { width: 2 }), /width is 2/],
    [bad({}, { count: 0 }), /count is 0/],
    [bad({ y: [1] }), /y \[1\]; they must be \[n, 1\] and \[n\]/],
    [bad({ points: [1, 2] }), /points has shape \[2\]/],
    [bad({ trained: "first" }), /trained/],
    [bad({ x: undefined, y: undefined, trained: "last" }), /x has no points to train on/],
    [
      bad({}, {}, { kind: "convolutional", depth: 1, image: [1, 1, 1] }),
      /networks of kind "convolutional" are not drawn/,
    ],
    [() => wideNetworkLaw(shallow, { kind: "fitted" }, { points: [[1]] }), /"fitted" needs observations/],
    [() => wideNetworkLaw(shallow, student, { ...task, ridge: -1 }), /ridge is -1/],
  ];
  for (const [run, message] of cases) expect(run).toThrow(message);
});
