import { lanczosEigenpairs } from "@offprint/solvers";
import {
  abs,
  add,
  checkOptions,
  concatenate,
  eye,
  isTensor,
  jitSync,
  matmul,
  mul,
  neg,
  random,
  requireFinite,
  requireFunction,
  requireObject,
  reshape,
  ShapeError,
  stack,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  ValueError,
  vjp,
  zeros,
} from "@offprint/tensor-core";
import { batchOf, type FloatType, readNumbers, requireExtents, sizeOf } from "./batch.js";

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

/** Of the largest entry: how far from linear, or from adjoint, functions that compute in float32 may be. */
const ROUNDING = 1e-3;

/** @throws ShapeError unless `apply` keeps batches; ValueError unless it is linear, as a try at two points shows. */
function requireLinear(owner: string, input: readonly number[], apply: (x: Tensor) => Tensor): readonly number[] {
  const points = random.rng(owner).normal([2, ...input], { dtype: "float64" });
  const [x, other] = [points.slice([{ stop: 1 }]), points.slice([{ start: 1 }])];
  const seen = apply(concatenate([x, other, add(mul(x, 2), other), neg(x), mul(x, 0)], 0));
  if (!isTensor(seen) || seen.shape[0] !== 5) {
    throw new ShapeError(
      `${owner}: apply gave ${isTensor(seen) ? `[${seen.shape}]` : typeof seen} for a batch of five; give [n, ...] for [n, ...]`,
    );
  }
  requireFinite(owner, "apply(x)", seen);
  const of = (k: number) => seen.slice([k]).cast("float64");
  const errors = [sub(add(mul(of(0), 2), of(1)), of(2)), add(of(0), of(3)), of(4)];
  const apart = abs(stack(errors)).max().item();
  if (apart > ROUNDING * abs(seen).max().item()) {
    throw new ValueError(
      `${owner}: apply is not linear; put an offset into y, and what is not linear into another method`,
    );
  }
  return seen.shape.slice(1);
}

/** @throws ShapeError, ValueError unless `<A x, y> = <x, A^T y>`, as a try shows. */
function requireAdjoint(owner: string, { input, output, apply, adjoint }: Measurement): void {
  requireFunction(owner, "adjoint", adjoint);
  const rng = random.rng(owner);
  const x = rng.normal([1, ...input], { dtype: "float64" });
  const y = rng.normal([1, ...output], { dtype: "float64" });
  const [forward, back] = [apply(x), batchOf(`${owner}: what adjoint gave`, input, adjoint(y))];
  const size = sum(abs(mul(forward, y))).item() + sum(abs(mul(x, back))).item();
  if (Math.abs(sub(sum(mul(forward, y)), sum(mul(x, back))).item()) <= ROUNDING * size) return;
  throw new ValueError(
    `${owner}: adjoint is not that of apply, <A x, y> = <x, A^T y>; leave it out of measurement({ input, apply }), and it is derived`,
  );
}

/**
 * A measurement of one's own. It is tried once: whether it is linear, and whether a given adjoint is its own.
 * @throws ShapeError where `apply` does not keep the batch; ValueError where it is not linear, or the adjoint another one.
 * @example measurement({ input: [28, 28], apply: (x) => x.slice([null, { step: 2 }]) }) // every other row
 */
export function measurement(options: MeasurementOptions): Measurement {
  const owner = "measurement";
  checkOptions(owner, options, ["input", "apply", "adjoint"], ["input", "apply"]);
  const { input, apply } = options;
  requireExtents(owner, "input", input);
  if (typeof apply !== "function") throw new ValueError(`${owner}: apply must be a function of a batch of x`);
  const blank = (count: number, dtype: FloatType) => zeros([count, ...input], dtype);
  const output = requireLinear(owner, input, apply);
  const adjoint = (y: Tensor) => {
    const given = batchOf(owner, output, y);
    const [, pullback] = vjp(apply, blank(given.shape[0], given.dtype as FloatType));
    return pullback(given)[0] as Tensor;
  };
  if (options.adjoint === undefined) return { input, output, apply, adjoint };
  const whole = { input, output, apply, adjoint: options.adjoint };
  requireAdjoint(owner, whole);
  return whole;
}

/** Measurements that were tried, so that each is tried once. */
const tried = new WeakSet<Measurement>();

/** Tries one that may be made by hand. @throws ValueError, ShapeError unless it is linear, of its shapes, and with its own adjoint. */
export function requireMeasurement(owner: string, measurement: Measurement): void {
  requireObject(owner, "measurement", measurement, "a Measurement");
  if (tried.has(measurement)) return;
  const { input, output, apply, adjoint } = measurement;
  for (const [name, shape] of Object.entries({ input, output })) {
    requireExtents(owner, `${name} of measurement`, shape);
  }
  requireFunction(owner, "apply of measurement", apply);
  requireFunction(owner, "adjoint of measurement", adjoint);
  const seen = requireLinear(owner, input, apply);
  if (String(seen) !== String(output)) {
    throw new ShapeError(
      `${owner}: apply gives [n, ${seen}], and output of measurement is [${output}]; give [${seen}]`,
    );
  }
  requireAdjoint(owner, measurement);
  tried.add(measurement);
}

/** What is reconstructed from: measurements of a batch. @throws ShapeError, ValueError */
export function measured(owner: string, measurement: Measurement, y: TensorLike): Tensor {
  requireMeasurement(owner, measurement);
  const { output } = measurement;
  const given = readNumbers(`${owner}: y`, y, "float64");
  const alone = String(given.shape) === String(output);
  const batch = batchOf(`${owner}: y`, output, alone ? reshape(given, [1, ...output]) : given);
  if (batch.shape[0] === 0)
    throw new ShapeError(`${owner}: y has shape [${batch.shape}]; give at least one measurement`);
  requireFinite(owner, "y", batch);
  return batch;
}

/** `lambda_max(A^T A)`, by Lanczos. */
export async function largestEigenvalue(measurement: Measurement): Promise<number> {
  requireMeasurement("largestEigenvalue", measurement);
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
  if (input !== undefined) requireExtents("matrixMeasurement", "input", input);
  const shape = input ?? [matrix.shape[1]];
  if (matrix.rank !== 2 || matrix.size === 0 || matrix.shape[1] !== sizeOf(shape)) {
    throw new ShapeError(`matrixMeasurement: a has shape [${matrix.shape}]; give [m, ${input ? sizeOf(input) : "n"}]`);
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
