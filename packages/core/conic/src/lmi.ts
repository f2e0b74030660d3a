import { checkOptions, requireInteger, requireObject, ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import { svecLength } from "./cones.js";
import type { ConicProblem } from "./problem.js";
import { svecIndex } from "./svec.js";

/** A sparse symmetric matrix by its lower triangle: `values[k]` stands at (`rows[k]`, `columns[k]`), rows >= columns. */
export interface SymmetricEntries {
  /** Row indices. */
  readonly rows: ArrayLike<number>;
  /** Column indices, none larger than its row. */
  readonly columns: ArrayLike<number>;
  /** Values; duplicates add up. */
  readonly values: ArrayLike<number>;
}

/** The linear matrix inequality `F_0 + sum_k x_k F_k >= 0` (positive semidefinite). */
export interface Lmi {
  /** Order n of the matrices. */
  readonly order: number;
  /** F_0. */
  readonly constant: SymmetricEntries;
  /** F_k by the index of its variable; a variable that is left out has F_k = 0. */
  readonly coefficients: ReadonlyMap<number, SymmetricEntries>;
}

/** The nonzero entries of the lower triangle of a dense matrix `[n, n]`, row-major. */
export function symmetricEntries(matrix: ArrayLike<number>, n: number): SymmetricEntries {
  requireObject("symmetricEntries", "matrix", matrix, "an array of numbers");
  if (matrix.length !== n * n) {
    throw new ShapeError(`symmetricEntries: order ${n} needs ${n * n} values, got ${matrix.length}`);
  }
  const [rows, columns, values]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      if (matrix[i * n + j] === 0) continue;
      rows.push(i);
      columns.push(j);
      values.push(matrix[i * n + j]);
    }
  }
  return { rows, columns, values };
}

/** A linear objective under sign, equality and matrix constraints on `x`. */
export interface LmiProblem {
  /** Objective `c` `[n]`, which is minimised. */
  readonly c: ArrayLike<number>;
  /** The matrix inequalities. */
  readonly lmis: readonly Lmi[];
  /** Variables that must not be negative; default none. */
  readonly nonnegative?: readonly number[];
  /** Rows `sum_k coefficients[k] x_k = value`; default none. */
  readonly equalities?: readonly LinearRow[];
  /** Rows `sum_k coefficients[k] x_k >= value`; default none. */
  readonly inequalities?: readonly LinearRow[];
  /** Second-order cones, each by its rows `sum_k coefficients[k] x_k - value`, the bound of the norm first; default none. */
  readonly secondOrder?: readonly (readonly LinearRow[])[];
}

/** A linear expression in the variables, and what it is compared with. */
export interface LinearRow {
  /** Coefficients by variable. */
  readonly coefficients: ReadonlyMap<number, number>;
  /** Right-hand side. */
  readonly value: number;
}

/**
 * Checks that an inequality is one.
 *
 * @internal
 * @throws ValueError and ShapeError
 */
export function checkLmi(owner: string, lmi: Lmi): void {
  requireObject(owner, "lmi", lmi, "an Lmi");
  checkOptions(`${owner}: lmi`, lmi, ["order", "constant", "coefficients"], ["order", "constant", "coefficients"]);
  const { order, constant, coefficients } = lmi;
  requireInteger(owner, "order", order, 1);
  if (!(coefficients instanceof Map)) {
    throw new ValueError(`${owner}: the coefficients of an LMI are ${typeof coefficients}; give a Map by variable`);
  }
  for (const entries of [constant, ...coefficients.values()]) checkEntries(owner, order, entries);
}

function checkEntries(owner: string, order: number, entries: SymmetricEntries): void {
  const names = ["rows", "columns", "values"] as const;
  checkOptions(`${owner}: entries`, entries, names, names);
  const { rows, columns, values } = entries;
  if (rows.length !== values.length || columns.length !== values.length) {
    throw new ShapeError(
      `${owner}: an LMI has ${rows.length} rows, ${columns.length} columns and ${values.length} values; give as many of each`,
    );
  }
  for (let k = 0; k < values.length; k++) {
    const [i, j] = [rows[k], columns[k]];
    if (!(Number.isInteger(i) && Number.isInteger(j) && j >= 0 && i >= j && i < order)) {
      throw new ValueError(
        `${owner}: an entry of an LMI of order ${order} stands at (${i}, ${j}); give its lower triangle`,
      );
    }
    if (!Number.isFinite(values[k])) {
      throw new ValueError(`${owner}: an LMI has ${values[k]} at (${i}, ${j}); all values must be finite`);
    }
  }
}

const problemFields = ["c", "lmis", "nonnegative", "equalities", "inequalities", "secondOrder"];

function checkRow(row: LinearRow): void {
  checkOptions("lmiToConic: a row", row, ["coefficients", "value"], ["coefficients", "value"]);
  if (!(row.coefficients instanceof Map)) {
    throw new ValueError(
      `lmiToConic: the coefficients of a row are ${typeof row.coefficients}; give a Map by variable`,
    );
  }
}

/**
 * The conic form: `A[:, k] = -svec(F_k)`, `b = svec(F_0)` for every inequality.
 *
 * @throws ValueError and ShapeError for inequalities and rows that are none
 */
export function lmiToConic(problem: LmiProblem): ConicProblem {
  requireObject("lmiToConic", "problem", problem, "{ c, lmis }");
  checkOptions("lmiToConic", problem, problemFields, ["c", "lmis"]);
  const n = problem.c.length;
  const triplets = new Triplets(n);
  const b: number[] = [];
  const { equalities = [], inequalities = [], nonnegative = [], secondOrder = [], lmis } = problem;
  for (const row of [...equalities, ...inequalities, ...secondOrder.flat()]) checkRow(row);
  for (const lmi of lmis) checkLmi("lmiToConic", lmi);
  for (const { coefficients, value } of equalities) {
    for (const [k, factor] of coefficients) triplets.add(b.length, k, factor);
    b.push(value);
  }
  for (const { coefficients, value } of inequalities) {
    for (const [k, factor] of coefficients) triplets.add(b.length, k, -factor);
    b.push(-value);
  }
  for (const k of nonnegative) {
    triplets.add(b.length, k, -1);
    b.push(0);
  }
  for (const { coefficients, value } of secondOrder.flat()) {
    for (const [k, factor] of coefficients) triplets.add(b.length, k, -factor);
    b.push(-value);
  }
  for (const lmi of lmis) {
    const start = b.length;
    for (let i = 0; i < svecLength(lmi.order); i++) b.push(0);
    eachSvecEntry(lmi.order, lmi.constant, (place, value) => {
      b[start + place] += value;
    });
    for (const [k, entries] of lmi.coefficients) {
      eachSvecEntry(lmi.order, entries, (place, value) => triplets.add(start + place, k, -value));
    }
  }
  return {
    A: triplets.matrix(b.length),
    b,
    c: problem.c,
    cones: {
      z: equalities.length,
      l: inequalities.length + nonnegative.length,
      q: secondOrder.map(({ length }) => length),
      s: lmis.map(({ order }) => order),
    },
  };
}

class Triplets {
  private readonly rows: number[] = [];
  private readonly columns: number[] = [];
  private readonly values: number[] = [];

  constructor(private readonly variables: number) {}

  add(row: number, column: number, value: number): void {
    if (!(Number.isInteger(column) && column >= 0 && column < this.variables)) {
      throw new ValueError(`there are ${this.variables} variables in c, and a constraint uses number ${column}`);
    }
    this.rows.push(row);
    this.columns.push(column);
    this.values.push(value);
  }

  matrix(rows: number): sparse.CsrMatrix {
    return sparse.fromTriplets(rows, this.variables, this.rows, this.columns, this.values);
  }
}

function eachSvecEntry(order: number, entries: SymmetricEntries, visit: (place: number, value: number) => void): void {
  for (let k = 0; k < entries.values.length; k++) {
    const [i, j] = [entries.rows[k], entries.columns[k]];
    visit(svecIndex(i, j, order), i === j ? entries.values[k] : Math.SQRT2 * entries.values[k]);
  }
}
