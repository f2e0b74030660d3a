import type { RunOptions, RunState, Status } from "@offprint/solvers";
import {
  isTensor,
  NonFiniteError,
  requireFinite,
  requireInteger,
  requireNonNegative,
  requirePositive,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { batchOf } from "../batch.js";
import type { Measurement } from "../measurement.js";
import type { Prox } from "../prox.js";

/** What is told of an iteration. */
export interface ReconstructionRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** Largest change of an entry in it. */
  readonly change: number;
  /** The objective of all reconstructions together, where it is known. */
  readonly objective?: number;
  /** That of each. */
  readonly objectives?: Float64Array;
}

/** What plug-and-play methods have in common. */
export interface ReconstructionOptions<S> extends RunOptions<ReconstructionRecord, RunState<S, ReconstructionRecord>> {
  /** `s` of the data term `s |A x - y|^2`, > 0. Default 1/2. */
  readonly dataScale?: number;
  /** Iterations at most. Default 100. */
  readonly maxIterations?: number;
  /** Converged when no entry changes by more than this in an iteration, >= 0. Default 0: runs to the limit. */
  readonly tolerance?: number;
  /** Where it begins, like x. Default `A^T y`. */
  readonly initial?: TensorLike;
}

/** What a reconstruction gives. */
export interface Reconstruction<S> {
  /** What was reconstructed, `[batch, ...input]`. */
  readonly x: Tensor;
  /** The objective of each, where it is known. */
  readonly objective?: Float64Array;
  /** How it ended. */
  readonly status: Status;
  /** Iterations done. */
  readonly iterations: number;
  /** Their records. */
  readonly history: readonly ReconstructionRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<S, ReconstructionRecord>;
  /** What is doubtful, such as a step for which nothing is guaranteed. */
  readonly warnings: readonly string[];
}

/** @internal Names of the common options. */
export const reconstructionOptions = ["dataScale", "maxIterations", "tolerance", "initial"];

/** @internal The common numbers, checked. @throws ValueError */
export function checkedCommon<S>(owner: string, options: ReconstructionOptions<S>) {
  const { dataScale = 0.5, maxIterations = 100, tolerance = 0 } = options;
  requirePositive(owner, "dataScale", dataScale);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireNonNegative(owner, "tolerance", tolerance);
  return { dataScale, maxIterations, tolerance };
}

/** @internal The first point, of the dtype of y. @throws ShapeError, ValueError */
export function firstPoint(
  owner: string,
  { input, adjoint }: Measurement,
  y: Tensor,
  initial: TensorLike | undefined,
): Tensor {
  if (initial === undefined) return adjoint(y);
  const x = batchOf(`${owner}: initial`, input, initial);
  if (x.shape[0] !== y.shape[0]) {
    throw new ShapeError(
      `${owner}: initial has ${x.shape[0]} points for ${y.shape[0]} measurements; give one for each`,
    );
  }
  requireFinite(owner, "initial", x);
  return x.cast(y.dtype);
}

/** @internal What `prox` makes of v. @throws ShapeError, NonFiniteError */
export async function denoised(owner: string, prox: Prox, v: Tensor): Promise<Tensor> {
  const x = await prox(v);
  checkDenoised(owner, x, v);
  return x;
}

/** @internal */
export function checkDenoised(owner: string, x: Tensor, v: Tensor): void {
  if (!isTensor(x) || String(x.shape) !== String(v.shape)) {
    throw new ShapeError(`${owner}: prox gave ${isTensor(x) ? `[${x.shape}]` : typeof x} for a batch [${v.shape}]`);
  }
  if (!x.data().every(Number.isFinite)) {
    throw new NonFiniteError("prox gave a value that is not finite; take a smaller step or another denoiser");
  }
}

/** @internal Throws unless it is a function. */
export function requireProx(owner: string, prox: Prox): void {
  if (typeof prox !== "function")
    throw new ValueError(`${owner}: prox must be a function of a batch, such as proxOf(...)`);
}

/** @internal `s |A x - y|^2` of each reconstruction: `[batch]`. */
export function dataTerm({ apply, output }: Measurement, x: Tensor, y: Tensor, dataScale: number): Tensor {
  const axes = output.map((_, i) => i + 1);
  return sum(square(sub(apply(x), y)), axes).mul(dataScale);
}

/** @internal The largest entry of |a - b|. */
export function largestChange(a: Tensor, b: Tensor): number {
  return sub(a, b).abs().max().item();
}
