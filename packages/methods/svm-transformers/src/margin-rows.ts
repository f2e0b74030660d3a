import { ValueError } from "@offprint/tensor-core";
import type { ReadExamples } from "./examples.js";

/** Constraints `(x_it - x_iu)^T W z_i >= 1` (or `= 0`): the differences of tokens, and which example they are of. */
export interface MarginRows {
  /** Differences u, a row of d numbers each. */
  readonly differences: readonly Float64Array[];
  /** The example of each. */
  readonly examples: readonly number[];
  /** The token that is to lose. */
  readonly losers: readonly number[];
}

/** One constraint for every token that is not among those selected, against each of those. */
export function marginRows(
  { tokens, mask, count, length, dimension }: ReadExamples,
  selected: readonly (readonly number[])[],
): MarginRows {
  const values = tokens.data();
  const seen = mask.data();
  const differences: Float64Array[] = [];
  const examples: number[] = [];
  const losers: number[] = [];
  for (let i = 0; i < count; i++) {
    for (const winner of selected[i]) {
      for (let t = 0; t < length; t++) {
        if (seen[i * length + t] === 0 || selected[i].includes(t)) continue;
        differences.push(
          differenceOf(values, (i * length + winner) * dimension, (i * length + t) * dimension, dimension),
        );
        examples.push(i);
        losers.push(t);
      }
    }
  }
  return { differences, examples, losers };
}

/** `x_a - x_b`. */
export function differenceOf(values: ArrayLike<number>, a: number, b: number, dimension: number): Float64Array {
  return Float64Array.from({ length: dimension }, (_, k) => values[a + k] - values[b + k]);
}

/** M / unit^2, `M_pq = (u_p . u_q) (z_p . z_q)`, so that W never is a vector of d^2 numbers. */
export function gramOf(rows: MarginRows, { queries, dimension }: ReadExamples, unit = 1): number[][] {
  const { differences, examples } = rows;
  const z = queries.data();
  const inner = (a: ArrayLike<number>, at: number, b: ArrayLike<number>, bt: number) => {
    let total = 0;
    for (let k = 0; k < dimension; k++) total += a[at + k] * b[bt + k];
    return total;
  };
  return differences.map((u, p) =>
    differences.map(
      (w, q) => (inner(u, 0, w, 0) / unit) * (inner(z, examples[p] * dimension, z, examples[q] * dimension) / unit),
    ),
  );
}

/** The size `|u| |z|` of each row. */
export function sizesOf({ differences, examples }: MarginRows, { queries, dimension: d }: ReadExamples): Float64Array {
  const z = queries.data();
  const squares = (values: ArrayLike<number>, from: number) => {
    let total = 0;
    for (let k = 0; k < d; k++) total += values[from + k] ** 2;
    return total;
  };
  return Float64Array.from(differences, (u, p) => Math.sqrt(squares(u, 0) * squares(z, examples[p] * d)));
}

/** The size of the largest row: what solvers take for 1, so that nothing depends on the unit of the tokens. */
export function unitOf(rows: MarginRows, read: ReadExamples): number {
  const largest = sizesOf(rows, read).reduce((most, size) => Math.max(most, size), 0);
  return largest > 0 ? largest : 1;
}

/** `sum_p b_p u_p z_p^T`, row-major. */
export function combined(
  rows: MarginRows,
  b: ArrayLike<number>,
  { queries, dimension: d }: ReadExamples,
): Float64Array {
  const z = queries.data();
  const w = new Float64Array(d * d);
  rows.differences.forEach((u, p) => {
    if (b[p] === 0) return;
    for (let i = 0; i < d; i++) {
      const factor = b[p] * u[i];
      for (let j = 0; j < d; j++) w[i * d + j] += factor * z[rows.examples[p] * d + j];
    }
  });
  return w;
}

/** `u_p^T W z_p` of every row. */
export function marginsOf(
  rows: MarginRows,
  w: ArrayLike<number>,
  { queries, dimension: d }: ReadExamples,
): Float64Array {
  const z = queries.data();
  return Float64Array.from(rows.differences, (u, p) => {
    let total = 0;
    for (let i = 0; i < d; i++) {
      let row = 0;
      for (let j = 0; j < d; j++) row += w[i * d + j] * z[rows.examples[p] * d + j];
      total += u[i] * row;
    }
    return total;
  });
}

/** The tokens that were chosen, one an example. @throws ValueError where one is not there. */
export function requireChoices(owner: string, { mask, count, length }: ReadExamples, choices: readonly number[]): void {
  if (!Array.isArray(choices) || choices.length !== count) {
    throw new ValueError(`${owner}: tokens must be ${count} numbers, a token of each example; got ${String(choices)}`);
  }
  const seen = mask.data();
  choices.forEach((token, i) => {
    if (Number.isInteger(token) && token >= 0 && token < length && seen[i * length + token] !== 0) return;
    throw new ValueError(
      `${owner}: token ${String(token)} of example ${i} is not there; it has ${length} at most, and a mask`,
    );
  });
}
