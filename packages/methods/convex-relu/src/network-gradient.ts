import { type Loss, lossGradient, lossSum } from "./loss.js";

/** @internal A network and data as plain arrays: U `[d, m]`, a `[m]`, rows `[n, d]` with the column of ones. */
export interface NetworkArrays {
  readonly U: Float64Array;
  readonly a: Float64Array;
  readonly d: number;
  readonly m: number;
}

/**
 * @internal Loss of the network, summed over the samples, and its gradients by U, a and the rows, each where an array is
 * given for it. The derivative of a neuron at 0 counts as 0.
 */
export function networkGradient(
  { U, a, d, m }: NetworkArrays,
  loss: Loss,
  rows: Float64Array,
  y: Float64Array,
  out: { U?: Float64Array; a?: Float64Array; rows?: Float64Array },
): number {
  const n = y.length;
  const hidden = new Float64Array(n * m);
  const f = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const h = k * m;
    for (let c = 0; c < d; c++) {
      const x = rows[k * d + c];
      for (let j = 0, p = c * m; j < m; j++, p++) hidden[h + j] += x * U[p];
    }
    for (let j = 0; j < m; j++) if (hidden[h + j] > 0) f[k] += hidden[h + j] * a[j];
  }
  const value = lossSum(loss, f, y);
  lossGradient(loss, f, y, f);
  out.U?.fill(0);
  out.a?.fill(0);
  out.rows?.fill(0);
  const back = new Float64Array(m);
  for (let k = 0; k < n; k++) {
    const h = k * m;
    for (let j = 0; j < m; j++) {
      const active = hidden[h + j] > 0;
      back[j] = active ? f[k] * a[j] : 0;
      if (active && out.a !== undefined) out.a[j] += f[k] * hidden[h + j];
    }
    for (let c = 0; c < d; c++) {
      const x = rows[k * d + c];
      const p = c * m;
      if (out.U !== undefined) for (let j = 0; j < m; j++) out.U[p + j] += x * back[j];
      if (out.rows !== undefined) {
        let sum = 0;
        for (let j = 0; j < m; j++) sum += U[p + j] * back[j];
        out.rows[k * d + c] = sum;
      }
    }
  }
  return value;
}
