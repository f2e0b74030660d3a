import { type FeedForward, slopeBounds } from "@offprint/networks";
import { checkOptions, requireInteger, UnsupportedError } from "@offprint/tensor-core";
import { kinksOf } from "./activation-lines.js";
import { type Box, checkBox } from "./box.js";
import type { Branch } from "./branch.js";
import { checkNetwork } from "./checked-network.js";
import { forwardBatch } from "./forward-bounds.js";
import { hasInterior, provedEmpty } from "./leaf-feasibility.js";
import { outputRows, type RowOptions } from "./output-rows.js";
import { above, requireFiniteBounds } from "./rounding.js";

/**
 * The product of the norms of the layers, `[rows]`: a bound of the sums of the magnitudes of gradients everywhere, whatever
 * the box.
 */
export function globalBound(network: FeedForward, options: RowOptions = {}): Float64Array {
  checkOptions("globalBound", options, ["outputs", "combinations"]);
  const checked = checkNetwork("globalBound", network);
  const { count, last, error } = outputRows("globalBound", checked, options);
  let product = 1;
  for (const [k, activation] of checked.activations.entries()) {
    const { rows, columns, weight } = checked.layers[k];
    let norm = 0;
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += Math.abs(weight[i * columns + j]);
      norm = Math.max(norm, above(sum, (columns + 1) * sum));
    }
    const { lower, upper } = slopeBounds(activation);
    product = above(product * norm * Math.max(Math.abs(lower), Math.abs(upper)));
  }
  const n = last.length / count;
  const bounds = Float64Array.from({ length: count }, (_, r) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += Math.abs(last[r * n + j]) + error[r * n + j];
    return above(sum * product, (n + 2) * sum * product);
  });
  requireFiniteBounds(bounds);
  return bounds;
}

/**
 * The local Lipschitz constants `[rows]` by all patterns of signs, each checked by linear programmes: for tiny networks with
 * kinks. Patterns count whose inputs have an interior and touch the box: these make the generalised gradients of its points.
 *
 * @param options.limit most patterns; default 2^12
 * @throws UnsupportedError for other activations, or more patterns
 */
export async function exactBound(
  network: FeedForward,
  box: Box,
  options: RowOptions & { readonly limit?: number } = {},
): Promise<Float64Array> {
  const owner = "exactBound";
  checkOptions(owner, options, ["outputs", "combinations", "limit"]);
  const { limit = 2 ** 12, ...chosen } = options;
  requireInteger(owner, "limit", limit, 1);
  const checked = checkNetwork(owner, network);
  const kinks = checked.activations.flatMap((activation, k) => {
    const own = kinksOf(activation);
    return Array.from({ length: checked.widths[k] }, (_, i) => own[i % own.length]);
  });
  if (kinks.includes(undefined)) {
    throw new UnsupportedError(
      `${owner}: activations must be linear on both sides of 0, such as relu; take localLipschitz`,
    );
  }
  const inside = checkBox(owner, box, checked.inputs);
  const { count, last } = outputRows(owner, checked, chosen);
  const { lower, upper } = forwardBatch(checked, inside, 1);
  const l = Float64Array.from(lower.flatMap((layer) => Array.from(layer)));
  const u = Float64Array.from(upper.flatMap((layer) => Array.from(layer)));
  const unstable = Array.from(l.keys()).filter((i) => {
    const [down, up] = kinks[i]!;
    return l[i] <= 0 && u[i] >= 0 && down !== up;
  });
  if (2 ** unstable.length > limit) {
    throw new UnsupportedError(
      `${owner}: ${unstable.length} neurons may have both signs: more patterns than the limit ${limit}`,
    );
  }
  const largest = new Float64Array(count);
  for (let pattern = 0; pattern < 2 ** unstable.length; pattern++) {
    const decided = new Int8Array(l.length);
    for (const [bit, i] of unstable.entries()) decided[i] = (pattern >> bit) & 1 ? 1 : -1;
    const leaf: Branch = {
      ...{ row: 0, value: 0, decided, lower: l, upper: u, splits: [] },
      ...{ gradientLower: new Float64Array(0), gradientUpper: new Float64Array(0) },
    };
    const sums = patternNorms(checked, kinks as Kinks, leaf, last, count);
    requireFiniteBounds(sums);
    if (!sums.some((sum, r) => sum > largest[r])) continue;
    if (await provedEmpty(checked, inside, leaf)) continue;
    if (!(await hasInterior(checked, inside, leaf))) continue;
    for (const [r, sum] of sums.entries()) largest[r] = Math.max(largest[r], sum);
  }
  return largest;
}

/** Slopes below and above 0 of all hidden neurons. */
type Kinks = readonly (readonly [number, number])[];

/** The sums of the magnitudes of the gradients where all signs are known. */
function patternNorms(
  { layers, widths }: ReturnType<typeof checkNetwork>,
  kinks: Kinks,
  { decided, lower }: Branch,
  last: Float64Array,
  count: number,
): Float64Array {
  return Float64Array.from({ length: count }, (_, r) => {
    const n = last.length / count;
    let g = last.slice(r * n, (r + 1) * n);
    let offset = decided.length;
    for (let k = widths.length - 1; k >= 0; k--) {
      offset -= widths[k];
      const { weight, columns } = layers[k];
      const next = new Float64Array(columns);
      for (let i = 0; i < widths[k]; i++) {
        const sign = decided[offset + i] || (lower[offset + i] > 0 ? 1 : -1);
        const q = g[i] * kinks[offset + i][sign > 0 ? 1 : 0];
        for (let j = 0; j < columns; j++) next[j] += q * weight[i * columns + j];
      }
      g = next;
    }
    return g.reduce((sum, value) => sum + Math.abs(value), 0);
  });
}
