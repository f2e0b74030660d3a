import { writeOnnxGraph } from "@offprint/onnx-format";
import {
  add,
  cast,
  checkOptions,
  cos,
  greater,
  hostTensor,
  jitSync,
  matmul,
  random,
  relu,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  sigmoid,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import {
  type NetworkActivation,
  type NetworkConstants,
  type Neuron,
  networkConstants,
  neuronSampler,
  uniformDraws,
} from "./neurons.js";
import { requireFunction } from "./require-function.js";
import type { SparseFourier } from "./sparse-fourier.js";

/** `outputBias + sum_j output_j activation(hidden_j.x + bias_j)`. */
export interface TwoLayerNetwork {
  /** What hidden units do. */
  readonly activation: NetworkActivation;
  /** `[n, d]`, float64. */
  readonly hidden: Tensor;
  /** `[n]` */
  readonly bias: Tensor;
  /** `[n]` */
  readonly output: Tensor;
  /** A number. */
  readonly outputBias: number;
}

/** Options of `sampleNetwork`. */
export interface SampleNetworkOptions {
  /** n, an integer from 1 to 2^20. ReLUs get two more, for the linear part. */
  readonly width: number;
  /** `"cos"`, `"step"`, `"sigmoid"` or `"relu"`. All but the first represent the function on [0, P]^d only. Default `"cos"`. */
  readonly activation?: NetworkActivation;
  /** Draws at most, of which the first with an error up to `wanted` is taken, else the best. Default 1. */
  readonly bestOf?: number;
  /** An error that is good enough. Default 0. */
  readonly wanted?: number;
  /** Of sigmoids: their slope is a quarter of it. Default `50 sqrt(n)`. */
  readonly steepness?: number;
  /** Points of the estimates of errors, where they are not known exactly. Default 2000. */
  readonly points?: number;
  /** Of the draw. Default 0. */
  readonly seed?: number | string;
}

/** A network and how good it is. */
export interface SampledNetwork {
  /** The network. */
  readonly network: TwoLayerNetwork;
  /** L2 error, as a mean over a period: exact for cosines, else estimated at points. */
  readonly error: number;
  /** Standard error of an estimate of `error`; 0 where it is exact. */
  readonly standardError: number;
  /** Networks that were drawn. */
  readonly draws: number;
  /** What accuracies cost. */
  readonly constants: NetworkConstants;
}

/** Neurons of a network that is drawn, at most. */
export const mostWidth = 2 ** 20;

const optionNames = [
  "width",
  "activation",
  "bestOf",
  "wanted",
  "steepness",
  "points",
  "seed",
] as const satisfies readonly (keyof SampleNetworkOptions)[];

/**
 * A two-layer network that is the function in the mean, by Maurey's argument: hidden units are drawn in proportion to their
 * part in it, so that n of them have a mean squared error of `constants.error / n` whatever the dimension.
 *
 * @throws ValueError, ShapeError for what is out of range
 * @example
 * const { network, error } = sampleNetwork(u, { width: 1000, activation: "relu" });
 */
export function sampleNetwork(u: SparseFourier, options: SampleNetworkOptions): SampledNetwork {
  const owner = "sampleNetwork";
  requireFunction(owner, "u", u);
  checkOptions(owner, options, optionNames, ["width"]);
  const { width, activation = "cos", bestOf = 1, wanted = 0, points = 2000, seed = 0 } = options;
  requireInteger(owner, "width", width, 1, mostWidth);
  requireChoice(owner, "activation", activation, ["cos", "step", "sigmoid", "relu"]);
  requireInteger(owner, "bestOf", bestOf, 1);
  requireInteger(owner, "points", points, 2);
  const { steepness = 50 * Math.sqrt(width) } = options;
  requirePositive(owner, "steepness", steepness);
  const form = u.realForm();
  const constants = networkConstants(form, u.dimension, activation);
  const sampler = form.a.length === 0 ? undefined : neuronSampler(form, u.dimension, activation, steepness);
  const rng = random.rng(seed);
  const draw = uniformDraws(rng);
  let best: Omit<SampledNetwork, "draws" | "constants"> | undefined;
  for (let draws = 1; ; draws++) {
    const neurons = sampler === undefined ? [] : Array.from({ length: width }, () => sampler(draw));
    const network = assemble(u, neurons, activation);
    const found =
      activation === "cos"
        ? { error: exactError(u, neurons), standardError: 0 }
        : networkError(network, u, { points, seed: `${seed} points ${draws}` });
    if (best === undefined || found.error < best.error) best = { network, ...found };
    if (draws === bestOf || best.error <= wanted) return { ...best, draws, constants };
  }
}

function assemble(u: SparseFourier, neurons: readonly Neuron[], activation: NetworkActivation): TwoLayerNetwork {
  const { dimension: d, period } = u;
  const { constant, a, theta, k } = u.realForm();
  const extra = activation === "relu" && a.length > 0 ? 2 : 0;
  const n = Math.max(1, neurons.length + extra);
  const [hidden, bias, output] = [new Float64Array(n * d), new Float64Array(n), new Float64Array(n)];
  for (const [i, { j, slope, bias: shift, weight }] of neurons.entries()) {
    for (let axis = 0; axis < d; axis++) hidden[i * d + axis] = (slope * k[j * d + axis]) / period;
    bias[i] = shift;
    output[i] = weight / neurons.length;
  }
  let outputBias = constant;
  if (activation !== "cos") outputBias += a.reduce((sum, each, j) => sum + each * Math.cos(theta[j]), 0);
  // The tangent at 0 is no mean of ramps: two units make it exactly.
  for (let side = 0; side < extra; side++) {
    const sign = side === 0 ? 1 : -1;
    const at = neurons.length + side;
    for (const [j, each] of a.entries()) {
      const slope = -2 * Math.PI * each * Math.sin(theta[j]);
      for (let axis = 0; axis < d; axis++) hidden[at * d + axis] += (sign * slope * k[j * d + axis]) / period;
    }
    output[at] = sign;
  }
  return {
    activation,
    hidden: hostTensor(hidden, [n, d], "float64"),
    bias: hostTensor(bias, [n], "float64"),
    output: hostTensor(output, [n], "float64"),
    outputBias,
  };
}

/** By Parseval: cosines of other amplitudes. */
function exactError(u: SparseFourier, neurons: readonly Neuron[]): number {
  const { a } = u.realForm();
  const amplitudes = new Float64Array(a.length);
  for (const { j, weight } of neurons) amplitudes[j] += weight / neurons.length;
  return Math.sqrt(a.reduce((sum, each, j) => sum + (amplitudes[j] - each) ** 2 / 2, 0));
}

const activations: Readonly<Record<NetworkActivation, (z: Tensor) => Tensor>> = {
  cos,
  sigmoid,
  relu,
  step: (z) => cast(greater(z, 0), "float64"),
};

const forwards = new Map(
  Object.entries(activations).map(([name, activate]) => [
    name,
    jitSync((x: Tensor, hidden: Tensor, bias: Tensor, output: Tensor, outputBias: number) =>
      add(matmul(activate(add(matmul(x, hidden.transpose()), bias)), output), outputBias),
    ),
  ]),
);

/** Hidden units of so many points lie in memory at a time: 4096 points of a network of 8192. */
const mostUnits = 2 ** 25;

/**
 * What a network gives at points.
 *
 * @param x `[m, d]`
 * @returns `[m]`, float64
 */
export function evaluateNetwork(network: TwoLayerNetwork, x: TensorLike): Tensor {
  const owner = "evaluateNetwork";
  requireObject(owner, "network", network, "the `network` of sampleNetwork or certify");
  requireChoice(owner, "network.activation", network?.activation, ["cos", "step", "sigmoid", "relu"]);
  const points = tensor(x, { dtype: "float64" });
  const { activation, hidden, bias, output, outputBias } = network;
  const d = hidden.shape[1];
  if (points.shape.length !== 2 || points.shape[1] !== d) {
    throw new ShapeError(`${owner}: x is [${points.shape}]; give points [m, ${d}]`);
  }
  const [m] = points.shape;
  const forward = forwards.get(activation);
  const values = new Float64Array(m);
  const chunk = Math.max(1, Math.min(4096, Math.floor(mostUnits / output.size)));
  for (let from = 0; from < m && forward !== undefined; from += chunk) {
    const part = m <= chunk ? points : points.slice([{ start: from, stop: Math.min(m, from + chunk) }]);
    values.set(forward(part, hidden, bias, output, outputBias).data() as Float64Array, from);
  }
  return hostTensor(values, [m], "float64");
}

/**
 * The L2 distance of a network to a function, estimated at uniform points of a period.
 *
 * @param options `points`, 2000 unless given; `seed`, 0 unless given
 */
export function networkError(
  network: TwoLayerNetwork,
  u: SparseFourier,
  options: { readonly points?: number; readonly seed?: number | string } = {},
): { error: number; standardError: number } {
  const owner = "networkError";
  checkOptions(owner, options, ["points", "seed"]);
  requireFunction(owner, "u", u);
  const { points = 2000, seed = 0 } = options;
  requireInteger(owner, "points", points, 2);
  const x = random.rng(seed).uniform([points, u.dimension], { dtype: "float64" }).mul(u.period);
  const [wanted, given] = [u.evaluate(x).data(), evaluateNetwork(network, x).data()];
  const squares = Float64Array.from(wanted, (value, i) => (Number(value) - Number(given[i])) ** 2);
  const mean = squares.reduce((sum, each) => sum + each, 0) / points;
  const variance = squares.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (points - 1);
  const error = Math.sqrt(mean);
  // Of a root: the derivative of sqrt.
  return { error, standardError: error === 0 ? 0 : Math.sqrt(variance / points) / (2 * error) };
}

const operators: Readonly<Record<NetworkActivation, string>> = {
  cos: "Cos",
  sigmoid: "Sigmoid",
  relu: "Relu",
  step: "Greater",
};

/**
 * A network as an .onnx file: input `x` `[m, d]`, output `y` `[m]`, for any runtime.
 *
 * @param options `dtype`, `"float32"` unless given
 */
export function networkToOnnx(
  network: TwoLayerNetwork,
  options: { readonly dtype?: "float32" | "float64" } = {},
): Uint8Array {
  requireObject("networkToOnnx", "network", network, "a TwoLayerNetwork");
  const owner = "networkToOnnx";
  checkOptions(owner, options, ["dtype"]);
  const { dtype = "float32" } = options;
  requireChoice(owner, "dtype", dtype, ["float32", "float64"]);
  requireChoice(owner, "network.activation", network?.activation, ["cos", "step", "sigmoid", "relu"]);
  const { activation, hidden, bias, output, outputBias } = network;
  const constant = (name: string, values: Tensor) => {
    const data = values.data();
    return {
      name,
      type: dtype,
      shape: values.shape,
      data: dtype === "float32" ? Float32Array.from(data, Number) : Float64Array.from(data, Number),
    };
  };
  const step = activation === "step";
  return writeOnnxGraph({
    inputs: [{ name: "x", type: dtype, shape: ["m", hidden.shape[1]] }],
    outputs: [{ name: "y", type: dtype, shape: ["m"] }],
    constants: [
      constant("hidden", hidden.transpose()),
      constant("bias", bias),
      constant("output", output),
      constant("outputBias", tensor(outputBias, { dtype: "float64" })),
      ...(step ? [constant("zero", tensor(0, { dtype: "float64" }))] : []),
    ],
    nodes: [
      { operator: "MatMul", inputs: ["x", "hidden"], outputs: ["projected"] },
      { operator: "Add", inputs: ["projected", "bias"], outputs: ["shifted"] },
      {
        operator: operators[activation],
        inputs: step ? ["shifted", "zero"] : ["shifted"],
        outputs: [step ? "positive" : "activated"],
      },
      ...(step
        ? [
            {
              operator: "Cast",
              inputs: ["positive"],
              outputs: ["activated"],
              attributes: { to: dtype === "float32" ? 1 : 11 },
            },
          ]
        : []),
      { operator: "MatMul", inputs: ["activated", "output"], outputs: ["summed"] },
      { operator: "Add", inputs: ["summed", "outputBias"], outputs: ["y"] },
    ],
  });
}
