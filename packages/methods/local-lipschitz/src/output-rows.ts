import { asTensor, requireInteger, ShapeError, type TensorLike, ValueError } from "@offprint/tensor-core";
import type { CheckedNetwork } from "./checked-network.js";
import { relativeError } from "./rounding.js";

/** Which functions of the outputs count. */
export interface RowOptions {
  /** Outputs by number. Default all. */
  readonly outputs?: readonly number[];
  /** `[rows, outputs]` combinations of outputs in place of single ones, such as differences of two classes. */
  readonly combinations?: TensorLike;
}

/** @internal The gradients of the chosen rows by the last hidden layer, with their errors. */
export interface OutputRows {
  readonly count: number;
  /** `[rows, outputs]` */
  readonly weights: Float64Array;
  /** `[rows, n]` */
  readonly last: Float64Array;
  readonly error: Float64Array;
}

/** @internal Whether an option is a list, as of outputs or inputs. @throws ValueError */
export function requireNumbers(owner: string, name: string, given: unknown): void {
  if (Array.isArray(given) || ArrayBuffer.isView(given)) return;
  throw new ValueError(`${owner}: ${name} is ${String(given)}; give an array of numbers`);
}

/** @internal @throws IndexError, ShapeError, ValueError */
export function outputRows(owner: string, network: CheckedNetwork, { outputs, combinations }: RowOptions): OutputRows {
  const m = network.outputs;
  if (outputs !== undefined && combinations !== undefined) {
    throw new ValueError(`${owner}: outputs and combinations are both given; give one of them`);
  }
  const rows: Float64Array[] = [];
  if (combinations !== undefined) {
    const given = asTensor(combinations, "float64");
    const [count, width] = given.shape;
    if (given.rank !== 2 || width !== m || count === 0) {
      throw new ShapeError(`${owner}: combinations has shape [${given.shape}]; give [rows, ${m}]`);
    }
    const values = given.data();
    for (let r = 0; r < count; r++) rows.push(Float64Array.from(values.slice(r * m, (r + 1) * m)));
  } else {
    const chosen = outputs ?? Array.from({ length: m }, (_, i) => i);
    requireNumbers(owner, "outputs", chosen);
    if (chosen.length === 0) throw new ValueError(`${owner}: outputs is empty; give one or more`);
    for (const output of chosen) {
      requireInteger(owner, "outputs", output, 0, m - 1);
      const row = new Float64Array(m);
      row[output] = 1;
      rows.push(row);
    }
  }
  const { weight, columns } = network.layers[network.layers.length - 1];
  const last = new Float64Array(rows.length * columns);
  const error = new Float64Array(rows.length * columns);
  for (const [r, row] of rows.entries()) {
    if (!row.every(Number.isFinite))
      throw new ValueError(`${owner}: combinations has a value that is not finite in row ${r}`);
    const used = row.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
    const exact = used === 1 && row.every((value) => value === 0 || Math.abs(value) === 1);
    for (let j = 0; j < columns; j++) {
      let [sum, size] = [0, 0];
      for (let i = 0; i < m; i++) {
        sum += row[i] * weight[i * columns + j];
        size += Math.abs(row[i] * weight[i * columns + j]);
      }
      last[r * columns + j] = sum;
      error[r * columns + j] = exact ? 0 : relativeError(m) * size;
    }
  }
  return { count: rows.length, weights: Float64Array.from(rows.flatMap((row) => Array.from(row))), last, error };
}
