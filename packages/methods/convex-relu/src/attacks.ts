import {
  checkOptions,
  random,
  requireInteger,
  requirePositive,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type Design, designOf, requireFlag, targetsOf } from "./design.js";
import { checkLabels, type Loss } from "./loss.js";
import { requireNetwork, type TwoLayerNet } from "./network.js";
import { type NetworkArrays, networkGradient } from "./network-gradient.js";
import { radiiOf } from "./sample-patterns.js";

/** Options of `pgd`. */
export interface PgdOptions {
  /** Steps, >= 1. Default 10. */
  steps?: number;
  /** Length of a step as a part of eps, > 0. Default 1/4. */
  stepSize?: number;
  /** Whether to start at a random point of the box. Default true. */
  randomStart?: boolean;
  /** Source of the starting point. Default 0. */
  seed?: number | string;
}

/**
 * The samples moved by eps along the sign of the loss's gradient (fast gradient sign method), `[n, features]` float64.
 * @param X `[n, features]`.
 * @param y `[n]`.
 * @param eps radius of the box, one or `[features]`.
 * @throws ShapeError, ValueError for operands that do not fit.
 */
export function fgsm(net: TwoLayerNet, X: TensorLike, y: TensorLike, eps: TensorLike, loss: Loss): Tensor {
  return attack("fgsm", net, X, y, eps, loss, (arrays, design, targets, radii) =>
    signSteps(arrays, loss, design, targets, radii, design.rows.slice(), 1, 1),
  );
}

/**
 * The samples after `steps` steps of projected gradient ascent on the loss within the boxes, `[n, features]` float64.
 * @param X `[n, features]`.
 * @param y `[n]`.
 * @param eps radius of the box, one or `[features]`.
 * @throws ShapeError, ValueError for operands or options that do not fit.
 */
export function pgd(
  net: TwoLayerNet,
  X: TensorLike,
  y: TensorLike,
  eps: TensorLike,
  loss: Loss,
  options: PgdOptions = {},
): Tensor {
  checkOptions("pgd", options, ["steps", "stepSize", "randomStart", "seed"]);
  const settings = pgdSettings("pgd", options);
  const rng = random.rng(options.seed ?? 0);
  return attack("pgd", net, X, y, eps, loss, (arrays, design, targets, radii) =>
    projectedAscent(arrays, loss, design, targets, radii, settings, rng),
  );
}

/** @internal */
export function pgdSettings(owner: string, { steps = 10, stepSize = 0.25, randomStart = true }: PgdOptions) {
  requireInteger(owner, "steps", steps, 1);
  requirePositive(owner, "stepSize", stepSize);
  requireFlag(owner, "randomStart", randomStart);
  return { steps, stepSize, randomStart };
}

/** @internal Rows `[n, d]` after the attack. */
export function projectedAscent(
  arrays: NetworkArrays,
  loss: Loss,
  design: Design,
  y: Float64Array,
  eps: Float64Array,
  { steps, stepSize, randomStart }: Required<Omit<PgdOptions, "seed">>,
  rng: random.Rng,
): Float64Array {
  const rows = design.rows.slice();
  if (randomStart) {
    const start = rng.uniform([rows.length], { low: -1, high: 1, dtype: "float64" }).data();
    for (let p = 0; p < rows.length; p++) rows[p] += eps[p % design.d] * start[p];
  }
  return signSteps(arrays, loss, design, y, eps, rows, steps, stepSize);
}

/** @internal Steps of `stepSize` eps along the gradient's sign, kept inside the boxes. */
export function signSteps(
  arrays: NetworkArrays,
  loss: Loss,
  { d, rows: center }: Design,
  y: Float64Array,
  eps: Float64Array,
  rows: Float64Array,
  steps: number,
  stepSize: number,
): Float64Array {
  const gradient = new Float64Array(rows.length);
  for (let step = 0; step < steps; step++) {
    networkGradient(arrays, loss, rows, y, { rows: gradient });
    for (let p = 0; p < rows.length; p++) {
      const radius = eps[p % d];
      const moved = rows[p] + stepSize * radius * Math.sign(gradient[p]);
      rows[p] = Math.min(Math.max(moved, center[p] - radius), center[p] + radius);
    }
  }
  return rows;
}

/** @internal */
function networkArrays(net: TwoLayerNet): NetworkArrays {
  const [d, m] = net.U.shape;
  return { U: Float64Array.from(net.U.data()), a: Float64Array.from(net.a.data()), d, m };
}

function attack(
  owner: string,
  net: TwoLayerNet,
  X: TensorLike,
  y: TensorLike,
  eps: TensorLike,
  loss: Loss,
  move: (arrays: NetworkArrays, design: Design, y: Float64Array, eps: Float64Array) => Float64Array,
): Tensor {
  requireNetwork(owner, net);
  const design = designOf(owner, X, net.bias);
  const { n, d } = design;
  if (d !== net.U.shape[0]) {
    throw new ValueError(
      `${owner}: X has ${d - (net.bias ? 1 : 0)} features; the network takes another number of them`,
    );
  }
  const targets = targetsOf(owner, y, n);
  checkLabels(owner, loss, targets);
  const features = d - (net.bias ? 1 : 0);
  const rows = move(networkArrays(net), design, targets, radiiOf(owner, eps, features, d));
  const out = new Float64Array(n * features);
  for (let k = 0; k < n; k++) for (let c = 0; c < features; c++) out[k * features + c] = rows[k * d + c];
  return tensor(out, { shape: [n, features] });
}
