import { hostTensor, type Tensor } from "@offprint/tensor-core";
import { boundChain, type ChainProblem, type ChainStage, type ExplainedBounds, explainChain } from "./chain.js";
import type { CheckedNetwork } from "./checked-network.js";
import { magnitudes } from "./forward-bounds.js";
import { constantRange, productLines, type Relaxation } from "./gradient-lines.js";
import { emptyLines, type Lines } from "./lines.js";
import { above, requireFiniteBounds } from "./rounding.js";

/** @internal Slopes of the activations of each hidden layer lie between these, `[batch, n_k]`. */
export type Masks = readonly { readonly lo: Float64Array; readonly hi: Float64Array }[];

/** @internal A batch of gradients to be bounded. */
export interface GradientProblem {
  readonly network: CheckedNetwork;
  readonly batch: number;
  /** `[batch, n_{n-1}]`: the gradient of the output by the last hidden layer. */
  readonly last: Float64Array;
  /** Its error, where it is a combination of rows. */
  readonly lastError: Float64Array;
  readonly masks: Masks;
  readonly relaxation: Relaxation;
}

/** @internal `[batch, n_k]` bounds of g_k for k = 0, ..., n-2: gradients by the outputs of layer k, by inputs for k = 0. */
export interface GradientBounds {
  readonly lower: readonly Float64Array[];
  readonly upper: readonly Float64Array[];
}

/** Lines around q_k = g_k s_k for k = 1, ..., n-2 (at k - 1), and the range of q_{n-1}. */
function linesOf({ network, masks, last, lastError, relaxation }: GradientProblem, { lower, upper }: GradientBounds) {
  const hidden = network.widths.length;
  const lines: Lines[] = [];
  for (let k = 1; k < hidden; k++) {
    const { lo, hi } = masks[k - 1];
    lines.push(lower[k] === undefined ? emptyLines(0) : productLines(lower[k], upper[k], lo, hi, relaxation));
  }
  const { lo, hi } = masks[hidden - 1];
  return { lines, end: constantRange(last, lastError, lo, hi) };
}

/** From g_k on: the rows times W_{k+1}^T are a functional of q_{k+1}. */
function chainFrom(
  { network, batch, relaxation }: GradientProblem,
  k: number,
  { lines, end }: ReturnType<typeof linesOf>,
): Omit<ChainProblem, "rows"> {
  const hidden = network.widths.length;
  if (k + 1 === hidden) return { batch, stages: [], lo: end.lo, hi: end.hi };
  if (relaxation === "interval") return { batch, stages: [], lo: lines[k].lo, hi: lines[k].hi };
  const stages: ChainStage[] = [];
  for (let j = k + 1; j < hidden; j++) {
    const { map } = network.layers[j];
    const next = j + 1 === hidden ? end : lines[j];
    stages.push({ lines: lines[j - 1], map, by: "WT", next: magnitudes(next.lo, next.hi) });
  }
  return { batch, stages, lo: end.lo, hi: end.hi };
}

/**
 * @internal Bounds of the gradients, deepest first; `only` g_0 where the others are known. Without hidden layers there is
 * nothing to bound.
 */
export function gradientBounds(problem: GradientProblem, known?: GradientBounds, only?: "inputs"): GradientBounds {
  const { network } = problem;
  const hidden = network.widths.length;
  const lower: Float64Array[] = known === undefined ? [] : [...known.lower];
  const upper: Float64Array[] = known === undefined ? [] : [...known.upper];
  if (hidden === 0) {
    const { last, lastError } = problem;
    return { lower: [last.map((w, i) => w - lastError[i])], upper: [last.map((w, i) => w + lastError[i])] };
  }
  for (let k = only === "inputs" ? 0 : hidden - 1; k >= 0; k--) {
    // The lines of g_j for j > k: computed just before, or known.
    const lines = linesOf(problem, { lower, upper });
    const found = boundChain({ ...chainFrom(problem, k, lines), rows: network.layers[k].WT }, network.precision);
    const [l, u] = [found.lower, found.upper];
    keepSigns(network, k, k + 1 === hidden ? lines.end : lines.lines[k], l, u);
    if (known !== undefined) {
      for (let i = 0; i < l.length; i++) {
        l[i] = Math.max(l[i], known.lower[k][i]);
        u[i] = Math.min(u[i], known.upper[k][i]);
      }
    }
    lower[k] = l;
    upper[k] = u;
  }
  return { lower, upper };
}

/**
 * Bounds that are 0 but for their room for rounding: a sum whose terms cannot be negative is not. So monotone networks are
 * proved to be.
 */
function keepSigns(
  { layers }: CheckedNetwork,
  k: number,
  { lo, hi }: Pick<Lines, "lo" | "hi">,
  l: Float64Array,
  u: Float64Array,
): void {
  const { weight, rows, columns } = layers[k];
  const batch = l.length / columns;
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < columns; i++) {
      const at = b * columns + i;
      // Only where rounding may have decided.
      if (l[at] >= 0 || u[at] <= 0) continue;
      let [positive, negative] = [true, true];
      for (let j = 0; j < rows && (positive || negative); j++) {
        const w = weight[j * columns + i];
        const [from, to] = [lo[b * rows + j], hi[b * rows + j]];
        positive &&= w >= 0 ? w * from >= 0 : w * to >= 0;
        negative &&= w >= 0 ? w * to <= 0 : w * from <= 0;
      }
      if (positive) l[at] = Math.max(l[at], 0);
      if (negative) u[at] = Math.min(u[at], 0);
    }
  }
}

/** @internal An upper bound, and what the final propagation multiplies q_k by, `[batch, n_k]` for k = 1, ..., n-1. */
export interface Objective {
  readonly value: Float64Array;
  readonly coefficients: readonly Float64Array[];
}

/** @internal What is bounded: the l1 or l2 norm of the gradient, or one of its components with a sign. */
export type Target = { readonly kind: "l1" | "l2" } | { readonly kind: "direction"; readonly vector: Float64Array };

/** Powers of 4 near the largest component of each gradient: what squares are divided by, so that none overflows. */
function squareScales({ lower: [lower], upper: [upper] }: GradientBounds, batch: number): Float64Array {
  const d = lower.length / batch;
  return Float64Array.from({ length: batch }, (_, b) => {
    let largest = 0;
    for (let i = b * d; i < (b + 1) * d; i++) largest = Math.max(largest, -lower[i], upper[i]);
    return largest === 0 ? 1 : 4 ** Math.floor(Math.log2(largest) / 2);
  });
}

function identityLines(lower: Float64Array, upper: Float64Array): Lines {
  const lines = emptyLines(lower.length);
  lines.us.fill(1);
  lines.ls.fill(1);
  return { ...lines, argument: magnitudes(lower, upper), lo: lower, hi: upper };
}

/** @internal Bounds of `rows g_0` for rows `[rows, d]` or `[batch, rows, d]`. */
export function functionalBounds(problem: GradientProblem, known: GradientBounds, rows: Tensor): ExplainedBounds {
  const { network } = problem;
  const [lower, upper] = [known.lower[0], known.upper[0]];
  if (network.widths.length === 0)
    return explainChain({ batch: problem.batch, rows, stages: [], lo: lower, hi: upper }, network.precision);
  const lines = linesOf(problem, known);
  const chain = chainFrom(problem, 0, lines);
  const next = network.widths.length === 1 ? lines.end : lines.lines[0];
  const first: ChainStage = {
    lines: identityLines(lower, upper),
    map: network.layers[0].map,
    by: "WT",
    next: magnitudes(next.lo, next.hi),
  };
  return explainChain({ ...chain, rows, stages: [first, ...chain.stages] }, network.precision);
}

/** @internal The bound of the objective by a last propagation. */
export function objectiveBound(problem: GradientProblem, known: GradientBounds, target: Target): Objective {
  const { batch, network, relaxation } = problem;
  const d = network.inputs;
  const scales = squareScales(known, batch);
  const ofComponents = target.kind === "direction" ? undefined : fromComponents(problem, known, target.kind, scales);
  if (relaxation !== "linear" && ofComponents !== undefined) return { value: ofComponents, coefficients: [] };
  const [gl, gu] = [known.lower[0], known.upper[0]];
  const rows = new Float64Array(batch * d);
  const constants = new Float64Array(batch);
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < d; j++) {
      const i = b * d + j;
      const [l, u] = [gl[i], gu[i]];
      if (target.kind === "direction") rows[i] = target.vector[j];
      else if (target.kind === "l1") {
        if (l >= 0) rows[i] = 1;
        else if (u <= 0) rows[i] = -1;
        else {
          // |g| is convex: above its line through both ends.
          rows[i] = (u + l) / (u - l);
          constants[b] += above(Math.max(-l - rows[i] * l, u - rows[i] * u), u - l);
        }
      } else {
        // g^2 <= (l + u) g - l u, as the line through both ends; all of it divided by the scale.
        const [p, q] = [l / scales[b], u / scales[b]];
        rows[i] = p + q;
        constants[b] += above(Math.max(l * p - l * rows[i], u * q - u * rows[i]), 4 * Math.max(l * p, u * q));
      }
    }
  }
  const { upper, coefficients } = functionalBounds(problem, known, hostTensor(rows, [batch, 1, d], "float64"));
  const value = upper.map((each, b) => {
    const total = above(each + constants[b], Math.abs(each) + constants[b] * (1 + d));
    if (target.kind === "direction") return total;
    return target.kind === "l1" ? Math.max(0, total) : above(Math.sqrt(Math.max(0, total)) * Math.sqrt(scales[b]));
  });
  requireFiniteBounds(value);
  // Nearly the same, but where a gradient vanishes it is 0 without room for rounding.
  const most = target.kind === "direction" ? upperByComponents(target.vector, known) : (ofComponents as Float64Array);
  return { value: value.map((each, b) => Math.min(each, most[b])), coefficients };
}

/**
 * @internal Bounds `[batch]` of the derivative along a vector by those of each component: looser in general, but a sum
 * whose terms cannot be positive is not, and along an axis nothing is rounded.
 */
export function upperByComponents(
  vector: Float64Array,
  { lower: [lower], upper: [upper] }: GradientBounds,
): Float64Array {
  const d = vector.length;
  const used = Array.from(vector.keys()).filter((j) => vector[j] !== 0);
  const exact = used.length === 1 && Math.abs(vector[used[0]]) === 1;
  return Float64Array.from({ length: lower.length / d }, (_, b) => {
    let [most, size] = [0, 0];
    for (const j of used) {
      const term = vector[j] * (vector[j] > 0 ? upper : lower)[b * d + j];
      most += term;
      size += Math.abs(term);
    }
    if (exact) return most;
    const room = above(most, (d + 1) * size);
    return most <= 0 && -most === size ? Math.min(0, room) : room;
  });
}

/** RecurJac and intervals: the largest magnitude of every component. */
function fromComponents(
  { batch, network }: GradientProblem,
  { lower, upper }: GradientBounds,
  norm: "l1" | "l2",
  scales: Float64Array,
): Float64Array {
  const d = network.inputs;
  const value = new Float64Array(batch);
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < d; j++) {
      const most = Math.max(-lower[0][b * d + j], upper[0][b * d + j], 0);
      value[b] += norm === "l1" ? most : most * (most / scales[b]);
    }
    if (value[b] === 0) continue;
    value[b] = above(value[b], d * value[b]);
    if (norm === "l2") value[b] = above(Math.sqrt(value[b]) * Math.sqrt(scales[b]));
  }
  requireFiniteBounds(value);
  return value;
}
