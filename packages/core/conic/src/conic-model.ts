import { checkOptions, requireObject, ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import { AffineMatrix } from "./affine-matrix.js";
import { chordalDecompose } from "./chordal.js";
import { svecLength } from "./cones.js";
import type { ConicOptions } from "./conic-options.js";
import { type LinearRow, type Lmi, lmiToConic, type SymmetricEntries } from "./lmi.js";
import type { ConicProblem } from "./problem.js";
import { type ConicResult, solveConic } from "./solve-conic.js";

/** Shape of a variable. */
export type VariableShape =
  | { readonly rows: number; readonly columns: number }
  | { readonly symmetric: number }
  | { readonly diagonal: number };

/** A sum of squares in the objective, sum_k weights_k entry_k^2 / 2. */
export interface WeightedSquares {
  /** Any shape; entries are taken row by row. */
  readonly of: AffineMatrix;
  /** Nonnegative, one per entry; default 1. */
  readonly weights?: ArrayLike<number>;
}

/** Result of {@link ConicModel.solve}. */
export interface ConicModelResult extends ConicResult {
  /** Value of a variable or of any expression of variables, `[rows, columns]` row-major. */
  value(expression: AffineMatrix): Float64Array;
  /**
   * Dual variable of a constraint: one value per entry, row-major; of a `semidefinite` one its svec. The Lagrangian is the
   * objective plus the products with `zero` constraints, minus those with all others.
   */
  dual(name: string): Float64Array;
}

/** Rows of a constraint within those of its kind. */
interface Place {
  readonly kind: "zero" | "nonnegative" | "secondOrder" | "semidefinite";
  readonly first: number;
  readonly length: number;
}

/**
 * A small modelling layer: named matrix variables, affine expressions of them, named constraints, a linear objective with
 * sums of squares, and back by name.
 *
 * @example
 * ```ts
 * import { AffineMatrix, ConicModel } from "@offprint/conic";
 *
 * // The largest eigenvalue of [[2, 1], [1, 0]] is the least t with t I - A >= 0.
 * const model = new ConicModel();
 * const t = model.variable("t");
 * const A = AffineMatrix.constant([[2, 1], [1, 0]]);
 * model.semidefinite("t I - A", t.kroneckerIdentity(2).minus(A));
 * model.minimise(t);
 * console.log((await model.solve()).objective.toFixed(4)); // 2.4142
 * ```
 */
export class ConicModel {
  private readonly names: string[] = [];
  private readonly taken = new Set<string>();
  private readonly places = new Map<string, Place>();
  private readonly equalities: LinearRow[] = [];
  private readonly inequalities: LinearRow[] = [];
  private readonly nonnegativeVariables: number[] = [];
  private readonly cones: LinearRow[][] = [];
  private readonly lmis: { readonly lmi: Lmi; readonly chordal: boolean }[] = [];
  private linear: AffineMatrix = AffineMatrix.zeros(1, 1);
  private squares: readonly WeightedSquares[] = [];

  /**
   * Adds a variable; a scalar where no shape is given.
   *
   * @param options.nonneg every entry must be nonnegative; default false
   * @throws ValueError for a name used twice, an empty shape, or options that there are not
   */
  variable(
    name: string,
    shape: VariableShape = { rows: 1, columns: 1 },
    options: { nonneg?: boolean } = {},
  ): AffineMatrix {
    if (this.taken.has(name)) throw new ValueError(`variable: "${name}" is there already; choose another name`);
    requireObject("variable", "shape", shape, "{ rows, columns }, { symmetric } or { diagonal }");
    checkOptions(`variable: shape of "${name}"`, shape, ["rows", "columns", "symmetric", "diagonal"]);
    checkOptions(`variable: "${name}"`, options, ["nonneg"]);
    const [rows, columns] =
      "symmetric" in shape
        ? [shape.symmetric, shape.symmetric]
        : "diagonal" in shape
          ? [shape.diagonal, shape.diagonal]
          : [shape.rows, shape.columns];
    if (!(Number.isInteger(rows) && Number.isInteger(columns) && rows > 0 && columns > 0)) {
      throw new ValueError(`variable: "${name}" of shape [${rows}, ${columns}] must have positive integer extents`);
    }
    this.taken.add(name);
    const terms = new Map<number, Map<number, number>>();
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        if ("diagonal" in shape ? i !== j : "symmetric" in shape && j > i) continue;
        const entries = new Map([[i * columns + j, 1]]);
        if ("symmetric" in shape) entries.set(j * columns + i, 1);
        if (options.nonneg) this.nonnegativeVariables.push(this.names.length);
        terms.set(this.names.length, entries);
        this.names.push(`${name}[${i}, ${j}]`);
      }
    }
    return new AffineMatrix(rows, columns, new Float64Array(rows * columns), terms);
  }

  /** Demands that every entry is zero. @throws ValueError for a name used twice */
  zero(name: string, expression: AffineMatrix): void {
    requireAffine("zero", expression);
    this.claim(name, "zero", this.equalities.length, expression.constant.length);
    this.equalities.push(...linearRows(expression));
  }

  /** Demands that every entry is nonnegative. @throws ValueError for a name used twice */
  nonnegative(name: string, expression: AffineMatrix): void {
    requireAffine("nonnegative", expression);
    this.claim(name, "nonnegative", this.inequalities.length, expression.constant.length);
    this.inequalities.push(...linearRows(expression));
  }

  /** Demands of every row (t, v) that ||v||_2 <= t. @throws ValueError for a name used twice */
  secondOrder(name: string, expression: AffineMatrix): void {
    requireAffine("secondOrder", expression);
    const { columns } = expression;
    const before = this.cones.reduce((sum, { length }) => sum + length, 0);
    this.claim(name, "secondOrder", before, expression.constant.length);
    const rows = linearRows(expression);
    for (let k = 0; k < rows.length; k += columns) this.cones.push(rows.slice(k, k + columns));
  }

  /**
   * Demands that a symmetric expression is positive semidefinite.
   *
   * @param options.chordal splits it into the cliques of its sparsity pattern (exact; it has no dual then); default false
   * @throws ShapeError and ValueError unless it is square and symmetric, or for a name used twice
   */
  semidefinite(name: string, expression: AffineMatrix, options: { chordal?: boolean } = {}): void {
    requireAffine("semidefinite", expression);
    checkOptions("semidefinite", options, ["chordal"]);
    const { rows: n, columns } = expression;
    if (n !== columns) throw new ShapeError(`semidefinite: "${name}" is [${n}, ${columns}]; it must be square`);
    const constant = new Map<number, number>();
    for (let p = 0; p < n * n; p++) if (expression.constant[p] !== 0) constant.set(p, expression.constant[p]);
    const coefficients = new Map<number, SymmetricEntries>();
    for (const [k, entries] of expression.terms) coefficients.set(k, lowerEntries(name, entries, n));
    this.claim(name, "semidefinite", this.lmis.length, 1);
    const lmi = { order: n, constant: lowerEntries(name, constant, n), coefficients };
    this.lmis.push({ lmi, chordal: options.chordal ?? false });
  }

  /**
   * Sets the objective: a `[1, 1]` expression, and sums of squares. Constants count in the result's objective.
   *
   * @throws ShapeError for another shape or number of weights
   */
  minimise(expression: AffineMatrix, ...squares: readonly WeightedSquares[]): void {
    requireAffine("minimise", expression);
    if (expression.rows !== 1 || expression.columns !== 1) {
      throw new ShapeError(`minimise: the objective must be [1, 1], got [${expression.rows}, ${expression.columns}]`);
    }
    for (const { of, weights } of squares) {
      requireAffine("minimise: squares of", of);
      if (weights !== undefined && weights.length !== of.constant.length) {
        throw new ShapeError(`minimise: ${of.constant.length} squares have ${weights.length} weights`);
      }
    }
    this.linear = expression;
    this.squares = squares;
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
    const { c, P } = this.objective(count);
    const { nonnegativeVariables: nonnegative, equalities, inequalities, cones: secondOrder } = this;
    const problem = lmiToConic({ c, lmis, nonnegative, equalities, inequalities, secondOrder });
    return P === undefined ? problem : { ...problem, P };
  }

  /** Solves the programme; see `solveConic`. */
  async solve(options: ConicOptions = {}): Promise<ConicModelResult> {
    const result = await solveConic(this.build(), options);
    const constant = this.constant();
    return {
      ...result,
      objective: result.objective + constant,
      dualObjective: result.dualObjective + constant,
      value: (expression) => expression.at(result.x),
      dual: (name) => this.dualOf(name, result.y),
    };
  }

  private claim(name: string, kind: Place["kind"], first: number, length: number): void {
    if (this.places.has(name)) throw new ValueError(`"${name}" is a constraint already; choose another name`);
    this.places.set(name, { kind, first, length });
  }

  /** w (a^T x + b)^2 / 2 = x^T (w a a^T) x / 2 + w b a^T x + w b^2 / 2. */
  private objective(count: number): { c: Float64Array; P: sparse.SparseMatrix | undefined } {
    const c = new Float64Array(count);
    for (const [k, entries] of this.linear.terms) for (const value of entries.values()) c[k] += value;
    const [rows, columns, values]: [number[], number[], number[]] = [[], [], []];
    for (const { of, weights } of this.squares) {
      for (const [p, { coefficients, value }] of linearRows(of).entries()) {
        const weight = weights?.[p] ?? 1;
        for (const [i, left] of coefficients) {
          c[i] -= weight * value * left;
          for (const [j, right] of coefficients) {
            rows.push(i);
            columns.push(j);
            values.push(weight * left * right);
          }
        }
      }
    }
    return { c, P: rows.length === 0 ? undefined : sparse.fromTriplets(count, count, rows, columns, values) };
  }

  private constant(): number {
    return this.squares.reduce(
      (sum, { of, weights }) => of.constant.reduce((own, b, p) => own + ((weights?.[p] ?? 1) * b * b) / 2, sum),
      this.linear.constant[0],
    );
  }

  private dualOf(name: string, y: Float64Array): Float64Array {
    const place = this.places.get(name);
    if (place === undefined) throw new ValueError(`dual: there is no constraint "${name}"`);
    const { kind, first, length } = place;
    const linear = this.equalities.length + this.inequalities.length;
    const cones = linear + this.nonnegativeVariables.length;
    if (kind === "zero") return y.slice(first, first + length);
    if (kind === "nonnegative") return y.slice(this.equalities.length + first, this.equalities.length + first + length);
    if (kind === "secondOrder") return y.slice(cones + first, cones + first + length);
    if (this.lmis.slice(0, first + 1).some(({ chordal }) => chordal)) {
      throw new ValueError(`dual: "${name}" is or stands behind a chordal inequality, which has no dual of its own`);
    }
    const orders = this.lmis.slice(0, first).reduce((sum, { lmi }) => sum + svecLength(lmi.order), 0);
    const start = cones + this.cones.reduce((sum, rows) => sum + rows.length, 0) + orders;
    return y.slice(start, start + svecLength(this.lmis[first].lmi.order));
  }
}

function requireAffine(owner: string, expression: AffineMatrix): void {
  if (expression?.terms instanceof Map) return;
  throw new ValueError(
    `${owner}: give an AffineMatrix: a variable, or AffineMatrix.constant([[...]]), or sums of such`,
  );
}

function lowerEntries(name: string, entries: ReadonlyMap<number, number>, n: number): SymmetricEntries {
  const [rows, columns, values]: [number[], number[], number[]] = [[], [], []];
  for (const [place, value] of entries) {
    const [i, j] = [Math.floor(place / n), place % n];
    const mirrored = entries.get(j * n + i) ?? 0;
    if (Math.abs(value - mirrored) > 1e-9 * Math.max(1, Math.abs(value))) {
      throw new ValueError(`semidefinite: "${name}" is not symmetric at (${i}, ${j}): ${value} and ${mirrored}`);
    }
    if (j > i) continue;
    rows.push(i);
    columns.push(j);
    values.push((value + mirrored) / 2);
  }
  return { rows, columns, values };
}

/** Rows `coefficients x - value` of the entries. */
function linearRows(expression: AffineMatrix): LinearRow[] {
  const rows = Array.from(expression.constant, (value) => ({ coefficients: new Map<number, number>(), value: -value }));
  for (const [k, entries] of expression.terms) {
    for (const [place, value] of entries) rows[place].coefficients.set(k, value);
  }
  return rows;
}
