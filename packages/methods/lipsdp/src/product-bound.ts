import { inOneGo, type Parts } from "@offprint/solvers";
import type { Matrix } from "./matrix.js";
import { type CheckedNetwork, checkNetwork, type Network } from "./network.js";
import { groupLipschitz, reflection } from "./neuron-group.js";
import { provenNorm, roundedUp } from "./proven-norm.js";

/** Norms of inputs and outputs: `l2` to `l2`, or `linf` to `l1`. */
export type NormPair = "l2" | "linf-l1";

/** Sign vectors are enumerated up to this many entries. */
const ENUMERATED_SIGNS = 16;

/**
 * The product of the norms of the layers (MP), rounded upwards: `prod ||W_i||_2`; for `linf-l1` the maximal row sums of
 * all layers but the last, times `||W_l||_{inf->1}`; `prod (1 + ||H_i|| ||G_i||)` for residual networks; `||C|| ||U|| /
 * (1 - ||W||)` for implicit ones, which is infinite unless `||W|| < 1`. Slopes count with their largest magnitude.
 */
export function productBound(network: Network, norm: NormPair = "l2"): number {
  return inOneGo(productParts(checkNetwork(network), norm));
}

/** @internal The product of the norms, layer by layer. */
export function* productParts(network: CheckedNetwork, norm: NormPair): Parts<number> {
  const inner = norm === "l2" ? provenNorm : largestRowSum;
  const outer = norm === "l2" ? provenNorm : infinityToOneNorm;
  const slopes = network.widths.map((_, layer) => activationNorm(network, layer, norm));
  let value = 1;
  if (network.kind === "feedforward") {
    const last = network.weights.length - 1;
    for (const [i, W] of network.weights.entries()) {
      value *= i === last ? outer(W) : inner(W) * slopes[i];
      yield;
    }
  } else if (network.kind === "residual") {
    for (const [i, { G, H }] of network.blocks.entries()) {
      value *= 1 + inner(H) * slopes[i] * inner(G);
      yield;
    }
    if (network.input !== undefined) value *= inner(network.input);
    // The last map takes linf to l1; without one the sum of the absolute values is at most d times the largest.
    if (network.output !== undefined) value *= outer(network.output);
    else if (norm === "linf-l1") value *= network.outputs;
  } else {
    const contraction = slopes[0] * inner(network.W);
    value = contraction < 1 ? (outer(network.C) * slopes[0] * inner(network.U)) / (1 - contraction) : Infinity;
    // The difference 1 - ||W|| loses digits when it is small.
    if (contraction < 1) value *= 1 + 1e-15 / (1 - contraction);
  }
  return roundedUp(value, 4 * (network.widths.length + 4));
}

/** Lipschitz constant of an activation layer in l2 or linf; a reflection is not 1-Lipschitz in linf. */
function activationNorm({ groups }: CheckedNetwork, layer: number, norm: NormPair): number {
  let largest = 0;
  for (const group of groups) {
    if (group.layer !== layer) continue;
    let own = groupLipschitz(group);
    if (norm === "linf-l1" && group.kind === "reflection") {
      const { size } = group;
      const R = reflection(group.v as Float64Array);
      for (let i = 0; i < size; i++) {
        let sum = 0;
        for (let j = 0; j < size; j++) sum += Math.abs(R[i * size + j]);
        own = Math.max(own, roundedUp(sum, 2 * size));
      }
    }
    largest = Math.max(largest, own);
  }
  return largest;
}

/** @internal ||W||_{inf->inf} */
export function largestRowSum(W: Matrix): number {
  let largest = 0;
  for (let i = 0; i < W.rows; i++) {
    let sum = 0;
    for (let j = 0; j < W.columns; j++) sum += Math.abs(W.values[i * W.columns + j]);
    largest = Math.max(largest, sum);
  }
  return roundedUp(largest, W.columns);
}

/**
 * @internal ||W||_{inf->1} = max over sign vectors s of ||W s||_1 = max over sign vectors of ||W^T t||_1: the smaller
 * side is enumerated up to 16 entries, else the sum of all magnitudes bounds it.
 */
export function infinityToOneNorm(W: Matrix): number {
  const { rows, columns, values } = W;
  const byRows = rows < columns;
  const [count, other] = byRows ? [rows, columns] : [columns, rows];
  if (count > ENUMERATED_SIGNS) {
    return roundedUp(
      values.reduce((sum, value) => sum + Math.abs(value), 0),
      values.length,
    );
  }
  const at = (signed: number, free: number): number =>
    byRows ? values[signed * columns + free] : values[free * columns + signed];
  const sums = new Float64Array(other);
  let largest = 0;
  // The first sign is fixed: the opposite vector gives the same norm.
  for (let pattern = 0; pattern < 2 ** (count - 1); pattern++) {
    let total = 0;
    for (let k = 0; k < other; k++) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += (pattern >> i) & 1 ? -at(i, k) : at(i, k);
      sums[k] = sum;
      total += Math.abs(sum);
    }
    largest = Math.max(largest, total);
  }
  // Rounding errors are relative to the magnitudes, not to the sums that may cancel.
  const magnitudes = values.reduce((sum, value) => sum + Math.abs(value), 0);
  return largest + 2e-16 * (values.length + 2) * magnitudes;
}
