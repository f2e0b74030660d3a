import { asTensor, ShapeError, type TensorLike, ValueError } from "@offprint/tensor-core";
import { columnsOf } from "./column-products.js";

/** @internal The data X `[n, d]`, with a column of ones appended where the network has a bias. */
export interface Design {
  /** Number of samples. */
  readonly n: number;
  /** Number of columns, that of ones included. */
  readonly d: number;
  /** `[n, d]`, row-major. */
  readonly rows: Float64Array;
  /** `[d, n]`, row-major. */
  readonly columns: Float64Array;
}

/** @internal @throws ShapeError, ValueError for anything but a matrix of finite numbers with at least one row and column */
export function designOf(owner: string, X: TensorLike, bias: boolean): Design {
  requireFlag(owner, "bias", bias);
  const x = asTensor(X, "float64");
  if (x.rank !== 2) throw new ShapeError(`${owner}: X has shape [${x.shape}]; give a matrix [samples, features]`);
  const [n, features] = x.shape;
  if (n === 0 || features === 0) {
    throw new ShapeError(`${owner}: X has shape [${x.shape}]; give at least one sample and one feature`);
  }
  const values = x.data();
  const d = features + (bias ? 1 : 0);
  const rows = new Float64Array(n * d);
  for (let k = 0; k < n; k++) {
    for (let c = 0; c < features; c++) {
      const value = Number(values[k * features + c]);
      if (!Number.isFinite(value)) {
        throw new ValueError(`${owner}: X[${k}, ${c}] is ${value}; remove or replace values that are not finite`);
      }
      if (!Number.isFinite(value ** 4)) {
        throw new ValueError(
          `${owner}: X[${k}, ${c}] is ${value}, and its power of 4 no number; scale the columns of X`,
        );
      }
      rows[k * d + c] = value;
    }
    if (bias) rows[k * d + features] = 1;
  }
  return { n, d, rows, columns: columnsOf(rows, n, d) };
}

/** @internal @throws ValueError for anything but true and false */
export function requireFlag(owner: string, name: string, value: unknown): void {
  if (typeof value !== "boolean")
    throw new ValueError(`${owner}: ${name} is ${String(value)}; it must be true or false`);
}

/** @internal Targets `[n]` as numbers. */
export function targetsOf(owner: string, y: TensorLike, n: number): Float64Array {
  const target = asTensor(y, "float64");
  if (target.size !== n || target.rank > 2 || (target.rank === 2 && target.shape[1] !== 1)) {
    throw new ShapeError(`${owner}: y has shape [${target.shape}] for ${n} samples; give [${n}]`);
  }
  const values = Float64Array.from(target.data());
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new ValueError(`${owner}: y[${bad}] is ${values[bad]}; remove or replace values that are not finite`);
  return values;
}
