import { solveConic } from "@offprint/conic";
import { hostTensor } from "@offprint/tensor-core";
import { kinksOf } from "./activation-lines.js";
import type { CheckedBox } from "./box.js";
import type { Branch } from "./branch.js";
import type { CheckedNetwork } from "./checked-network.js";
import { relativeError, TINY } from "./rounding.js";

/** What comes before a neuron's activation, as a function of the input: `a x + b` up to `error` in the box. */
interface Affine {
  readonly a: Float64Array;
  readonly b: number;
  readonly error: number;
}

/** The rows of all neurons of a branch in which every slope is decided. */
function affineRows(
  { layers, widths, activations }: CheckedNetwork,
  { decided, lower }: Branch,
  reach: Float64Array,
): Affine[] {
  const all: Affine[] = [];
  let before: Affine[] = Array.from(reach.keys(), (j) => ({
    a: Float64Array.from(reach, (_, i) => (i === j ? 1 : 0)),
    b: 0,
    error: 0,
  }));
  let offset = 0;
  for (const [k, n] of widths.entries()) {
    const { weight, bias, columns } = layers[k];
    const kinks = kinksOf(activations[k]);
    const rows: Affine[] = [];
    for (let i = 0; i < n; i++) {
      const a = new Float64Array(reach.length);
      let [b, error, size] = [bias[i], 0, Math.abs(bias[i])];
      for (let j = 0; j < columns; j++) {
        const w = weight[i * columns + j];
        const h = before[j];
        b += w * h.b;
        error += Math.abs(w) * h.error;
        size += Math.abs(w * h.b);
        for (let p = 0; p < a.length; p++) {
          a[p] += w * h.a[p];
          size += Math.abs(w * h.a[p]) * reach[p];
        }
      }
      rows.push({ a, b, error: error * (1 + 1e-12) + relativeError(2 * columns) * size });
    }
    all.push(...rows);
    before = rows.map(({ a, b, error }, i) => {
      const [down, up] = kinks[i % kinks.length]!;
      const sign = decided[offset + i] || (lower[offset + i] >= 0 ? 1 : -1);
      const slope = sign > 0 ? up : down;
      return {
        a: a.map((each) => slope * each),
        b: slope * b,
        // The product is rounded, too.
        error:
          Math.abs(slope) * error +
          relativeError(2) *
            Math.abs(slope) *
            (Math.abs(b) + a.reduce((s, each, p) => s + Math.abs(each) * reach[p], 0)),
      };
    });
    offset += n;
  }
  return all;
}

/**
 * @internal Whether it is proved that a branch, in which every sign is decided, has no input: a combination of its
 * inequalities with positive factors is below 0 in all of the box, rounding errors included.
 */
export async function provedEmpty(network: CheckedNetwork, box: CheckedBox, branch: Branch): Promise<boolean> {
  const d = network.inputs;
  const reach = box.lower.map((l, j) => Math.max(Math.abs(l), Math.abs(box.upper[j])));
  const rows = affineRows(network, branch, reach);
  const signed = Array.from(branch.decided.keys()).filter((i) => branch.decided[i] !== 0);
  if (signed.length === 0) return false;
  // sign (a x + b) >= 0 for each; the largest t with sign (a x + b) >= t size is negative where there is no input.
  const m = signed.length;
  const A = new Float64Array((m + 2 * d) * (d + 1));
  const b = new Float64Array(m + 2 * d);
  const sizes = signed.map((i) =>
    Math.max(TINY, Math.abs(rows[i].b) + rows[i].a.reduce((s, v, j) => s + Math.abs(v) * reach[j], 0)),
  );
  for (const [k, i] of signed.entries()) {
    const sign = branch.decided[i] / sizes[k];
    for (let j = 0; j < d; j++) A[k * (d + 1) + j] = -sign * rows[i].a[j];
    A[k * (d + 1) + d] = 1;
    b[k] = sign * rows[i].b;
  }
  for (let j = 0; j < d; j++) {
    A[(m + j) * (d + 1) + j] = 1;
    b[m + j] = box.upper[j];
    A[(m + d + j) * (d + 1) + j] = -1;
    b[m + d + j] = -box.lower[j];
  }
  const c = new Float64Array(d + 1);
  c[d] = -1;
  const { y } = await solveConic(
    { A: hostTensor(A, [m + 2 * d, d + 1], "float64"), b, c, cones: { l: m + 2 * d } },
    { tolerance: 1e-9 },
  );
  const factors = signed.map((_, k) => Math.max(0, y[k]));
  if (!factors.every(Number.isFinite)) return false;
  // sum of factors times sign (a x + b) / size: its largest value in the box, against its errors.
  const total = new Float64Array(d);
  let [most, error] = [0, 0];
  for (const [k, i] of signed.entries()) {
    const factor = (factors[k] * branch.decided[i]) / sizes[k];
    for (let j = 0; j < d; j++) total[j] += factor * rows[i].a[j];
    most += factor * rows[i].b;
    error += Math.abs(factor) * rows[i].error + relativeError(m + d) * factors[k];
  }
  for (let j = 0; j < d; j++) most += Math.max(total[j] * box.lower[j], total[j] * box.upper[j]);
  return most + error < 0;
}
