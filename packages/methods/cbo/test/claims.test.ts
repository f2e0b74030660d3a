import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { type OnnxRuntime, onnxRuntime } from "@offprint/onnx-runtime";
import { hostTensor, type Tensor, zeros } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { barriers } from "../claims/barriers.js";
import { closedForm } from "../claims/closed-form.js";
import { dimension } from "../claims/dimension.js";
import { hopIsGradient } from "../claims/hop-is-gradient.js";
import { claims } from "../claims/index.js";
import { CANYON_WELL } from "../claims/landscapes.js";
import { type Method, published } from "../claims/method.js";
import { proximalLimit } from "../claims/proximal-limit.js";
import { training } from "../claims/training.js";
import { type CboOptions, randomSearch, type SwarmResult } from "../src/index.js";

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

const holds = async (claim: Claim) => (await runClaim(claims, claim, { backend })).holds;

/** CBO with other options than the claim asks for. */
const withOptions = (other: CboOptions): Method => ({
  ...published,
  cbo: (problem, options) => published.cbo(problem, { ...options, ...other }),
});

/** The best of as many random points. */
const searching: Method["cbo"] = async (problem, options = {}) => {
  const swarm = await published.cbo(problem, { ...options, maxIterations: 0 });
  const { particles = 200, maxIterations = 250, mean = 0, std = 1, seed = 0 } = options;
  const { x } = await randomSearch(problem, { particles, maxIterations, mean, std, seed });
  return { ...swarm, x } as SwarmResult;
};

describe("claims fail for baselines and broken variants", () => {
  it("closed form: fails for a step that is explicit, or stays where it is", async () => {
    const explicit: Method["hopGradient"] = async (problem, x, options) => {
      const hop = await published.hopGradient(problem, x, { ...options, width: 0.01, alpha: 1 });
      const tau = options.alpha * options.width ** 2;
      return { ...hop, point: hop.gradient.mul(-tau).add(x as number[]) };
    };
    expect(await holds(closedForm({ ...published, hopGradient: explicit }, 3))).toBe(false);
    const still: Method["hopGradient"] = async (problem, x, options) => ({
      ...(await published.hopGradient(problem, x, options)),
      point: hostTensor(Float64Array.from(x as number[]), [3], "float64"),
    });
    expect(await holds(closedForm({ ...published, hopGradient: still }, 3))).toBe(false);
  });

  it("hop and gradient: fails for a step of another length", async () => {
    const longer: Method["hopGradient"] = async (problem, x, options) => {
      const hop = await published.hopGradient(problem, x, options);
      return { ...hop, gradient: hop.gradient.mul(1.1) };
    };
    expect(await holds(hopIsGradient({ ...published, hopGradient: longer }, 1e5))).toBe(false);
  });

  it("proximal limit: fails where alpha does not grow, and for the explicit step in the place of the limit", async () => {
    const lukewarm: Method["consensusPoint"] = (E, V, alpha) => published.consensusPoint(E, V, Math.min(alpha, 50));
    expect(await holds(proximalLimit({ ...published, consensusPoint: lukewarm }))).toBe(false);
    const explicit: Method["proximalStep"] = async () => hostTensor(Float64Array.of(3.3), [1], "float64");
    expect(await holds(proximalLimit({ ...published, proximalStep: explicit }))).toBe(false);
  });

  it("barriers: fails without noise, without weights, and for narrow hopping in the place of wide", async () => {
    // The competitors end where the claim wants them: descent at the minimiser of the smooth canyon and in the well of
    // the noisy one, Langevin's chains, which come after each, where they began.
    let next = 0;
    const ends = [[0, 0], undefined, [...CANYON_WELL], undefined];
    const gradientDescent: Method["gradientDescent"] = (problem, { initial }) =>
      published.gradientDescent(problem, { initial: ends[next++] ?? initial, maxIterations: 0 });
    const verdict = (method: Method) => {
      next = 0;
      return holds(barriers({ ...method, gradientDescent }, 2));
    };
    expect(await verdict(withOptions({ sigma: 0 }))).toBe(false);
    expect(await verdict(withOptions({ alpha: 0 }))).toBe(false);
    const consensusHopping: Method["consensusHopping"] = (problem, options) =>
      published.consensusHopping(problem, { ...options, width: 0.4 });
    expect(await verdict({ ...published, consensusHopping })).toBe(false);
  });

  it("ten dimensions: fails for isotropic noise throughout, and for random search", async () => {
    expect(await holds(dimension(withOptions({ noise: "isotropic", sigma: 0.5, maxIterations: 150 }), 1))).toBe(false);
    expect(await holds(dimension({ ...published, cbo: (p, o) => searching(p, { ...o, maxIterations: 30 }) }, 1))).toBe(
      false,
    );
  });

  it("training: fails where nobody moves", async () => {
    const once = { quick: 1, full: 1 };
    const unmoved: Method["cboTrain"] = (model, data, options) =>
      published.cboTrain(model, data, { ...options, epochs: 4, lambda: 0, sigma: 0 });
    expect(await holds(training({ ...published, cboTrain: unmoved }, once))).toBe(false);
    const nothing: Method["cboTrain"] = async (model, data, options) => ({
      ...(await published.cboTrain(model, data, { ...options, epochs: 0 })),
      theta: zeros([15]) as Tensor,
    });
    expect(await holds(training({ ...published, cboTrain: nothing }, once))).toBe(false);
  });
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    "closed-form-of-a-hop",
    "hop-is-weighted-gradient",
    "proximal-limit",
    "crosses-barriers",
    "anisotropic-noise-in-ten-dimensions",
    "training-without-gradients",
  ]);
});
