import { type Layer, mlp, saveParameters } from "@offprint/nn";
import { adam } from "@offprint/optim";
import { add, exp, grad, greater, jitSync, mul, random, type Tensor, tensor, tree, where } from "@offprint/tensor-core";
import { centralDifferences, errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { trainOde } from "../src/fit/index.js";
import { integrate } from "../src/index.js";
import {
  divergenceFromStandardNormal,
  type GriddedSeries,
  type LatentOdeParameters,
  latentOde,
  loadLatentOde,
  maskedLogLikelihood,
  maskedMeanSquaredError,
  type SeriesEncoderParameters,
  saveLatentOde,
  seriesEncoder,
} from "../src/latent/index.js";

const rng = random.rng("latent");
const normal = (shape: number[]) => rng.normal(shape, { dtype: "float64" });

/** Series of two quantities at five times, of which a part was seen. */
const series: GriddedSeries = {
  times: f64([0, 0.1, 0.4, 0.5, 1]),
  values: normal([3, 5, 2]),
  mask: f64([1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [3, 5, 2]),
};
const sizes = { features: 2, state: 3, gate: 4, latent: 2 };
const encoder = seriesEncoder(sizes);
const weights = encoder.init(random.rng(1));

type Rows = number[][];
const rowsOf = (x: Tensor) => x.toArray() as Rows;

/** The encoder once more, in numbers, one series and one entry at a time. */
function encodedByHand(p: SeriesEncoderParameters, { times, values, mask }: GriddedSeries, n: number) {
  const dense = (x: number[], w: Rows, b?: number[]) =>
    w[0].map((_, j) => x.reduce((sum, xi, i) => sum + xi * w[i][j], b?.[j] ?? 0));
  const layer = (x: number[], { weight, bias }: { weight: Tensor; bias?: Tensor }) =>
    dense(x, rowsOf(weight), bias?.toArray() as number[] | undefined);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const t = times.toArray() as number[];
  const x = (values.toArray() as number[][][])[n];
  const seen = (mask.toArray() as number[][][])[n];
  const { state, gate } = sizes;
  let [mean, deviation] = [new Array(state).fill(0), new Array(state).fill(0)];
  let next = t[t.length - 1];
  for (let k = t.length - 1; k >= 0; k--) {
    if (!seen[k].some((s) => s > 0)) continue;
    const input = [...x[k].map((v, j) => v * seen[k][j]), ...seen[k], next - t[k]];
    next = t[k];
    const of = layer(input, p.seen);
    const gates = layer([...mean, ...deviation], p.gates);
    const first = (i: number) => of.slice(i * gate, (i + 1) * gate);
    const open = (i: number) => first(i).map((v, j) => Math.tanh(v + gates[i * gate + j]));
    const update = layer(open(0), p.update).map(sigmoid);
    const reset = layer(open(1), p.reset).map(sigmoid);
    const memory = layer([...mean.map((v, j) => v * reset[j]), ...deviation.map((v, j) => v * reset[j])], p.memory);
    const candidate = layer(
      first(2).map((v, j) => Math.tanh(v + memory[j])),
      p.candidate,
    );
    mean = mean.map((v, j) => (1 - update[j]) * candidate[j] + update[j] * v);
    deviation = deviation.map((v, j) => Math.abs((1 - update[j]) * Math.abs(candidate[state + j]) + update[j] * v));
  }
  const [inner, outer] = p.head;
  const out = layer(layer([...mean, ...deviation], inner).map(Math.tanh), outer);
  return { mean: out.slice(0, sizes.latent), logVariance: out.slice(sizes.latent) };
}

describe("the encoder", () => {
  const encoded = encoder.apply(weights, series);

  it("is the gated unit, backwards over what was seen", () => {
    for (let n = 0; n < 3; n++) {
      const { mean, logVariance } = encodedByHand(weights, series, n);
      expectClose(encoded.mean.slice([n]), mean, 1e-13);
      expectClose(encoded.logVariance.slice([n]), logVariance, 1e-13);
    }
  });

  it("does not look at what was not seen, not even where it is no number", () => {
    const values = where(greater(series.mask, 0), series.values, Number.NaN);
    const slope = grad((w: typeof weights) => encoder.apply(w, { ...series, values }).mean.sum())(weights);
    expect(tree.leaves<Tensor>(slope).every((x) => x.data().every(Number.isFinite))).toBe(true);
    expectClose(encoder.apply(weights, { ...series, values }).mean, encoded.mean, 0);
  });

  it("gives series one by one what it gives them together", () => {
    const [values, mask] = [series.values.slice([{ start: 1, stop: 2 }]), series.mask.slice([{ start: 1, stop: 2 }])];
    expectClose(
      encoder.apply(weights, { ...series, values, mask }).mean,
      encoded.mean.slice([{ start: 1, stop: 2 }]),
      1e-15,
    );
  });
});

describe("losses", () => {
  it("are normal densities of what was seen", () => {
    const predicted = normal([3, 5, 2]);
    const [x, m, p] = [series.values, series.mask, predicted].map((of) => Array.from(of.data()));
    const expected = [0, 1, 2].map((n) => {
      let [sum, count] = [0, 0];
      for (let i = n * 10; i < n * 10 + 10; i++) {
        if (m[i] === 0) continue;
        count++;
        sum += Math.log(Math.exp(-((x[i] - p[i]) ** 2) / (2 * 0.25)) / (0.5 * Math.sqrt(2 * Math.PI)));
      }
      return count === 0 ? 0 : sum / count;
    });
    expectClose(maskedLogLikelihood(series.values, predicted, series.mask, 0.5), expected, 1e-12);
    const squares = x.reduce((sum, v, i) => sum + m[i] * (v - p[i]) ** 2, 0);
    const count = m.reduce((a, b) => a + b, 0);
    expectClose(maskedMeanSquaredError(series.values, predicted, series.mask), squares / count, 1e-14);
    expect(maskedMeanSquaredError(series.values, predicted, series.mask.mul(0)).item()).toBe(0);
    expect(() => maskedLogLikelihood(series.values, predicted, series.times, 1)).toThrow(
      errorLike("ShapeError", /\[5\]/),
    );
    expect(() => maskedLogLikelihood(series.values, predicted, series.mask, 0)).toThrow(
      errorLike("ValueError", /deviation/),
    );
  });

  it("the divergence is the integral of log q / p", () => {
    const [mu, variance] = [0.3, 0.5];
    const divergence = divergenceFromStandardNormal({ mean: f64([[mu]]), logVariance: f64([[Math.log(variance)]]) });
    let integral = 0;
    for (let z = -12; z < 12; z += 1e-3) {
      const q = Math.exp(-((z - mu) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
      integral += 1e-3 * q * (-((z - mu) ** 2) / (2 * variance) - 0.5 * Math.log(variance) + (z * z) / 2);
    }
    expectClose(divergence, [integral], 1e-9);
    expectClose(divergenceFromStandardNormal({ mean: f64([[0, 0]]), logVariance: f64([[0, 0]]) }), [0], 0);
  });
});

const latent = latentOde({ ...sizes, rate: [5], deviation: 0.3, span: [0, 2] });
const start = latent.init(random.rng(2));
const noise = normal([3, 2]);
const tight = { tolerance: 1e-9 };

describe("a latent ODE", () => {
  it("predicts what its equation says, in its own time", () => {
    const { values, states, encoded, evaluations, steps } = latent.predictor(tight)(start, series, { noise });
    const first = encoder.apply(start.encoder, { ...series, times: series.times.div(2) });
    expectClose(encoded.mean, first.mean, 1e-14);
    const z0 = add(first.mean, mul(exp(mul(first.logVariance, 0.5)), noise));
    expectClose(states.slice([null, 0]), z0, 1e-14);
    const z1 = integrate((t: Tensor, z: Tensor) => latent.model.rate(t, z, start), z0, [0, 0.5], {
      relativeTolerance: 1e-10,
      absoluteTolerance: 1e-10,
    }).y;
    expectClose(states.slice([null, 4]), z1, 1e-8);
    const decoder = start.decoder as [{ weight: Tensor; bias: Tensor }];
    expectClose(values.slice([null, 4]), add(z1.matmul(decoder[0].weight), decoder[0].bias), 1e-8);
    expect(evaluations).toBe(2 + 6 * steps);
  });

  it("predicts at any times, ahead too", () => {
    const predict = latent.predictor(tight);
    const { values } = predict(start, series);
    const more = predict(start, series, { times: [0.2, 1, 3] }).values;
    expect(more.shape).toEqual([3, 3, 2]);
    expectClose(more.slice([null, 1]), values.slice([null, 4]), 1e-7);
  });

  it("has the evidence lower bound for a loss, with gradients by differences", () => {
    const batch = { ...series, times: series.times.div(2), noise, divergenceWeight: f64(0.7) };
    const loss = jitSync((params: LatentOdeParameters) => {
      const seen = latent.model.prepare?.(params, batch) as never;
      const first = latent.model.initial(params, seen);
      const solved = integrate(latent.model.rate, first, [0, 0.5], {
        parameters: params,
        saveAt: batch.times,
        initialStep: 0.1,
        relativeTolerance: 1e-8,
        absoluteTolerance: 1e-8,
      });
      return latent.model.loss(params, solved, seen);
    });
    const { values, encoded } = latent.predictor(tight)(start, series, { noise });
    const likelihood = maskedLogLikelihood(series.values, values, series.mask, 0.3);
    const bound = divergenceFromStandardNormal(encoded).mul(0.7).sub(likelihood).mean().item();
    expectClose(loss(start), bound, 1e-7);
    const slopes = grad(loss)(start);
    // Along a few directions: each weighs all parameters.
    for (let k = 0; k < 3; k++) {
      const along = tree.map((x: Tensor) => rng.normal(x.shape, { dtype: "float64" }), start);
      const slope = tree
        .leaves<Tensor>(slopes)
        .reduce((sum, x, i) => sum + x.mul(tree.leaves<Tensor>(along)[i]).sum().item(), 0);
      const at = ([h]: Float64Array) =>
        loss(tree.map((x: Tensor, d: Tensor) => add(x, mul(d, h)), start, along)).item();
      expectClose(slope, centralDifferences(at, Float64Array.of(0))[0], { relative: 1e-6, absolute: 1e-7 });
    }
  });

  it("trains, with batches of one shape and a weight of the divergence that grows", async () => {
    const batches = latent.batches(series, { batchSize: 2 });
    const [only, ...others] = batches(11, random.rng(0));
    expect(others).toEqual([]);
    expect(only.values.shape).toEqual([2, 5, 2]);
    expectClose(only.divergenceWeight, 0.01, 1e-15);
    expect([...batches(3, random.rng(0))][0].divergenceWeight.item()).toBe(0);
    expectClose(only.times, series.times.div(2), 0);
    const { history, params } = await trainOde<LatentOdeParameters, typeof only, null>(
      "a test",
      {
        judge(p, batch) {
          const seen = latent.model.prepare?.(p, batch) as never;
          const solved = integrate(latent.model.rate, latent.model.initial(p, seen), [0, 0.5], {
            parameters: p,
            saveAt: latent.solving(series).saveAt,
          });
          return { loss: latent.model.loss(p, solved, seen), solved };
        },
        draws: () => () => null,
      },
      start,
      batches,
      { optimizer: adam({ learningRate: 0.02 }), epochs: 40 },
    );
    expect(history.at(-1)?.loss).toBeLessThan(0.5 * history[0].loss);
    expect(latent.predictor()(params, series).values.shape).toEqual([3, 5, 2]);
  });

  it("says so where an equation needs more steps than there are, in place of divergence", async () => {
    const rate = (_: Tensor, y: Tensor, p: Tensor) => mul(y, p);
    const judge = (p: Tensor, y: Tensor) => {
      const solved = integrate(rate, y, [0, 1], { parameters: p, maxSteps: 3 });
      return { loss: solved.y, solved };
    };
    const data = () => [f64([1], [])];
    const options = { optimizer: adam(), epochs: 1 };
    await expect(trainOde("a test", { judge, draws: () => () => null }, f64([-40], []), data, options)).rejects.toThrow(
      errorLike("NonFiniteError", /epoch 0, batch 0.*not solved to its end in 3 steps.*more maxSteps/),
    );
    const infinite = (p: Tensor, y: Tensor) => ({ ...judge(p, y), loss: mul(p, mul(y, Number.POSITIVE_INFINITY)) });
    await expect(
      trainOde("a test", { judge: infinite, draws: () => () => null }, f64([0.1], []), data, options),
    ).rejects.toThrow(errorLike("NonFiniteError", /training diverged/));
  });

  it("refuses what makes no sense", () => {
    expect(() => latentOde({ features: 0 })).toThrow(errorLike("ValueError", /features/));
    expect(() => latentOde({ features: 1, deviation: 0 })).toThrow(errorLike("ValueError", /deviation/));
    expect(() => latentOde({ features: 1, span: [1, 1] })).toThrow(errorLike("ValueError", /span/));
    expect(() => latentOde({ features: 1, rate: [0] })).toThrow(errorLike("ValueError", /width of rate/));
    expect(() => latentOde({ features: 1, rate: {} as never })).toThrow(errorLike("ValueError", /rate.init/));
    const batches = (given: Partial<GriddedSeries>, batchSize = 1) =>
      latent.batches({ ...series, ...given }, { batchSize });
    expect(() => batches({}, 4)).toThrow(errorLike("ValueError", /batchSize/));
    expect(() => batches({ values: series.values.div(0) })).toThrow(
      errorLike("ValueError", /series 0 is .* at time 0/),
    );
    expect(() => batches({ mask: series.mask.mul(2) })).toThrow(errorLike("ValueError", /mask holds 2/));
    expect(() => batches({ mask: series.mask.slice([0]) })).toThrow(errorLike("ShapeError", /mask \[5,2\]/));
    expect(() => batches({ times: series.times.mul(-1) })).toThrow(
      errorLike("ValueError", /times must be finite, grow/),
    );
    expect(() => batches({ values: undefined as never })).toThrow(errorLike("ValueError", /must be tensors/));
    expect(() => latentOde({ features: 3 }).batches(series, { batchSize: 1 })).toThrow(
      errorLike("ShapeError", /2 quantities/),
    );
    expect(() => latent.batches(series, { batchSize: 1, divergenceWeight: -1 })).toThrow(
      errorLike("ValueError", /divergenceWeight/),
    );
    const one = { times: f64([0]), values: f64([1, 1], [1, 1, 2]), mask: f64([1, 1], [1, 1, 2]) };
    expect(() => latent.solving(one)).toThrow(errorLike("ValueError", /later times/));
    const predict = latent.predictor();
    expect(() => predict(start, series, { times: [-1] })).toThrow(errorLike("ValueError", /time 0 is -1/));
    expect(() => predict(start, series, { noise: tensor([1]) })).toThrow(errorLike("ShapeError", /noise/));
    expect(() => latent.predictor({ maxSteps: 1, tolerance: 1e-12 })(start, series)).toThrow(
      errorLike("NonFiniteError", /maxSteps/),
    );
    expect(() => latent.predictor({ tolerance: 2 })).toThrow(errorLike("ValueError", /tolerance/));
  });

  it("of series of which nothing was seen are those of the encoder's bias: finite, without a likelihood", () => {
    const nothing = { ...series, mask: series.mask.mul(0) };
    const { values, encoded } = latent.predictor()(start, nothing);
    expect(values.data().every(Number.isFinite)).toBe(true);
    expectClose(encoded.mean.slice([0]), encoded.mean.slice([1]), 0);
    expectClose(maskedLogLikelihood(series.values, values, nothing.mask, 0.1), [0, 0, 0], 0);
  });
});

describe("the file of a latent ODE", () => {
  const options = { features: 2, latent: 2, state: 3, gate: 4, rate: [3], deviation: 0.1, span: [0, 2] } as const;
  const params = latentOde(options).init(random.rng(4));

  it("has the model, its parameters and what is known of it", () => {
    const about = { names: ["a", "b"] };
    const read = loadLatentOde(saveLatentOde({ options, params, about }));
    expect([read.options, read.about]).toEqual([options, about]);
    const [before, after] = [latentOde(options), read.latent].map((model) => model.predictor()(params, series).values);
    expectClose(after, before, 0);
    expect(tree.toJson(read.params)).toBe(tree.toJson(params));
    expect(loadLatentOde(saveLatentOde({ options, params })).about).toEqual({});
  });

  it("describes no layers of one's own, and is not any other file", () => {
    const own = { ...options, rate: mlp({ sizes: [2, 2] }) as Layer };
    expect(() => saveLatentOde({ options: own, params })).toThrow(errorLike("ValueError", /rate is a layer/));
    expect(() => loadLatentOde(saveParameters(params))).toThrow(errorLike("FormatError", /offprint latent-ode 1/));
    expect(() => loadLatentOde(new Uint8Array(3))).toThrow(errorLike("FormatError", /./));
    const more = saveLatentOde({ options: { ...options, latent: 1e9 }, params });
    expect(() => loadLatentOde(more)).toThrow(errorLike("FormatError", /./));
    const none = saveLatentOde({ options: { ...options, features: 0 }, params });
    expect(() => loadLatentOde(none)).toThrow(errorLike("FormatError", /features/));
  });
});
