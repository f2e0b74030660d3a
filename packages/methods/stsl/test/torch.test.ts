import { type Denoiser, discreteSchedule, levelTensors, trainingLevel, withGuidance } from "@offprint/diffusion";
import { matmul, random, stack, type Tensor, tanh, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  hessianTrace,
  type LatentModel,
  ldps,
  matrixMeasurement,
  p2l,
  psld,
  type StslOptions,
  stsl,
  stslEdit,
  surrogateLogLikelihood,
  tmpd,
  tweedieCovariance,
} from "../src/index.js";
import fixture from "./fixtures/torch.json" with { type: "json" };

const float = (values: unknown) => tensor(values as number[], { dtype: "float64" });
const weights = Object.fromEntries(Object.entries(fixture.weights).map(([name, value]) => [name, float(value)]));
const [source, target, y] = [fixture.source, fixture.target, fixture.y].map(float);
const schedule = discreteSchedule({ betas: "scaledLinear" });

/** The network of the fixtures. */
const network: Denoiser = {
  prediction: "noise",
  schedule,
  predict(z, { alpha, sigma, timestep }, told) {
    const place = stack([alpha, sigma, timestep.div(1000)]).reshape([1, 3]);
    const hidden = matmul(z, weights["state"])
      .add(matmul(told as Tensor, weights["told"]))
      .add(matmul(place, weights["level"]));
    return matmul(tanh(hidden), weights["out"]).add(z.mul(0.5));
  },
};
const bent: LatentModel = {
  denoiser: network,
  encode: (x) => tanh(matmul(x, weights["encoder"])),
  decode: (z) => {
    const flat = matmul(z, weights["decoder"]);
    return tanh(flat).add(flat.mul(0.2));
  },
  latentShape: [3],
};
const guided: LatentModel = { ...bent, denoiser: withGuidance(network, float(fixture.null), 2.5) };
const measurement = matrixMeasurement(weights["matrix"]);
const seed = "fixture";
const common = { steps: 4, seed, condition: source };

describe("step by step as PyTorch's autograd from the equations", () => {
  it("begins with the noises that the fixtures were made with", () => {
    const expected = new Map<string, unknown>(Object.entries(fixture.noises));
    const normal = (name: string) => random.rng(`${seed}/${name}`).normal([2, 3], { dtype: "float64" });
    const pair = (name: string, gaussian: boolean) => {
      const rng = random.rng(`${seed}/${name}`);
      const one = () =>
        gaussian ? rng.normal([2, 3], { dtype: "float64" }) : rng.bernoulli([2, 3]).cast("float64").mul(2).sub(1);
      return stack([one(), one()]);
    };
    const made: [string, Tensor][] = [
      ["initial", normal("initial")],
      ["trace", pair("probe", true)],
    ];
    for (let k = 1; k <= 4; k++) {
      made.push([`fresh/${k}`, normal(`${k}`)]);
      for (let j = 1; j <= 2; j++) {
        made.push([`gaussian/${k}/${j}`, pair(`${k}/${j}/probe`, true)]);
        made.push([`rademacher/${k}/${j}`, pair(`${k}/${j}/probe`, false)]);
      }
    }
    expect(made.map(([name]) => name).sort()).toEqual([...expected.keys()].sort());
    for (const [name, noise] of made) expectClose(noise, expected.get(name) as number[], 0);
  });

  const cases: Record<string, StslOptions> = {
    plain: { corrections: 2 },
    probes: { corrections: 2, stepSize: 0.3, traceWeight: 0.4, probes: 2, probeScale: 0.3, eta: 0.5 },
    signs: {
      corrections: 1,
      stepSize: 0.3,
      traceWeight: 0.4,
      probe: "rademacher",
      probes: 2,
      eta: 0,
      initial: "noise",
    },
    jvp: { corrections: 2, stepSize: 0.3, traceWeight: 0.4, trace: "jvp", probes: 2, initial: "noise" },
    exact: { corrections: 2, stepSize: 0.3, traceWeight: 0.4, trace: "exact" },
    anew: { corrections: 2, stepSize: 0.3, traceWeight: 0.4, reuseScore: false },
    "from half": { corrections: 2, stepSize: 0.3, traceWeight: 0.4, startFraction: 0.5 },
    offset: { corrections: 1, stepSize: 0.3, traceWeight: 0.4, offset: 1 },
  };
  const runs: Record<string, readonly (readonly number[])[]> = fixture.runs;

  it.each(Object.entries(cases))("STSL: %s", async (name, options) => {
    const { z } = await stsl(bent, measurement, y, { ...common, ...options });
    expectClose(z, runs[name], 1e-10);
  });

  it("STSL and the baselines under guidance", async () => {
    expectClose((await stsl(guided, measurement, y, { ...common, ...cases["probes"] })).z, runs["guided"], 1e-10);
    expectClose((await ldps(guided, measurement, y, { ...common, stepSize: 0.8 })).z, runs["ldps"], 1e-10);
    for (const glue of ["transpose", "pseudoInverse"] as const) {
      const { z } = await psld(guided, measurement, y, { ...common, omega: 0.9, gamma: 0.1, glue });
      expectClose(z, runs[`psld ${glue}`], 1e-10);
    }
    expectClose((await tmpd(guided, measurement, y, { ...common, deviation: 0.4 })).z, runs["tmpd"], 1e-10);
  });

  it("P2L, with its Adam on the condition and its projections, plain and under guidance", async () => {
    const plain = { stepSize: 0.5, embeddingSteps: 2, projectEvery: 2, projectionWeight: 0.7 };
    expectClose((await p2l(bent, measurement, y, { ...common, ...plain })).z, runs["p2l"], 1e-7);
    const strong = { stepSize: 0.5, learningRate: 0.05, projectEvery: 3 };
    expectClose((await p2l(guided, measurement, y, { ...common, ...strong })).z, runs["p2l guided"], 1e-7);
  });

  it("edits", async () => {
    for (const strength of [1, 0.6] as const) {
      const { edited } = await stslEdit(guided, measurement, y, {
        steps: 4,
        seed,
        ...cases["plain"],
        source,
        target,
        strength,
        editSteps: 5,
      });
      expectClose(edited as Tensor, fixture.edited[strength], 1e-10);
    }
  });

  it("traces, covariances and likelihoods", async () => {
    const level = trainingLevel(schedule, 500);
    const z = float(fixture.noises.initial);
    for (const trace of ["difference", "jvp", "exact"] as const) {
      const options = {
        difference: { probes: 2, probeScale: 0.2, seed },
        jvp: { probes: 2, seed },
        exact: {},
      }[trace];
      const found = await hessianTrace(guided.denoiser, z, level, { trace, condition: source, ...options });
      expectClose(found, fixture.traces[trace], 1e-10);
    }
    const at = levelTensors(level);
    const { covariance, ...expected } = fixture.likelihood;
    expectClose(tweedieCovariance(guided.denoiser, z, at, source), covariance, 1e-10);
    const options = { deviation: 0.4, condition: source };
    const found = surrogateLogLikelihood(guided, measurement, y, z, at, options);
    for (const name of ["firstOrder", "jensen", "surrogate"] as const) expectClose(found[name], expected[name], 1e-10);
    // The Hessian of this network is no negative definite one, so that its second sample has no normal posterior.
    expect(() => found.normal).toThrow(errorLike("ValueError", /^surrogateLogLikelihood: normal needs .* take jensen/));
  });
});
