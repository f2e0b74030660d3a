import { lanczosEigenpairs } from "@offprint/solvers";
import {
  checkOptions,
  eye,
  isTensor,
  jitSync,
  matmul,
  requireFinite,
  requireInteger,
  requireObject,
  reshape,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  ValueError,
  vjp,
  zeros,
} from "@offprint/tensor-core";
import { batchOf, type FloatType, sizeOf } from "./batch.js";

/** A linear measurement `A`, on batches, in operations of tensors. */
export interface Measurement {
  /** Shape of one `x`. */
  readonly input: readonly number[];
  /** Shape of one `y = A x`. */
  readonly output: readonly number[];
  /** `A x`: `[batch, ...input]` to `[batch, ...output]`. */
  apply(x: Tensor): Tensor;
  /** `A^T y`: `[batch, ...output]` to `[batch, ...input]`. */
  adjoint(y: Tensor): Tensor;
}

/** What a measurement is made from. */
export interface MeasurementOptions {
  /** Shape of one `x`. */
  readonly input: readonly number[];
  /** `A x`, in operations of tensors: `[batch, ...input]` to `[batch, ...output]`. It must be linear. */
  readonly apply: (x: Tensor) => Tensor;
  /** `A^T y`. Default: what differentiation makes of `apply`, its exact adjoint. */
  readonly adjoint?: (y: Tensor) => Tensor;
}

/**
 * A measurement of one's own.
 * @throws ShapeError where `apply` does not keep the batch; ValueError where it does not send 0 to 0.
 * @example measurement({ input: [28, 28], apply: (x) => x.slice([null, { step: 2 }]) }) // every other row
 */
export function measurement(options: MeasurementOptions): Measurement {
  const owner = "measurement";
  checkOptions(owner, options, ["input", "apply", "adjoint"], ["input", "apply"]);
  const { input, apply } = options;
  if (!Array.isArray(input)) throw new ShapeError(`${owner}: input is ${String(input)}; give the shape of one x`);
  for (const extent of input) requireInteger(owner, "an extent of input", extent, 1);
  if (typeof apply !== "function") throw new ValueError(`${owner}: apply must be a function of a batch of x`);
  const blank = (count: number, dtype: FloatType) => zeros([count, ...input], dtype);
  const seen = apply(blank(1, "float64"));
  if (!isTensor(seen) || seen.shape[0] !== 1) {
    throw new ShapeError(`${owner}: apply gave ${isTensor(seen) ? `[${seen.shape}]` : typeof seen} for a batch of one`);
  }
  if (seen.data().some((v) => v !== 0)) {
    throw new ValueError(`${owner}: apply sends 0 to something else: it is not linear; put the offset into y`);
  }
  const output = seen.shape.slice(1);
  const adjoint = (y: Tensor) => {
    const given = batchOf(owner, output, y);
    const [, pullback] = vjp(apply, blank(given.shape[0], given.dtype as FloatType));
    return pullback(given)[0] as Tensor;
  };
  return { input, output, apply, adjoint: options.adjoint ?? adjoint };
}

/** What is reconstructed from: measurements of a batch. @throws ShapeError, ValueError */
export function measured(owner: string, { output }: Measurement, y: TensorLike): Tensor {
  const given = isTensor(y) ? y : tensor(y, { dtype: "float64" });
  const alone = String(given.shape) === String(output);
  const batch = batchOf(`${owner}: y`, output, alone ? reshape(given, [1, ...output]) : given);
  if (batch.shape[0] === 0)
    throw new ShapeError(`${owner}: y has shape [${batch.shape}]; give at least one measurement`);
  requireFinite(owner, "y", batch);
  return batch;
}

/** `lambda_max(A^T A)`, by Lanczos. */
export async function largestEigenvalue(measurement: Measurement): Promise<number> {
  requireObject("largestEigenvalue", "measurement", measurement, "a Measurement");
  const { input, apply, adjoint } = measurement;
  const size = sizeOf(input);
  const normal = jitSync((x: Tensor) => adjoint(apply(x)));
  const { values } = await lanczosEigenpairs(
    (x, out) => out.set(normal(tensor(x.slice(), { shape: [1, ...input], dtype: "float64" })).data()),
    size,
    { tolerance: 1e-6 },
  );
  normal.release();
  return Math.max(values[0], 0);
}

/** `A^T A` as a matrix `[n, n]`. */
export function normalMatrix({ input, apply, adjoint }: Measurement): Tensor {
  const size = sizeOf(input);
  const columns = reshape(eye(size, size, "float64"), [size, ...input]);
  return reshape(adjoint(apply(columns)), [size, size]);
}

/** A measurement by a matrix `[m, n]` of the inputs in a row. @throws ShapeError */
export function matrixMeasurement(a: TensorLike, input?: readonly number[]): Measurement {
  const matrix = isTensor(a) ? a : tensor(a, { dtype: "float64" });
  const shape = input ?? [matrix.shape[1]];
  if (matrix.rank !== 2 || matrix.shape[1] !== sizeOf(shape)) {
    throw new ShapeError(`matrixMeasurement: a has shape [${matrix.shape}]; give [m, ${sizeOf(shape)}]`);
  }
  requireFinite("matrixMeasurement", "a", matrix);
  const [rows, columns] = matrix.shape;
  return {
    input: shape,
    output: [rows],
    apply(x) {
      const given = batchOf("apply", shape, x);
      return matmul(reshape(given, [given.shape[0], columns]), transpose(matrix.cast(given.dtype)));
    },
    adjoint(y) {
      const given = batchOf("adjoint", [rows], y);
      return reshape(matmul(given, matrix.cast(given.dtype)), [given.shape[0], ...shape]);
    },
  };
}
