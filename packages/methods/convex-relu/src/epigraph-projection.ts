/**
 * @internal Projects `(r, t)`, stored as d + 1 numbers from `at` on, onto {||r||_1 <= t}, in place: a soft threshold at
 * the theta that solves sum_c (|r_c| - theta)_+ = t + theta. `scratch` `[d]` is overwritten.
 */
export function projectL1Epigraph(values: Float64Array, at: number, d: number, scratch: Float64Array): void {
  const t = values[at + d];
  let sum = 0;
  let largest = 0;
  for (let c = 0; c < d; c++) {
    scratch[c] = Math.abs(values[at + c]);
    sum += scratch[c];
    largest = Math.max(largest, scratch[c]);
  }
  if (sum <= t) return;
  if (t <= -largest) {
    values.fill(0, at, at + d + 1);
    return;
  }
  sortAscending(scratch, d);
  let theta = 0;
  let partial = 0;
  for (let count = 1; count <= d; count++) {
    partial += scratch[d - count];
    theta = (partial - t) / (count + 1);
    if (count === d || theta >= scratch[d - count - 1]) break;
  }
  for (let c = 0; c < d; c++) {
    const r = values[at + c];
    values[at + c] = Math.sign(r) * Math.max(Math.abs(r) - theta, 0);
  }
  values[at + d] = t + theta;
}

/** By insertion: d is small, and the sort of typed arrays costs more than that. */
function sortAscending(values: Float64Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const value = values[i];
    let j = i - 1;
    for (; j >= 0 && values[j] > value; j--) values[j + 1] = values[j];
    values[j + 1] = value;
  }
}
