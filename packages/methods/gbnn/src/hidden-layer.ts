import type { ObjectiveWithGradient } from "@offprint/solvers";
import {
  add,
  div,
  jitSync,
  logSumExp,
  matmul,
  mul,
  type Rng,
  relu,
  reshape,
  sigmoid,
  slice,
  special,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  valueAndGrad,
} from "@offprint/tensor-core";

/** sigma: the activations of hidden units. */
export const activations = { logistic: sigmoid, tanh, relu, identity: (x: Tensor) => x } as const;

/** Activation of the hidden units. */
export type HiddenActivation = keyof typeof activations;

/** What a network with one hidden layer is fitted by, summed over the outputs of a sample. */
export type OutputLoss = "squared" | "logistic" | "softmax";

/** Extents of a network with one hidden layer. */
export interface HiddenLayerSize {
  /** d. */
  readonly features: number;
  /** J. */
  readonly units: number;
  /** K. */
  readonly outputs: number;
}

/** A network with one hidden layer: `b2 + W2^T sigma(W1 x + b1)`. All arrays are row-major. */
export interface HiddenLayer {
  /** W1, `[units, features]`. */
  readonly hiddenWeight: Float64Array;
  /** b1, `[units]`. */
  readonly hiddenBias: Float64Array;
  /** W2, `[units, outputs]`. */
  readonly outputWeight: Float64Array;
  /** b2, `[outputs]`. */
  readonly outputBias: Float64Array;
}

/** Where W1, b1, W2 and b2 begin in the vector of all parameters, and where it ends. */
function offsets({ features: d, units: J, outputs: K }: HiddenLayerSize) {
  const b1 = J * d;
  const W2 = b1 + J;
  const b2 = W2 + J * K;
  return { b1, W2, b2, end: b2 + K };
}

/** Length of the vector of all parameters: W1, b1, W2, b2. */
export function parameterCount(size: HiddenLayerSize): number {
  return offsets(size).end;
}

/** The parts of a parameter vector, as views into it. */
export function viewLayer(parameters: Float64Array, size: HiddenLayerSize): HiddenLayer {
  const { b1, W2, b2 } = offsets(size);
  return {
    hiddenWeight: parameters.subarray(0, b1),
    hiddenBias: parameters.subarray(b1, W2),
    outputWeight: parameters.subarray(W2, b2),
    outputBias: parameters.subarray(b2),
  };
}

/** Uniform in +-sqrt(c / (fan in + fan out)), biases too; c is 2 for logistic units, else 6. */
export function drawParameters(rng: Rng, size: HiddenLayerSize, activation: HiddenActivation): Float64Array {
  const { features: d, units: J, outputs: K } = size;
  const c = activation === "logistic" ? 2 : 6;
  const parameters = new Float64Array(parameterCount(size));
  const { hiddenWeight, hiddenBias, outputWeight, outputBias } = viewLayer(parameters, size);
  const fill = (part: Float64Array, beta: number) => {
    part.set(rng.uniform([part.length], { low: -beta, high: beta, dtype: "float64" }).data() as Float64Array);
  };
  for (const part of [hiddenWeight, hiddenBias]) fill(part, Math.sqrt(c / (d + J)));
  for (const part of [outputWeight, outputBias]) fill(part, Math.sqrt(c / (J + K)));
  return parameters;
}

/** Samples of a fit. They lie along the last axis, so that thin layers cost what their products cost. */
export interface FitSamples {
  /** X^T, `[features, samples]`, float64. */
  readonly x: Tensor;
  /** `[outputs, samples]`, float64: numbers for `squared`, 0 or 1 for `logistic`, one-hot for `softmax`. */
  readonly targets: Tensor;
}

/** A row-major matrix `[rows, width]` as the tensor `[width, rows]`. */
export function columnsOf(matrix: Float64Array, width: number): Tensor {
  const rows = matrix.length / width;
  const columns = transpose(tensor(matrix, { shape: [rows, width] }));
  return tensor(columns.data(), { shape: [width, rows] });
}

/** W1, b1, W2 and b2 of the vector of all parameters. */
function parts(parameters: Tensor, size: HiddenLayerSize) {
  const { features: d, units: J, outputs: K } = size;
  const { b1, W2, b2, end } = offsets(size);
  const part = (start: number, stop: number, shape: number[]) => reshape(slice(parameters, [{ start, stop }]), shape);
  return { W1: part(0, b1, [J, d]), b1: part(b1, W2, [J, 1]), W2: part(W2, b2, [J, K]), b2: part(b2, end, [K, 1]) };
}

/** f(x), `[outputs, samples]`. */
function outputsOf({ W1, b1, W2, b2 }: ReturnType<typeof parts>, x: Tensor, activation: HiddenActivation): Tensor {
  const H = activations[activation](add(matmul(W1, x), b1));
  return add(matmul(transpose(W2), H), b2);
}

/** The loss, summed over outputs and samples, `[outputs, samples]` both. */
const outputLosses: Readonly<Record<OutputLoss, (f: Tensor, r: Tensor) => Tensor>> = {
  squared: (f, r) => div(sum(square(sub(f, r))), 2),
  logistic: (f, r) => sum(sub(special.softplus(f), mul(r, f))),
  softmax: (f, r) => sub(sum(logSumExp(f, { axis: 0 })), sum(mul(r, f))),
};

/** What is minimised. */
export interface ObjectiveOptions {
  /** Of the hidden units. */
  readonly activation: HiddenActivation;
  /** alpha. */
  readonly alpha: number;
  /** Default `squared`. */
  readonly loss?: OutputLoss;
}

/** {@link hiddenLayerObjective}, compiled once for all samples. */
export interface CompiledObjective {
  /** The objective for such samples. */
  (samples: FitSamples): ObjectiveWithGradient;
  /** Frees what was compiled. */
  release(): void;
}

/**
 * `(1/n) sum loss(f(x_i), r_i) + (alpha/2n) (|W1|^2 + |W2|^2)` as a function of the vector of all parameters, with its
 * gradient. The squared loss is half the sum of squares over the outputs.
 */
export function hiddenLayerObjective(
  size: HiddenLayerSize,
  { activation, alpha, loss = "squared" }: ObjectiveOptions,
): CompiledObjective {
  const objective = (parameters: Tensor, x: Tensor, r: Tensor): Tensor => {
    const n = x.shape[1];
    const layer = parts(parameters, size);
    const fit = outputLosses[loss](outputsOf(layer, x, activation), r);
    const penalty = mul(alpha / 2, add(sum(square(layer.W1)), sum(square(layer.W2))));
    return div(add(fit, penalty), n);
  };
  const compiled = jitSync(valueAndGrad(objective), { views: true });
  const of =
    ({ x, targets }: FitSamples): ObjectiveWithGradient =>
    (parameters, gradient) => {
      const [value, slope] = compiled(tensor(parameters), x, targets);
      gradient.set(slope.data());
      return value.item();
    };
  return Object.assign(of, { release: () => compiled.release() });
}

/** f at samples `[features, samples]`; gives `[samples, outputs]`, row-major. */
export function evaluateLayer(
  x: Tensor,
  { hiddenWeight, hiddenBias, outputWeight, outputBias }: HiddenLayer,
  { features: d, units: J, outputs: K }: HiddenLayerSize,
  activation: HiddenActivation,
): Float64Array {
  const layer = {
    W1: tensor(hiddenWeight, { shape: [J, d] }),
    b1: tensor(hiddenBias, { shape: [J, 1] }),
    W2: tensor(outputWeight, { shape: [J, K] }),
    b2: tensor(outputBias, { shape: [K, 1] }),
  };
  return transpose(outputsOf(layer, x, activation)).data() as Float64Array;
}
