import { checkOptions, requireInteger, requireObject, ShapeError } from "@offprint/tensor-core";
import type { ConicOptions } from "./conic-options.js";
import { type LinearRow, lmiToConic, type SymmetricEntries } from "./lmi.js";
import { type ConicResult, solveConic } from "./solve-conic.js";

/** A constraint `<matrix, W> = value` or `<matrix, W> >= value`. */
export interface InnerProductConstraint {
  /** `[rows, columns]` row-major. */
  readonly matrix: ArrayLike<number>;
  /** Right-hand side. */
  readonly value: number;
}

/** What {@link nuclearNormMin} minimises under. */
export interface NuclearNormProblem {
  /** Rows of W. */
  readonly rows: number;
  /** Columns of W. */
  readonly columns: number;
  /** `<matrix, W> = value`; default none. */
  readonly equalities?: readonly InnerProductConstraint[];
  /** `<matrix, W> >= value`; default none. */
  readonly inequalities?: readonly InnerProductConstraint[];
}

/** Result of {@link nuclearNormMin}. */
export interface NuclearNormResult extends Pick<ConicResult, "status" | "iterations" | "history" | "state"> {
  /** `[rows, columns]` row-major. */
  readonly W: Float64Array;
  /** Sum of the singular values at the optimum. */
  readonly objective: number;
  /**
   * Multipliers b of the equalities, of any sign, and of the inequalities, nonnegative, in their order: the operator norm of
   * `sum b_i matrix_i` is at most 1 and `sum b_i value_i` the objective. Where the problem is infeasible they prove it.
   */
  readonly multipliers: Float64Array;
}

/**
 * Minimises the nuclear norm of W `[p, q]` under linear constraints, as (tr U + tr V) / 2 subject to
 * [[U, W], [W^T, V]] >= 0.
 *
 * @throws ShapeError for a constraint of another shape; ValueError for fields that are none
 */
export async function nuclearNormMin(
  problem: NuclearNormProblem,
  options: ConicOptions = {},
): Promise<NuclearNormResult> {
  requireObject("nuclearNormMin", "problem", problem, "{ rows, columns }");
  checkOptions("nuclearNormMin", problem, ["rows", "columns", "equalities", "inequalities"]);
  const { rows, columns, equalities = [], inequalities = [] } = problem;
  requireInteger("nuclearNormMin", "rows", rows, 1);
  requireInteger("nuclearNormMin", "columns", columns, 1);
  const order = rows + columns;
  const size = rows * columns;
  const coefficients = new Map<number, SymmetricEntries>();
  const c: number[] = [];
  const addVariable = (row: number, column: number, cost: number): void => {
    coefficients.set(c.length, { rows: [row], columns: [column], values: [1] });
    c.push(cost);
  };
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) addVariable(rows + j, i, 0);
  for (const [first, last] of [[0, rows] as const, [rows, order] as const]) {
    for (let i = first; i < last; i++) for (let j = first; j <= i; j++) addVariable(i, j, i === j ? 0.5 : 0);
  }
  const linear = (constraint: InnerProductConstraint): LinearRow => {
    checkOptions("nuclearNormMin: a constraint", constraint, ["matrix", "value"], ["matrix", "value"]);
    const { matrix, value } = constraint;
    if (matrix.length !== size) {
      throw new ShapeError(`nuclearNormMin: a constraint has ${matrix.length} entries; W has ${rows} x ${columns}`);
    }
    const entries = Array.from(matrix, (factor, k) => [k, factor] as const).filter(([, factor]) => factor !== 0);
    return { coefficients: new Map(entries), value };
  };
  const result = await solveConic(
    lmiToConic({
      c,
      lmis: [{ order, constant: { rows: [], columns: [], values: [] }, coefficients }],
      equalities: equalities.map(linear),
      inequalities: inequalities.map(linear),
    }),
    options,
  );
  const { status, objective, iterations, history, state } = result;
  const multipliers = result.y.slice(0, equalities.length + inequalities.length);
  for (let i = 0; i < equalities.length; i++) multipliers[i] *= -1;
  return { status, W: result.x.slice(0, size), objective, multipliers, iterations, history, state };
}
