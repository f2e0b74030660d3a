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

/** The neurons of a branch whose sign was chosen, and where in a box their inequalities hold best. */
async function widestPoint(rows: readonly Affine[], { decided }: Branch, lower: Float64Array, upper: Float64Array) {
  const d = lower.length;
  const signed = Array.from(decided.keys()).filter((i) => decided[i] !== 0);
  const m = signed.length;
  // x = centre + radius u with u in [-1, 1]: no unit of the inputs matters.
  const centre = lower.map((l, j) => l / 2 + upper[j] / 2);
  const radius = lower.map((l, j) => upper[j] / 2 - l / 2);
  const values = signed.map((i) => rows[i].b + rows[i].a.reduce((sum, v, j) => sum + v * centre[j], 0));
  const sizes = signed.map((i, k) =>
    Math.max(TINY, Math.abs(values[k]) + rows[i].a.reduce((sum, v, j) => sum + Math.abs(v) * radius[j], 0)),
  );
  // sign (a x + b) >= t size for each, with the largest t.
  const A = new Float64Array((m + 2 * d) * (d + 1));
  const b = new Float64Array(m + 2 * d).fill(1, m);
  for (const [k, i] of signed.entries()) {
    const sign = decided[i] / sizes[k];
    for (let j = 0; j < d; j++) A[k * (d + 1) + j] = -sign * rows[i].a[j] * radius[j];
    A[k * (d + 1) + d] = 1;
    b[k] = sign * values[k];
  }
  for (let j = 0; j < d; j++) {
    A[(m + j) * (d + 1) + j] = 1;
    A[(m + d + j) * (d + 1) + j] = -1;
  }
  const c = new Float64Array(d + 1);
  c[d] = -1;
  const { x: u, y } = await solveConic(
    { A: hostTensor(A, [m + 2 * d, d + 1], "float64"), b, c, cones: { l: m + 2 * d } },
    { tolerance: 1e-9 },
  );
  return {
    signed,
    sizes,
    factors: signed.map((_, k) => Math.max(0, y[k])),
    x: centre.map((v, j) => v + radius[j] * u[j]),
  };
}

const reachOf = (lower: Float64Array, upper: Float64Array) =>
  lower.map((l, j) => Math.max(Math.abs(l), Math.abs(upper[j])));

/**
 * @internal Whether it is proved that a branch, in which every sign is decided, has no input: a combination of its
 * inequalities with positive factors is below 0 in all of the box, rounding errors included.
 */
export async function provedEmpty(network: CheckedNetwork, box: CheckedBox, branch: Branch): Promise<boolean> {
  const rows = affineRows(network, branch, reachOf(box.lower, box.upper));
  if (!branch.decided.some((sign) => sign !== 0)) return false;
  const { signed, sizes, factors } = await widestPoint(rows, branch, box.lower, box.upper);
  if (!factors.every(Number.isFinite)) return false;
  // sum of factors times sign (a x + b) / size: its largest value in the box, against its errors.
  const d = network.inputs;
  const total = new Float64Array(d);
  let [most, error] = [0, 0];
  for (const [k, i] of signed.entries()) {
    const factor = (factors[k] * branch.decided[i]) / sizes[k];
    for (let j = 0; j < d; j++) total[j] += factor * rows[i].a[j];
    most += factor * rows[i].b;
    error += Math.abs(factor) * rows[i].error + relativeError(signed.length + d) * factors[k];
  }
  for (let j = 0; j < d; j++) most += Math.max(total[j] * box.lower[j], total[j] * box.upper[j]);
  return most + error < 0;
}

/**
 * @internal Whether the inputs of a branch, in which every sign is decided, are more than a face: somewhere around the box
 * all inequalities hold by more than rounding errors. As the inputs are convex, those of them in the box then have inner ones
 * beside them. A neuron that is 0 whatever the input has no sign to hold.
 */
export async function hasInterior(network: CheckedNetwork, box: CheckedBox, branch: Branch): Promise<boolean> {
  const reach = reachOf(box.lower, box.upper);
  const margin = Math.max(...reach) || 1;
  const [lower, upper] = [box.lower.map((l) => l - margin), box.upper.map((u) => u + margin)];
  const wide = reachOf(lower, upper);
  const rows = affineRows(network, branch, wide);
  const sizeOf = ({ a, b }: Affine) => a.reduce((sum, v, j) => sum + Math.abs(v) * wide[j], Math.abs(b));
  const decided = branch.decided.map((sign, i) => (sizeOf(rows[i]) > rows[i].error ? sign : 0));
  if (!decided.some((sign) => sign !== 0)) return true;
  const { signed, x } = await widestPoint(rows, { ...branch, decided }, lower, upper);
  return signed.every((i) => {
    const { a, b, error } = rows[i];
    return decided[i] * a.reduce((sum, v, j) => sum + v * x[j], b) > error + relativeError(x.length) * sizeOf(rows[i]);
  });
}
