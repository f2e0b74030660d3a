import type { ObjectiveWithGradient } from "@offprint/solvers";
import { type Rng, relu, sigmoid, tanh, tensor } from "@offprint/tensor-core";
import { logistic, softplus } from "./loss.js";

/** Names of the activations of hidden units. */
export const hiddenActivations = ["logistic", "tanh", "relu", "identity"] as const;

/** Activation of the hidden units. */
export type HiddenActivation = (typeof hiddenActivations)[number];

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

/** A network with one hidden layer: `b2 + W2^T act(W1 x + b1)`. All arrays are row-major. */
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

/** Length of the vector of all parameters: W1, b1, W2, b2. */
export function parameterCount({ features, units, outputs }: HiddenLayerSize): number {
  return units * (features + 1) + (units + 1) * outputs;
}

/** The parts of a parameter vector, as views into it. */
export function viewLayer(parameters: Float64Array, { features, units, outputs }: HiddenLayerSize): HiddenLayer {
  const b1 = units * features;
  const w2 = b1 + units;
  const b2 = w2 + units * outputs;
  return {
    hiddenWeight: parameters.subarray(0, b1),
    hiddenBias: parameters.subarray(b1, w2),
    outputWeight: parameters.subarray(w2, b2),
    outputBias: parameters.subarray(b2),
  };
}

/** Uniform in +-sqrt(c / (fan in + fan out)), biases too; c is 2 for logistic units, else 6. */
export function drawParameters(rng: Rng, size: HiddenLayerSize, activation: HiddenActivation): Float64Array {
  const c = activation === "logistic" ? 2 : 6;
  const parameters = new Float64Array(parameterCount(size));
  const layer = viewLayer(parameters, size);
  const fill = (part: Float64Array, bound: number) => {
    part.set(rng.uniform([part.length], { low: -bound, high: bound, dtype: "float64" }).data() as Float64Array);
  };
  const first = Math.sqrt(c / (size.features + size.units));
  const second = Math.sqrt(c / (size.units + size.outputs));
  fill(layer.hiddenWeight, first);
  fill(layer.hiddenBias, first);
  fill(layer.outputWeight, second);
  fill(layer.outputBias, second);
  return parameters;
}

/** Samples of a fit, row-major. */
export interface FitSamples {
  /** `[samples, features]`. */
  readonly x: Float64Array;
  /** `[samples, outputs]`: numbers for `squared`, 0 or 1 for `logistic`, one-hot for `softmax`. */
  readonly targets: Float64Array;
}

/** What is minimised. */
export interface ObjectiveOptions {
  /** Of the hidden units. */
  readonly activation: HiddenActivation;
  /** alpha. */
  readonly alpha: number;
  /** Default `squared`. */
  readonly loss?: OutputLoss;
}

/**
 * `(1/n) sum loss(f(x_i), t_i) + (alpha/2n) (|W1|^2 + |W2|^2)` and its gradient, where the squared loss is half the sum
 * of squares over the outputs. All loops run along the samples, so that thin layers cost what their products cost.
 */
export function hiddenLayerObjective(
  { x, targets }: FitSamples,
  size: HiddenLayerSize,
  { activation, alpha, loss = "squared" }: ObjectiveOptions,
): ObjectiveWithGradient {
  const { features: d, units: J, outputs: K } = size;
  const n = targets.length / K;
  const columns = transposed(x, n, d);
  const wanted = transposed(targets, n, K);
  const before = new Float64Array(J * n);
  const outputs = new Float64Array(K * n);
  const delta = new Float64Array(n);
  return (parameters, gradient) => {
    const { hiddenWeight, hiddenBias, outputWeight, outputBias } = viewLayer(parameters, size);
    const into = viewLayer(gradient, size);
    for (let j = 0; j < J; j++) {
      before.fill(hiddenBias[j], j * n, (j + 1) * n);
      addCombination(before, j * n, columns, hiddenWeight, j * d, 1, d, n);
    }
    const hidden = activate(before, activation);
    for (let k = 0; k < K; k++) {
      outputs.fill(outputBias[k], k * n, (k + 1) * n);
      addCombination(outputs, k * n, hidden, outputWeight, k, K, J, n);
    }
    const value = outputLoss(loss, outputs, wanted, n, K); // outputs now hold the derivatives by the outputs
    for (let k = 0; k < K; k++) into.outputBias[k] = total(outputs, k * n, n);
    for (let j = 0; j < J; j++) {
      for (let k = 0; k < K; k++) into.outputWeight[j * K + k] = innerProduct(hidden, j * n, outputs, k * n, n);
      delta.fill(0);
      addCombination(delta, 0, outputs, outputWeight, j * K, 1, K, n);
      multiplyBySlope(delta, hidden, j * n, activation);
      into.hiddenBias[j] = total(delta, 0, n);
      innerProducts(delta, columns, into.hiddenWeight, j * d, d);
    }
    for (let p = 0; p < gradient.length; p++) gradient[p] /= n;
    const penalty = alpha / n;
    const squares =
      addPenalty(hiddenWeight, into.hiddenWeight, penalty) + addPenalty(outputWeight, into.outputWeight, penalty);
    return value / n + 0.5 * penalty * squares;
  };
}

/** f(x), `[samples, outputs]`. */
export function evaluateLayer(
  x: Float64Array,
  layer: HiddenLayer,
  { features: d, units: J, outputs: K }: HiddenLayerSize,
  activation: HiddenActivation,
): Float64Array {
  const n = x.length / d;
  const columns = transposed(x, n, d);
  const before = new Float64Array(J * n);
  for (let j = 0; j < J; j++) {
    before.fill(layer.hiddenBias[j], j * n, (j + 1) * n);
    addCombination(before, j * n, columns, layer.hiddenWeight, j * d, 1, d, n);
  }
  const hidden = activate(before, activation);
  const outputs = new Float64Array(K * n);
  for (let k = 0; k < K; k++) {
    outputs.fill(layer.outputBias[k], k * n, (k + 1) * n);
    addCombination(outputs, k * n, hidden, layer.outputWeight, k, K, J, n);
  }
  return transposed(outputs, K, n);
}

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j];
  return out;
}

/** `out[at:] += sum over c of weight[w + c stride] columns[c, :]`, four columns at a time. */
function addCombination(
  out: Float64Array,
  at: number,
  columns: Float64Array,
  weight: Float64Array,
  w: number,
  stride: number,
  count: number,
  n: number,
): void {
  let c = 0;
  for (; c + 3 < count; c += 4) {
    const p = weight[w + c * stride];
    const q = weight[w + (c + 1) * stride];
    const r = weight[w + (c + 2) * stride];
    const s = weight[w + (c + 3) * stride];
    const a = c * n;
    const b = a + n;
    const e = b + n;
    const f = e + n;
    for (let i = 0; i < n; i++) {
      out[at + i] += p * columns[a + i] + q * columns[b + i] + (r * columns[e + i] + s * columns[f + i]);
    }
  }
  for (; c < count; c++) {
    const p = weight[w + c * stride];
    for (let i = 0, a = c * n; i < n; i++) out[at + i] += p * columns[a + i];
  }
}

/** `out[at + c] = <delta, columns[c, :]>`, four columns at a time. */
function innerProducts(delta: Float64Array, columns: Float64Array, out: Float64Array, at: number, count: number): void {
  const n = delta.length;
  let c = 0;
  for (; c + 3 < count; c += 4) {
    let p = 0;
    let q = 0;
    let r = 0;
    let s = 0;
    const a = c * n;
    const b = a + n;
    const e = b + n;
    const f = e + n;
    for (let i = 0; i < n; i++) {
      const value = delta[i];
      p += value * columns[a + i];
      q += value * columns[b + i];
      r += value * columns[e + i];
      s += value * columns[f + i];
    }
    out[at + c] = p;
    out[at + c + 1] = q;
    out[at + c + 2] = r;
    out[at + c + 3] = s;
  }
  for (; c < count; c++) out[at + c] = innerProduct(delta, 0, columns, c * n, n);
}

function innerProduct(x: Float64Array, a: number, y: Float64Array, b: number, n: number): number {
  let even = 0;
  let odd = 0;
  let i = 0;
  for (; i + 1 < n; i += 2) {
    even += x[a + i] * y[b + i];
    odd += x[a + i + 1] * y[b + i + 1];
  }
  return i < n ? even + odd + x[a + i] * y[b + i] : even + odd;
}

function total(x: Float64Array, at: number, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += x[at + i];
  return sum;
}

/** Adds the gradient of the penalty; gives the sum of squares. */
function addPenalty(weight: Float64Array, gradient: Float64Array, penalty: number): number {
  let squares = 0;
  for (let p = 0; p < weight.length; p++) {
    squares += weight[p] * weight[p];
    gradient[p] += penalty * weight[p];
  }
  return squares;
}

function activate(x: Float64Array, activation: HiddenActivation): Float64Array {
  if (activation === "logistic") return sigmoid(tensor(x)).data() as Float64Array;
  if (activation === "tanh") return tanh(tensor(x)).data() as Float64Array;
  return activation === "relu" ? (relu(tensor(x)).data() as Float64Array) : x;
}

/** `delta *= derivative of the activation`, from its values. */
function multiplyBySlope(delta: Float64Array, hidden: Float64Array, at: number, activation: HiddenActivation): void {
  const n = delta.length;
  if (activation === "logistic") for (let i = 0; i < n; i++) delta[i] *= hidden[at + i] * (1 - hidden[at + i]);
  else if (activation === "tanh") for (let i = 0; i < n; i++) delta[i] *= 1 - hidden[at + i] * hidden[at + i];
  else if (activation === "relu") for (let i = 0; i < n; i++) if (!(hidden[at + i] > 0)) delta[i] = 0;
}

/** The loss, summed over the samples; replaces the outputs, `[K, n]`, by the derivatives. */
function outputLoss(loss: OutputLoss, outputs: Float64Array, wanted: Float64Array, n: number, K: number): number {
  let value = 0;
  if (loss === "squared") {
    for (let i = 0; i < outputs.length; i++) {
      outputs[i] -= wanted[i];
      value += outputs[i] * outputs[i];
    }
    return 0.5 * value;
  }
  if (loss === "logistic") {
    for (let i = 0; i < outputs.length; i++) {
      value += softplus(outputs[i]) - wanted[i] * outputs[i];
      outputs[i] = logistic(outputs[i]) - wanted[i];
    }
    return value;
  }
  for (let i = 0; i < n; i++) {
    let largest = outputs[i];
    for (let k = 1; k < K; k++) largest = Math.max(largest, outputs[k * n + i]);
    let sum = 0;
    for (let k = 0; k < K; k++) {
      const at = k * n + i;
      value -= wanted[at] * (outputs[at] - largest);
      outputs[at] = Math.exp(outputs[at] - largest);
      sum += outputs[at];
    }
    value += Math.log(sum);
    for (let k = 0; k < K; k++) outputs[k * n + i] = outputs[k * n + i] / sum - wanted[k * n + i];
  }
  return value;
}
