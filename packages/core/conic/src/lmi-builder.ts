import { ShapeError, ValueError } from "@offprint/tensor-core";
import { AffineMatrix } from "./affine-matrix.js";
import { chordalDecompose } from "./chordal.js";
import type { ConicOptions } from "./conic-options.js";
import { type LinearRow, type Lmi, lmiToConic, type SymmetricEntries } from "./lmi.js";
import type { ConicProblem } from "./problem.js";
import { type ConicResult, solveConic } from "./solve-conic.js";

/** Shape of a variable. */
export type VariableShape =
  | { readonly rows: number; readonly columns: number }
  | { readonly symmetric: number }
  | { readonly diagonal: number };

/** Result of {@link LmiBuilder.solve}. */
export interface LmiResult extends ConicResult {
  /** Value of a variable, `[rows, columns]` row-major. */
  value(variable: AffineMatrix): Float64Array;
}

/**
 * A small modelling layer: matrix variables, affine expressions of them, matrix inequalities, one linear objective.
 *
 * @example
 * ```ts
 * import { AffineMatrix, LmiBuilder } from "@offprint/conic";
 *
 * // The largest eigenvalue of [[2, 1], [1, 0]] is the least t with t I - A >= 0.
 * const builder = new LmiBuilder();
 * const t = builder.variable("t");
 * const A = AffineMatrix.constant([[2, 1], [1, 0]]);
 * builder.addLmi(t.kroneckerIdentity(2).minus(A));
 * builder.minimise(t);
 * console.log((await builder.solve()).objective.toFixed(4)); // 2.4142
 * ```
 */
export class LmiBuilder {
  private readonly names: string[] = [];
  private readonly taken = new Set<string>();
  private readonly lmis: { readonly lmi: Lmi; readonly chordal: boolean }[] = [];
  private readonly nonnegative: number[] = [];
  private readonly equalities: LinearRow[] = [];
  private readonly inequalities: LinearRow[] = [];
  private objective: AffineMatrix = AffineMatrix.zeros(1, 1);

  /**
   * Adds a variable; a scalar where no shape is given.
   *
   * @param options.nonneg every entry must be nonnegative; default false
   * @throws ValueError for a name used twice or an empty shape
   */
  variable(
    name: string,
    shape: VariableShape = { rows: 1, columns: 1 },
    options: { nonneg?: boolean } = {},
  ): AffineMatrix {
    if (this.taken.has(name)) throw new ValueError(`variable: "${name}" is there already; choose another name`);
    this.taken.add(name);
    const [rows, columns] =
      "symmetric" in shape
        ? [shape.symmetric, shape.symmetric]
        : "diagonal" in shape
          ? [shape.diagonal, shape.diagonal]
          : [shape.rows, shape.columns];
    if (!(Number.isInteger(rows) && Number.isInteger(columns) && rows > 0 && columns > 0)) {
      throw new ValueError(`variable: "${name}" of shape [${rows}, ${columns}] must have positive integer extents`);
    }
    const terms = new Map<number, Map<number, number>>();
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        if ("diagonal" in shape ? i !== j : "symmetric" in shape && j > i) continue;
        const entries = new Map([[i * columns + j, 1]]);
        if ("symmetric" in shape) entries.set(j * columns + i, 1);
        if (options.nonneg) this.nonnegative.push(this.names.length);
        terms.set(this.names.length, entries);
        this.names.push(`${name}[${i}, ${j}]`);
      }
    }
    return new AffineMatrix(rows, columns, new Float64Array(rows * columns), terms);
  }

  /**
   * Demands that a symmetric expression is positive semidefinite.
   *
   * @param options.chordal splits it into the cliques of its sparsity pattern (exact); default false
   * @throws ShapeError or ValueError unless it is square and symmetric
   */
  addLmi(expression: AffineMatrix, options: { chordal?: boolean } = {}): void {
    const { rows: n, columns } = expression;
    if (n !== columns) throw new ShapeError(`addLmi: the expression is [${n}, ${columns}]; it must be square`);
    const constant = new Map<number, number>();
    for (let p = 0; p < n * n; p++) if (expression.constant[p] !== 0) constant.set(p, expression.constant[p]);
    const coefficients = new Map<number, SymmetricEntries>();
    for (const [k, entries] of expression.terms) coefficients.set(k, lowerEntries(entries, n));
    const lmi = { order: n, constant: lowerEntries(constant, n), coefficients };
    this.lmis.push({ lmi, chordal: options.chordal ?? false });
  }

  /** Demands that every entry of an expression is nonnegative. */
  addNonnegative(expression: AffineMatrix): void {
    this.inequalities.push(...linearRows(expression));
  }

  /** Demands that every entry of an expression is zero. */
  addEquality(expression: AffineMatrix): void {
    this.equalities.push(...linearRows(expression));
  }

  /** Sets the objective, a `[1, 1]` expression; a constant in it is added to the result's objective. */
  minimise(expression: AffineMatrix): void {
    if (expression.rows !== 1 || expression.columns !== 1) {
      throw new ShapeError(`minimise: the objective must be [1, 1], got [${expression.rows}, ${expression.columns}]`);
    }
    this.objective = expression;
  }

  /** The programme in conic form; its variables are the entries in the order in which they were added. */
  build(): ConicProblem {
    let count = this.names.length;
    const lmis: Lmi[] = [];
    for (const { lmi, chordal } of this.lmis) {
      if (!chordal) {
        lmis.push(lmi);
        continue;
      }
      const decomposed = chordalDecompose(lmi, count);
      lmis.push(...decomposed.lmis);
      count += decomposed.slacks;
    }
    const c = new Float64Array(count);
    for (const [k, entries] of this.objective.terms) for (const value of entries.values()) c[k] += value;
    const { nonnegative, equalities, inequalities } = this;
    return lmiToConic({ c, lmis, nonnegative, equalities, inequalities });
  }

  /** Solves the programme; see `solveConic`. */
  async solve(options: ConicOptions = {}): Promise<LmiResult> {
    const result = await solveConic(this.build(), options);
    const constant = this.objective.constant[0];
    return {
      ...result,
      objective: result.objective + constant,
      dualObjective: result.dualObjective + constant,
      value: (variable) => variable.at(result.x),
    };
  }
}

function lowerEntries(entries: ReadonlyMap<number, number>, n: number): SymmetricEntries {
  const [rows, columns, values]: [number[], number[], number[]] = [[], [], []];
  for (const [place, value] of entries) {
    const [i, j] = [Math.floor(place / n), place % n];
    const mirrored = entries.get(j * n + i) ?? 0;
    if (Math.abs(value - mirrored) > 1e-9 * Math.max(1, Math.abs(value))) {
      throw new ValueError(`addLmi: the expression is not symmetric at (${i}, ${j}): ${value} and ${mirrored}`);
    }
    if (j > i) continue;
    rows.push(i);
    columns.push(j);
    values.push((value + mirrored) / 2);
  }
  return { rows, columns, values };
}

function linearRows(expression: AffineMatrix): LinearRow[] {
  const rows = Array.from(expression.constant, (value) => ({ coefficients: new Map<number, number>(), value: -value }));
  for (const [k, entries] of expression.terms) {
    for (const [place, value] of entries) rows[place].coefficients.set(k, value);
  }
  return rows;
}
