import { isTensor, ShapeError, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { isVector } from "../minimize/search-space.js";
import { valueAndJacobian } from "./jacobian.js";
import { type Evaluation, type LeastSquaresState, roundingOf, withoutUnit } from "./least-squares-iteration.js";

/** Residuals as a plain function of `[n]` numbers: returns, or promises, `[m]` of them. */
export type PlainResiduals = (x: Float64Array) => ArrayLike<number> | Promise<ArrayLike<number>>;

/** Their Jacobian, row by row: `[m][n]`. */
export type PlainJacobian = (x: Float64Array) => Rows | Promise<Rows>;

/** Rows of a matrix. */
export type Rows = ArrayLike<ArrayLike<number>>;

/** @internal What the iteration knows of the user's residuals. */
export interface ResidualSpace {
  readonly start: Tensor;
  /** Whether residuals are operations of tensors. */
  readonly traceable: boolean;
  /** At a trial of `state`, the Jacobian may be left out (that of the state given) where the squares do not fall. */
  evaluate(x: Tensor, state?: LeastSquaresState): Evaluation | Promise<Evaluation>;
  /** The solution as the user gave it. */
  restore(x: Tensor): Tensor | Float64Array;
}

/** @internal The space that `initial` lies in. @throws ValueError for variables that are empty or not finite. */
export function residualSpace(
  owner: string,
  residuals: unknown,
  initial: unknown,
  jacobian: PlainJacobian | undefined,
): ResidualSpace {
  if (typeof residuals !== "function") {
    throw new ValueError(`${owner}: residuals is ${String(residuals)}; it must be a function`);
  }
  if (jacobian !== undefined && typeof jacobian !== "function") {
    throw new ValueError(`${owner}: jacobian is ${String(jacobian)}; it must be a function that gives rows`);
  }
  if (!isVector(initial) && !isTensor(initial)) {
    throw new ValueError(`${owner}: initial must be an array of numbers, or a tensor for functions of tensors`);
  }
  const start = isTensor(initial) ? initial : tensor(Float64Array.from(initial), { dtype: "float64" });
  if (start.rank < 1 || start.size === 0) {
    throw new ShapeError(`${owner}: initial has shape [${start.shape}]; give vectors along the last axis`);
  }
  const values = start.data();
  const wrong = values.findIndex((v: number) => !Number.isFinite(v));
  if (wrong >= 0) throw new ValueError(`${owner}: initial must be finite, got ${values[wrong]} at ${wrong}`);
  if (isTensor(initial)) return tensorSpace(owner, residuals as (x: Tensor) => Tensor, initial, jacobian);
  return plainSpace(owner, residuals as PlainResiduals, start, jacobian);
}

function tensorSpace(
  owner: string,
  residuals: (x: Tensor) => Tensor,
  start: Tensor,
  jacobian: PlainJacobian | undefined,
): ResidualSpace {
  if (jacobian !== undefined) {
    throw new ValueError(`${owner}: jacobian is for plain functions; that of functions of tensors is found`);
  }
  if (start.dtype !== "float64" && start.dtype !== "float32") {
    throw new ValueError(`${owner}: initial is ${start.dtype}; cast it to float64`);
  }
  const checked = (x: Tensor): Tensor => {
    const r = residuals(x);
    if (isTensor(r) && r.rank === x.rank && r.shape.slice(0, -1).join() === x.shape.slice(0, -1).join()) return r;
    throw new ShapeError(
      `${owner}: residuals gave ${isTensor(r) ? `shape [${r.shape}]` : typeof r} for x of shape [${x.shape}]; ` +
        "give [..., m] with the same leading axes",
    );
  };
  return { start, traceable: true, evaluate: (x) => valueAndJacobian(checked, x), restore: (x) => x };
}

function plainSpace(
  owner: string,
  residuals: PlainResiduals,
  start: Tensor,
  jacobian: PlainJacobian | undefined,
): ResidualSpace {
  const read = (value: unknown): Float64Array => {
    if (!isTensor(value) && isVector(value) && value.length > 0) return Float64Array.from(value);
    throw new ValueError(
      `${owner}: residuals gave ${isTensor(value) ? "a tensor" : typeof value}; a function of a vector gives an array ` +
        "of numbers. For functions of tensors give a tensor as initial",
    );
  };
  const vector = (values: Float64Array) => tensor(values, { dtype: "float64" });
  const matrix = (rows: Rows, m: number, n: number): Tensor => {
    const fits = rows.length === m && Array.from(rows).every((row) => row.length === n);
    if (!fits) throw new ShapeError(`${owner}: jacobian must give ${m} rows of ${n} numbers, one for each residual`);
    return tensor(Float64Array.from(Array.from(rows).flatMap((row) => Array.from(row))), {
      shape: [m, n],
      dtype: "float64",
    });
  };
  const withRows = (value: Float64Array, rows: Rows, n: number) => ({
    value: vector(value),
    jacobian: matrix(rows, value.length, n),
  });
  const completed = (
    value: Float64Array,
    at: Float64Array,
    state: LeastSquaresState | undefined,
  ): Evaluation | Promise<Evaluation> => {
    if (
      state !== undefined &&
      !(squares(value, state.unit.item()) <= squares(state.residuals.data(), 1) * (1 + roundingOf(state.x)))
    ) {
      return { value: vector(value), jacobian: withoutUnit(state).jacobian };
    }
    const rows = jacobian === undefined ? differences(residuals, at, read) : jacobian(at.slice());
    return rows instanceof Promise ? rows.then((r) => withRows(value, r, at.length)) : withRows(value, rows, at.length);
  };
  return {
    start,
    traceable: false,
    evaluate(x, state) {
      const at = Float64Array.from(x.data());
      const value = residuals(at.slice());
      return value instanceof Promise
        ? value.then((v) => completed(read(v), at, state))
        : completed(read(value), at, state);
    },
    restore: (x) => Float64Array.from(x.data()),
  };
}

function squares(values: ArrayLike<number>, unit: number): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += (values[i] / unit) ** 2;
  return total;
}

/** The Jacobian by central differences, whose error is least about the cube root of the rounding error. */
function differences(
  residuals: PlainResiduals,
  x: Float64Array,
  read: (value: unknown) => Float64Array,
): Rows | Promise<Rows> {
  const steps = x.map((v) => 2 ** -17 * Math.max(Math.abs(v), 1e-3));
  const values = Array.from(x).flatMap((_, j) => [1, -1].map((side) => residuals(moved(x, j, side * steps[j]))));
  const rows = (all: ArrayLike<number>[]): Rows => {
    const columns = Array.from(x, (_, j) => {
      const [up, down] = [read(all[2 * j]), read(all[2 * j + 1])];
      return up.map((v, i) => (v - down[i]) / (2 * steps[j]));
    });
    return Array.from(columns[0], (_, i) => columns.map((column) => column[i]));
  };
  if (!values.some((v) => v instanceof Promise)) return rows(values as ArrayLike<number>[]);
  return Promise.all(values).then(rows);
}

function moved(x: Float64Array, j: number, by: number): Float64Array {
  const y = x.slice();
  y[j] += by;
  return y;
}
