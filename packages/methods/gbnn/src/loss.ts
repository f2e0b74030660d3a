import { requireThat } from "./requirements.js";

/**
 * A loss that can be boosted. Arrays are row-major: targets and F are `[samples, outputs]`, coded as the loss wants
 * them.
 */
export interface BoostLoss {
  /** K: outputs of the network. */
  readonly outputs: number;
  /** Turns the network's outputs into predictions. */
  readonly link: "identity" | "sigmoid" | "softmax";
  /** m: what F is multiplied with to become the argument of `link`; 2 for the binary loss. */
  readonly margin: number;
  /** F_0, `[outputs]`. */
  initial(targets: Float64Array): Float64Array;
  /** Pseudo-residuals, `[samples, outputs]`. */
  residuals(targets: Float64Array, F: Float64Array): Float64Array;
  /** The step along phi, before the learning rate; what is not finite ends the boosting. */
  step(targets: Float64Array, F: Float64Array, residuals: Float64Array, phi: Float64Array): number;
  /** `[outputs]` units of the pseudo-residuals, > 0, in which blocks are fitted to them. Default 1. */
  units?(targets: Float64Array): Float64Array;
  /** Mean over the samples. */
  value(targets: Float64Array, F: Float64Array): number;
}

/** The losses of the paper. */
export const losses = {
  /**
   * `|y - F|^2`, starting from the mean; the residual is half the descent direction, so that the step is 1. Blocks are fitted
   * in deviations of the targets: L-BFGS begins at weights of the size of 1, and ends at decreases that are small beside 1.
   */
  squared: (outputs = 1): BoostLoss => ({
    outputs,
    link: "identity",
    margin: 1,
    initial: (y) => columnMeans(y, outputs),
    residuals: (y, F) => y.map((value, i) => value - F[i]),
    step: () => 1,
    units: (y) => deviations(y, outputs),
    value(y, F) {
      let sum = 0;
      for (let i = 0; i < y.length; i++) sum += (y[i] - F[i]) ** 2;
      return (sum * outputs) / y.length;
    },
  }),

  /** `log(1 + e^{-2 y F})` with y in {-1, +1}; the probability of +1 is `1 / (1 + e^{-2F})`. */
  logExponential: (): BoostLoss => ({
    outputs: 1,
    link: "sigmoid",
    margin: 2,
    initial(y) {
      const mean = columnMeans(y, 1)[0];
      requireThat(Math.abs(mean) < 1, "logExponential: all targets are of one class; give samples of both");
      return Float64Array.of(0.5 * Math.log((1 + mean) / (1 - mean)));
    },
    residuals: (y, F) => y.map((value, i) => 2 * value * logistic(-2 * value * F[i])),
    step(y, _, r, phi) {
      let slope = 0;
      let curvature = 0;
      for (let i = 0; i < y.length; i++) {
        slope += r[i] * phi[i];
        curvature += r[i] * (2 * y[i] - r[i]) * phi[i] * phi[i];
      }
      return newtonStep(slope, curvature);
    },
    value(y, F) {
      let sum = 0;
      for (let i = 0; i < y.length; i++) sum += softplus(-2 * y[i] * F[i]);
      return sum / y.length;
    },
  }),

  /** Cross-entropy of softmax(F) with one-hot targets; the Newton step has the diagonal of the Hessian only. */
  softmax: (classes: number): BoostLoss => ({
    outputs: classes,
    link: "softmax",
    margin: 1,
    initial: () => new Float64Array(classes),
    residuals(y, F) {
      const p = softmaxRows(F, classes);
      return p.map((value, i) => y[i] - value);
    },
    step(y, _, r, phi) {
      let slope = 0;
      let curvature = 0;
      for (let i = 0; i < y.length; i++) {
        const p = y[i] - r[i];
        slope += phi[i] * r[i];
        curvature += phi[i] * phi[i] * p * (1 - p);
      }
      return newtonStep(slope, curvature);
    },
    value(y, F) {
      let sum = 0;
      for (let at = 0; at < F.length; at += classes) {
        let largest = F[at];
        for (let k = 1; k < classes; k++) largest = Math.max(largest, F[at + k]);
        let total = 0;
        for (let k = 0; k < classes; k++) {
          total += Math.exp(F[at + k] - largest);
          sum -= y[at + k] * F[at + k];
        }
        sum += largest + Math.log(total);
      }
      return (sum * classes) / F.length;
    },
  }),
} as const;

/** NaN where the loss is flat along phi, as it is for a perfect fit. */
function newtonStep(slope: number, curvature: number): number {
  return curvature < 1e-300 ? Number.NaN : slope / curvature;
}

function columnMeans(y: Float64Array, outputs: number): Float64Array {
  const means = new Float64Array(outputs);
  for (let i = 0; i < y.length; i++) means[i % outputs] += y[i];
  return means.map((sum) => (sum * outputs) / y.length);
}

/** Standard deviations of the columns; 1 for those that do not vary. */
function deviations(y: Float64Array, outputs: number): Float64Array {
  const means = columnMeans(y, outputs);
  const most = new Float64Array(outputs);
  for (let i = 0; i < y.length; i++) {
    most[i % outputs] = Math.max(most[i % outputs], Math.abs(y[i] - means[i % outputs]));
  }
  // Of squares none overflows or vanishes.
  const squares = new Float64Array(outputs);
  for (let i = 0; i < y.length; i++) {
    const k = i % outputs;
    if (most[k] > 0) squares[k] += ((y[i] - means[k]) / most[k]) ** 2;
  }
  return squares.map((sum, k) => (most[k] > 0 ? most[k] * Math.sqrt((sum * outputs) / y.length) : 1));
}

/** `1 / (1 + e^{-x})` without overflow. */
export function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** `log(1 + e^x)` without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Softmax of every row of `[samples, classes]`. */
export function softmaxRows(F: Float64Array, classes: number): Float64Array {
  const out = new Float64Array(F.length);
  for (let at = 0; at < F.length; at += classes) {
    let largest = F[at];
    for (let k = 1; k < classes; k++) largest = Math.max(largest, F[at + k]);
    let total = 0;
    for (let k = 0; k < classes; k++) {
      out[at + k] = Math.exp(F[at + k] - largest);
      total += out[at + k];
    }
    for (let k = 0; k < classes; k++) out[at + k] /= total;
  }
  return out;
}
