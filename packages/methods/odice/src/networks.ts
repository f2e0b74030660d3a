import { type FloatType, type Layer, layerNorm, linear, sequential } from "@offprint/nn";
import {
  checkOptions,
  cos,
  matmul,
  type Rng,
  relu,
  requireChoice,
  requireFunction,
  requireInteger,
  requireObject,
  requirePositive,
  reshape,
  stack,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** Parameters of layers one after the other. */
export type HiddenParams = readonly unknown[];

/** A value of observations with parameters: an object of one's own is enough. */
export interface ValueNetwork<P = unknown> {
  /** Draws parameters. */
  init(rng: Rng, dtype?: FloatType): P;
  /** Values `[batch]`, or `[2, batch]` for twins, of observations `[batch, ...]`. Traceable. */
  apply(params: P, observations: Tensor): Tensor;
  /** The last hidden layer, `[batch, features]`, where its co-adaptation is to be told. */
  features?(params: P, observations: Tensor): Tensor;
}

/** The shape of a network. */
export interface NetworkShape {
  /** Widths of hidden layers. */
  readonly hidden?: readonly number[];
  /** Whether each is normalised. */
  readonly layerNorm?: boolean;
  /** What the network sees of observations, such as {@link fourierFeatures}. Default themselves. */
  readonly features?: (observations: Tensor) => Tensor;
  /** Entries of what it sees, where `features` changes their number. */
  readonly featureCount?: number;
}

/** Options of {@link valueNetwork}. */
export interface ValueNetworkOptions extends NetworkShape {
  /** Entries of an observation. */
  readonly inputs: number;
  /** Two networks, of which targets take the least. Default true. */
  readonly twin?: boolean;
}

function requireWidths(owner: string, hidden: readonly number[]): void {
  if (!Array.isArray(hidden)) throw new ValueError(`${owner}: hidden is ${String(hidden)}; give a list of widths`);
  if (hidden.length === 0) throw new ValueError(`${owner}: hidden is empty; give the width of one layer or more`);
  hidden.forEach((width, i) => requireInteger(owner, `hidden[${i}]`, width, 1));
}

/** Hidden layers with ReLU. */
function hiddenLayers(inputs: number, hidden: readonly number[], normalised: boolean): Layer<HiddenParams> {
  const stages = hidden.flatMap((outputs, i) => [
    linear({ inputs: i === 0 ? inputs : hidden[i - 1], outputs }),
    ...(normalised ? [layerNorm({ features: outputs })] : []),
    relu,
  ]);
  return sequential(...stages) as unknown as Layer<HiddenParams>;
}

interface Half {
  readonly hidden: HiddenParams;
  readonly last: { readonly weight: Tensor; readonly bias?: Tensor };
}

/** The paper's value: hidden layers of 256 with ReLU and layer normalisation, twice. */
export function valueNetwork(options: ValueNetworkOptions): ValueNetwork<readonly Half[]> {
  const owner = "valueNetwork";
  checkOptions(owner, options, ["inputs", "hidden", "layerNorm", "features", "featureCount", "twin"], ["inputs"]);
  const { inputs, hidden = [256, 256], layerNorm: normalised = true, features, twin = true } = options;
  requireInteger(owner, "inputs", inputs, 1);
  requireWidths(owner, hidden);
  requireChoice(owner, "layerNorm", normalised, [true, false]);
  requireChoice(owner, "twin", twin, [true, false]);
  if (features !== undefined) requireFunction(owner, "features", features);
  if (options.featureCount !== undefined) requireInteger(owner, "featureCount", options.featureCount, 1);
  const seen = (x: Tensor): Tensor => (features === undefined ? x : features(x));
  const body = hiddenLayers(options.featureCount ?? inputs, hidden, normalised);
  const head = linear({ inputs: hidden[hidden.length - 1], outputs: 1 });
  const one = ({ hidden: params, last }: Half, x: Tensor): Tensor =>
    reshape(head.apply(last, body.apply(params, x)), [x.shape[0]]);
  return {
    init: (rng, dtype = "float32") =>
      Array.from({ length: twin ? 2 : 1 }, () => ({ hidden: body.init(rng, dtype), last: head.init(rng, dtype) })),
    apply(params, observations) {
      const x = seen(observations);
      return params.length === 1 ? one(params[0], x) : stack(params.map((half) => one(half, x)));
    },
    features: (params, observations) => body.apply(params[0].hidden, seen(observations)),
  };
}

/** A policy's means of actions `[batch, actions]`, with parameters. */
export interface PolicyNetwork<P = unknown> {
  /** Draws parameters. */
  init(rng: Rng, dtype?: FloatType): P;
  /** Means. Traceable. */
  apply(params: P, observations: Tensor): Tensor;
  /** Weights and biases one after the other, `[out, in]`, for files; absent for networks that are none of linear layers and ReLU. */
  layers?(params: P): readonly { readonly weight: Tensor; readonly bias: Tensor }[];
}

/** Options of {@link policyNetwork}. */
export interface PolicyNetworkOptions extends Pick<NetworkShape, "hidden"> {
  /** Entries of an observation. */
  readonly inputs: number;
  /** Entries of an action. */
  readonly outputs: number;
}

/** The paper's policy: hidden layers of 1024 with ReLU. */
export function policyNetwork(
  options: PolicyNetworkOptions,
): PolicyNetwork<readonly { weight: Tensor; bias: Tensor }[]> {
  const owner = "policyNetwork";
  checkOptions(owner, options, ["inputs", "outputs", "hidden"], ["inputs", "outputs"]);
  const { inputs, outputs, hidden = [1024, 1024] } = options;
  requireInteger(owner, "inputs", inputs, 1);
  requireInteger(owner, "outputs", outputs, 1);
  requireWidths(owner, hidden);
  const widths = [inputs, ...hidden, outputs];
  const stages = widths.slice(1).map((out, i) => linear({ inputs: widths[i], outputs: out }));
  return {
    init: (rng, dtype = "float32") =>
      stages.map((stage) => {
        const { weight, bias } = stage.init(rng, dtype);
        return { weight, bias: bias ?? weight.slice([0]).mul(0) };
      }),
    apply: (params, observations) =>
      stages.reduce((x, stage, i) => {
        const y = stage.apply(params[i], x);
        return i < stages.length - 1 ? relu(y) : y;
      }, observations),
    layers: (params) => params.map(({ weight, bias }) => ({ weight: weight.transpose(), bias })),
  };
}

/** Options of {@link fourierFeatures}. */
export interface FourierOptions {
  /** Entries of an observation. */
  readonly inputs: number;
  /** Number of features. Default 128. */
  readonly count?: number;
  /** Standard deviation of the frequencies, > 0. Default 3. */
  readonly scale?: number;
  /** Maps observations to about [-1, 1] first. Default none. */
  readonly map?: (observations: Tensor) => TensorLike;
}

/**
 * Random features `cos(F^T x + phase)`, drawn once and not trained: with them a value can vary from place to place, as it must for states outside the data
 * to be told from those inside.
 */
export function fourierFeatures(rng: Rng, options: FourierOptions): (observations: Tensor) => Tensor {
  requireObject("fourierFeatures", "rng", rng, "a generator of random.rng(seed)");
  const owner = "fourierFeatures";
  checkOptions(owner, options, ["inputs", "count", "scale", "map"], ["inputs"]);
  const { inputs, count = 128, scale = 3, map } = options;
  requireInteger(owner, "inputs", inputs, 1);
  requireInteger(owner, "count", count, 1);
  requirePositive(owner, "scale", scale);
  const frequencies = rng.normal([inputs, count], { std: scale });
  const phases = rng.uniform([count], { high: 2 * Math.PI });
  return (observations) => {
    const x = map === undefined ? observations : tensor(map(observations));
    return cos(matmul(x, frequencies.cast(x.dtype)).add(phases.cast(x.dtype)));
  };
}
