import { type Layer, linear, mlp, sequential } from "@offprint/nn";
import {
  add,
  asTensor,
  checkOptions,
  exp,
  isTensor,
  jitSync,
  mean,
  moveAxis,
  mul,
  NonFiniteError,
  type Rng,
  requireFunction,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { type OdeSolving, type PlainOdeModel, solvingOptions } from "../fit/fit-options.js";
import { integrate } from "../integrate.js";
import { divergenceFromStandardNormal, maskedLogLikelihood } from "./masked-likelihood.js";
import {
  type GriddedSeries,
  type LatentNormal,
  type SeriesEncoderParameters,
  seriesEncoder,
} from "./series-encoder.js";

/** Options of {@link latentOde}. */
export interface LatentOdeOptions {
  /** Quantities that are seen, `d`. */
  readonly features: number;
  /** Numbers of the latent state (default 20). */
  readonly latent?: number;
  /** Numbers of mean and deviation that the encoder carries (default 50). */
  readonly state?: number;
  /** Width of the encoder's gates (default 40). */
  readonly gate?: number;
  /**
   * Rate of latent states: widths of hidden layers with tanh, or any layer from `[..., latent]` to the same (default the papers': tanh,
   * then eight layers with tanh, alternately `2 latent` and `latent` wide).
   */
  readonly rate?: Layer | readonly number[];
  /** From latent states to what is seen: likewise, to `[..., features]` (default one linear layer: no widths). */
  readonly decoder?: Layer | readonly number[];
  /** Standard deviation of what is seen about what is decoded, in the units of the values (default 0.01). */
  readonly deviation?: number;
  /** The times that are 0 and 1 to the equation, the first at or before all that is seen (default `[0, 1]`). */
  readonly span?: readonly [from: number, to: number];
}

/** Parameters of a {@link LatentOde}: a tree of float64 tensors. */
export interface LatentOdeParameters {
  /** Of the encoder. */
  readonly encoder: SeriesEncoderParameters;
  /** Of the rate. */
  readonly rate: unknown;
  /** Of the decoder. */
  readonly decoder: unknown;
}

/** Series of one update. */
export interface SeriesBatch extends GriddedSeries {
  /** Standard normal, `[n, latent]`: where in its distribution the first state lies. */
  readonly noise: Tensor;
  /** Weight of the divergence from the standard normal, a scalar. */
  readonly divergenceWeight: Tensor;
}

/** A batch with what the encoder makes of it. */
export interface EncodedBatch {
  /** The series. */
  readonly batch: SeriesBatch;
  /** Distribution of their first states. */
  readonly encoded: LatentNormal;
}

/** How series become batches. */
export interface SeriesBatchOptions {
  /** Series of one update; what is left over waits for another epoch. */
  readonly batchSize: number;
  /** Weight of the divergence, by epoch (default `max(0, 1 - 0.99^(epoch - 10))`). */
  readonly divergenceWeight?: number | ((epoch: number) => number);
}

/** How a prediction is solved. */
export type PredictorOptions = Omit<OdeSolving, "span" | "saveAt">;

/** What a model makes of series. */
export interface SeriesPrediction {
  /** `[n, m, d]`, in the units of the values. */
  readonly values: Tensor;
  /** Latent states, `[n, m, latent]`. */
  readonly states: Tensor;
  /** Distribution of the first states. */
  readonly encoded: LatentNormal;
  /** Evaluations of the rate. */
  readonly evaluations: number;
  /** Steps. */
  readonly steps: number;
}

/** What a prediction is of, beside the series. */
export interface PredictOptions {
  /** Times to predict at, growing, not before the span (default those of the series). */
  readonly times?: TensorLike;
  /** Where in its distribution each first state lies, `[n, latent]` (default 0: at the mean). */
  readonly noise?: Tensor;
}

/** A latent ODE: made by {@link latentOde}. */
export interface LatentOde {
  /** Draws first parameters. */
  init(rng: Rng): LatentOdeParameters;
  /** The model that `fitOde` and `fitLocally` train, with the negative evidence lower bound as its loss. */
  readonly model: PlainOdeModel<LatentOdeParameters, Tensor, SeriesBatch, EncodedBatch>;
  /** The span and the times of a solve for series: options of training. */
  solving(series: GriddedSeries): { readonly span: readonly [number, number]; readonly saveAt: readonly number[] };
  /** The batches of an epoch, in a random order: what training takes as data. */
  batches(series: GriddedSeries, options: SeriesBatchOptions): (epoch: number, rng: Rng) => Iterable<SeriesBatch>;
  /** A function that fills gaps, and looks ahead: compiled once for series of one shape. */
  predictor(
    options?: PredictorOptions,
  ): (params: LatentOdeParameters, series: GriddedSeries, options?: PredictOptions) => SeriesPrediction;
}

const names = ["features", "latent", "state", "gate", "rate", "decoder", "deviation", "span"];

/** The network of the papers: tanh, then eight layers with tanh of two widths in turn. */
function alternating(latent: number): Layer {
  const wide = linear({ inputs: latent, outputs: 2 * latent });
  const narrow = linear({ inputs: 2 * latent, outputs: latent });
  const pair = [wide, "tanh", narrow, "tanh"] as const;
  return sequential("tanh", ...pair, ...pair, ...pair, ...pair) as Layer;
}

/** A layer as it is, or one with hidden layers of the given widths. */
function layerOf(
  owner: string,
  name: string,
  given: Layer | readonly number[],
  inputs: number,
  outputs: number,
): Layer {
  if (Array.isArray(given)) {
    for (const width of given as readonly number[]) requireInteger(owner, `a width of ${name}`, width, 1);
    return mlp({ sizes: [inputs, ...(given as readonly number[]), outputs], activation: "tanh" }) as Layer;
  }
  requireObject(owner, name, given, "a layer, or widths of hidden ones");
  const { init, apply } = given as Layer;
  requireFunction(owner, `${name}.init`, init);
  requireFunction(owner, `${name}.apply`, apply);
  return given as Layer;
}

/**
 * A latent ODE of irregular series: a recurrent encoder runs backwards over what was seen, and gives a normal distribution of the
 * latent state at the first time; an equation carries the state on; a decoder gives what is seen at any time.
 *
 * @throws ValueError for options out of range.
 * @see Rubanova, Chen, Duvenaud, NeurIPS 2019; as in Pal et al., ICML 2021 and 2023.
 * @example const { params } = await fitOde(latent.model, latent.init(random.rng(0)), latent.batches(series, { batchSize: 32 }), { ...latent.solving(series), optimizer: adam(), epochs: 50 });
 */
export function latentOde(options: LatentOdeOptions): LatentOde {
  const owner = "latentOde";
  checkOptions(owner, options, names, ["features"]);
  const { features, latent = 20, state = 50, gate = 40, deviation = 0.01, span = [0, 1] } = options;
  for (const [name, extent] of Object.entries({ features, latent, state, gate })) {
    requireInteger(owner, name, extent, 1);
  }
  requirePositive(owner, "deviation", deviation);
  const [origin, end] = span;
  if (!(span.length === 2 && origin < end && Number.isFinite(end - origin))) {
    throw new ValueError(`${owner}: span is [${span}]; give two finite times, the first before the second`);
  }
  const encoder = seriesEncoder({ features, state, gate, latent });
  const rateLayer =
    options.rate === undefined ? alternating(latent) : layerOf(owner, "rate", options.rate, latent, latent);
  const decoder = layerOf(owner, "decoder", options.decoder ?? [], latent, features);
  const own = (times: readonly number[]) => times.map((t) => (t - origin) / (end - origin));

  const scaled = (of: string, series: GriddedSeries): GriddedSeries => {
    const { times, values, mask } = checkedSeries(of, series, features);
    const list = own(checkedTimes(of, times, origin));
    return { times: tensor(list, { dtype: "float64" }), values: float(values), mask: float(mask) };
  };
  const rate = (_t: Tensor, z: Tensor, params: LatentOdeParameters) => rateLayer.apply(params.rate, z);
  const decode = (params: LatentOdeParameters, states: Tensor) => decoder.apply(params.decoder, moveAxis(states, 0, 1));

  return {
    init: (rng) => {
      requireObject("LatentOde.init", "rng", rng, "a generator of random.rng(seed)");
      return {
        encoder: encoder.init(rng.fork("encoder")),
        rate: rateLayer.init(rng.fork("rate"), "float64"),
        decoder: decoder.init(rng.fork("decoder"), "float64"),
      };
    },
    model: {
      rate,
      prepare: (params, batch) => ({ batch, encoded: encoder.apply(params.encoder, batch) }),
      initial: (_, { encoded, batch }) => firstState(encoded, batch.noise),
      loss(params, { ys }, { batch, encoded }) {
        const { values, mask, divergenceWeight } = batch;
        const likelihood = maskedLogLikelihood(values, decode(params, ys), mask, deviation);
        return mean(sub(mul(divergenceFromStandardNormal(encoded), divergenceWeight), likelihood));
      },
    },
    solving(series) {
      const { times } = checkedSeries("LatentOde.solving", series, features);
      const list = checkedTimes("LatentOde.solving", times, origin);
      const saveAt = own(list);
      const last = saveAt.at(-1) as number;
      if (!(last > 0)) {
        throw new ValueError(
          `LatentOde.solving: the series end at ${list.at(-1)}, where the span begins; give series with later times`,
        );
      }
      return { span: [0, last], saveAt };
    },
    batches(series, batching) {
      const of = "LatentOde.batches";
      const { times, values, mask } = scaled(of, series);
      checkOptions(of, batching, ["batchSize", "divergenceWeight"], ["batchSize"]);
      const { batchSize, divergenceWeight = (epoch: number) => Math.max(0, 1 - 0.99 ** (epoch - 10)) } = batching;
      const [n] = values.shape;
      requireInteger(of, "batchSize", batchSize, 1, n);
      requireSeenFinite(of, values, mask);
      const weightIn = (epoch: number) => {
        const weight = typeof divergenceWeight === "number" ? divergenceWeight : divergenceWeight(epoch);
        requireNonNegative(of, "divergenceWeight", weight);
        return tensor(weight, { dtype: "float64" });
      };
      weightIn(0);
      return function* (epoch, rng) {
        const weight = weightIn(epoch);
        const order = rng.permutation(n);
        for (let from = 0; from + batchSize <= n; from += batchSize) {
          const rows = order.slice([{ start: from, stop: from + batchSize }]);
          yield {
            times,
            values: take(values, rows, 0),
            mask: take(mask, rows, 0),
            noise: rng.normal([batchSize, latent], { dtype: "float64" }),
            divergenceWeight: weight,
          };
        }
      };
    },
    predictor(solving = {}) {
      const of = "LatentOde.predictor";
      checkOptions(of, solving, ["method", "tolerance", "maxSteps"]);
      const { span: _, ...settings } = solvingOptions<LatentOdeParameters>(of, solving);
      const solve = jitSync((params: LatentOdeParameters, series: GriddedSeries, times: Tensor, noise: Tensor) => {
        const encoded = encoder.apply(params.encoder, series);
        const [m] = times.shape;
        const whole = [0, times.slice([m - 1])] as const;
        const solved = integrate(rate, firstState(encoded, noise), whole, {
          ...settings,
          saveAt: times,
          parameters: params,
          adjoint: "none",
        });
        const { evaluations, steps, reached, ys } = solved;
        return { values: decode(params, ys), states: moveAxis(ys, 0, 1), encoded, evaluations, steps, reached };
      });
      return (params, series, at = {}) => {
        const predict = "LatentOde.predict";
        requireObject(predict, "params", params, "LatentOdeParameters");
        checkOptions(predict, at, ["times", "noise"]);
        const input = scaled(predict, series);
        requireSeenFinite(predict, input.values, input.mask);
        const [n] = input.values.shape;
        const times =
          at.times === undefined
            ? input.times
            : tensor(own(checkedTimes(predict, asTensor(at.times), origin)), { dtype: "float64" });
        const noise = at.noise ?? zeros([n, latent], "float64");
        if (noise.shape.join() !== [n, latent].join()) {
          throw new ShapeError(`${predict}: noise has shape [${noise.shape}]; give [${n}, ${latent}]`);
        }
        const { evaluations, steps, reached, ...prediction } = solve(params, input, times, float(noise));
        if (!reached.item()) {
          throw new NonFiniteError(
            `${predict}: the equation could not be solved to the last time in ${steps.item()} steps; give more maxSteps, or a larger tolerance`,
            { state: params },
          );
        }
        return { ...prediction, evaluations: evaluations.item(), steps: steps.item() };
      };
    },
  };
}

const float = (x: Tensor) => x.cast("float64");

/** A state of its distribution, with gradients through both (Kingma and Welling). */
function firstState({ mean: centre, logVariance }: LatentNormal, noise: Tensor): Tensor {
  return add(centre, mul(exp(mul(logVariance, 0.5)), noise));
}

function checkedSeries(owner: string, series: GriddedSeries, features: number): GriddedSeries {
  requireObject(owner, "series", series, "{ times, values, mask }");
  const { times, values, mask } = series;
  if (!isTensor(times) || !isTensor(values) || !isTensor(mask)) {
    throw new ValueError(
      `${owner}: times, values and mask must be tensors, such as tableSeries of @offprint/data gives`,
    );
  }
  const [n, m, d] = values.shape;
  if (values.rank !== 3 || n === 0 || times.shape.join() !== String(m) || mask.shape.join() !== values.shape.join()) {
    throw new ShapeError(
      `${owner}: values have shape [${values.shape}], mask [${mask.shape}], times [${times.shape}]; give [n, m, d], the same and [m]`,
    );
  }
  if (d !== features) {
    throw new ShapeError(`${owner}: the series have ${d} quantities; the model was made for ${features} features`);
  }
  return series;
}

function checkedTimes(owner: string, times: Tensor, origin: number): number[] {
  const list = Array.from(times.data());
  if (times.rank !== 1 || list.length === 0) {
    throw new ShapeError(`${owner}: times have shape [${times.shape}]; give a list, [m], that is not empty`);
  }
  list.forEach((t, k) => {
    if (!Number.isFinite(t) || t < origin || (k > 0 && !(t > list[k - 1]))) {
      throw new ValueError(
        `${owner}: time ${k} is ${t}; times must be finite, grow, and not lie before the span of the model, which begins at ${origin}`,
      );
    }
  });
  return list;
}

function requireSeenFinite(owner: string, values: Tensor, mask: Tensor): void {
  const [numbers, seen] = [values.data(), mask.data()];
  const [, m, d] = values.shape;
  for (let i = 0; i < numbers.length; i++) {
    if (seen[i] !== 0 && seen[i] !== 1) {
      throw new ValueError(`${owner}: the mask holds ${seen[i]}; give 1 where something was seen, else 0`);
    }
    if (seen[i] === 1 && !Number.isFinite(numbers[i])) {
      const [series, time] = [Math.floor(i / (m * d)), Math.floor(i / d) % m];
      throw new ValueError(
        `${owner}: series ${series} is ${numbers[i]} at time ${time}, quantity ${i % d}; leave it out of the mask`,
      );
    }
  }
}
