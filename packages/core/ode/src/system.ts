import type { Raveling } from "@offprint/solvers";
import {
  add,
  all,
  cast,
  type DType,
  div,
  eye,
  isFinite,
  isTensor,
  jacobian,
  jvp,
  linalg,
  max,
  mean,
  neg,
  onesLike,
  reshape,
  ShapeError,
  square,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  tree,
  where,
} from "@offprint/tensor-core";
import { root } from "./root.js";

/**
 * A right-hand side in operations of tensors: `dy/dt = f(t, y, parameters)`, where `t` is a scalar tensor and the result
 * a tree like the state `y`.
 */
export type Rate<Y, P> = (t: Tensor, y: Y, parameters: P) => unknown;

/** What is measured as one: all entries of the state together, or the sample with the largest error. */
export type NormScope = "state" | "samples";

/** A system of equations over the state as one vector, `[n]`. */
export interface System {
  /** Number of entries of the state. */
  readonly size: number;
  /** Their type. Times are float64. */
  readonly dtype: DType;
  /** The rate of change of `y` at `t`. */
  rate(t: Tensor, y: Tensor): Tensor;
  /** A time or a step, as a number beside states. */
  scalar(t: Tensor): Tensor;
  /** The root of the mean square of a vector like the state, over what the norm is taken of. */
  norm(x: Tensor): Tensor;
  /**
   * For stiff methods, at a state with the rate `first`: solves `(I / scaledStep - J) u = b`, and the derivative of the
   * rate by time.
   */
  linearised(t: Tensor, y: Tensor, first: Tensor, scaledStep: Tensor): Linearised;
}

/** A system near a state. */
export interface Linearised {
  /** `u` of `(I / scaledStep - J) u = b`. */
  readonly solve: (b: Tensor) => Tensor;
  /** The partial derivative of the rate by time. */
  readonly timeSlope: Tensor;
}

/** How the rate changes with the state, `[n, n]`, and with time, `[n]`. */
export interface Slopes {
  readonly state: Tensor;
  readonly time: Tensor;
}

/** Finds the slopes of a rate. */
export type SlopesOf = (rate: System["rate"], t: Tensor, y: Tensor, first: Tensor) => Slopes;

/** @internal The system of a right-hand side over trees. */
export function treeSystem<Y, P>(
  owner: string,
  f: Rate<Y, P>,
  parameters: P,
  state: Raveling<Y>,
  samples: ((x: Tensor) => Tensor) | undefined,
  jacobianOf?: (t: Tensor, y: Y, parameters: P) => TensorLike,
): System {
  const rate = (t: Tensor, y: Tensor) => state.ravel(f(cast(t, state.dtype), state.unravel(y), parameters) as Y);
  const slopes: SlopesOf = (of, t, y, _first) => {
    if (jacobianOf === undefined) return tracedSlopes(of, t, y);
    const given = jacobianOf(cast(t, state.dtype), state.unravel(y), parameters);
    return { state: squareMatrix(owner, given, state), time: timeSlope(of, t, y) };
  };
  return makeSystem(state, rate, slopes, samples);
}

/** @internal A system from a rate over vectors. */
export function makeSystem(
  { size, dtype }: { size: number; dtype: DType },
  rate: System["rate"],
  slopesOf: SlopesOf = tracedSlopes,
  samples?: (x: Tensor) => Tensor,
): System {
  return {
    size,
    dtype,
    rate,
    scalar: (t) => cast(t, dtype),
    norm: (x) => (samples === undefined ? rootMeanSquare(x) : max(samples(x))),
    linearised(t, y, first, scaledStep) {
      const slopes = slopesOf(rate, t, y, first);
      const matrix = add(div(eye(size, size, dtype), cast(scaledStep, dtype)), neg(slopes.state));
      // A matrix with NaN, of a step that is refused, would throw; so would such a right-hand side.
      const { lu, order } = linalg.luFactor(where(all(isFinite(matrix)), matrix, eye(size, size, dtype)));
      const solve = (b: Tensor) => {
        const rows = take(where(isFinite(b), b, 0), order);
        const y = linalg.triangularSolve(lu, rows, { lower: true, unitDiagonal: true });
        return add(linalg.triangularSolve(lu, y, { lower: false }), sub(b, b));
      };
      return { solve, timeSlope: slopes.time };
    },
  };
}

function rootMeanSquare(x: Tensor): Tensor {
  return root(mean(square(x)));
}

/** Slopes of a rate that can be differentiated. */
function tracedSlopes(rate: System["rate"], t: Tensor, y: Tensor): Slopes {
  return { state: jacobian((x: Tensor) => rate(t, x))(y) as Tensor, time: timeSlope(rate, t, y) };
}

function timeSlope(rate: System["rate"], t: Tensor, y: Tensor): Tensor {
  return jvp((s: Tensor) => rate(s, y), [t], [onesLike(t)])[1];
}

function squareMatrix<Y>(owner: string, given: TensorLike, { size, dtype }: Raveling<Y>): Tensor {
  const matrix = isTensor(given) ? given : tensor(given, { dtype: "float64" });
  if (matrix.size !== size * size) {
    throw new ShapeError(
      `${owner}: jacobian gave shape [${matrix.shape}] for a state of ${size} numbers; it must be [${size}, ${size}]`,
    );
  }
  return cast(reshape(matrix, [size, size]), dtype);
}

/** @internal The norm of each sample, where samples are the rows of all leaves. @throws ShapeError */
export function sampleNorms<Y>(owner: string, state: Raveling<Y>, example: Y): (x: Tensor) => Tensor {
  const [count] = tree.leaves<Tensor>(example)[0].shape;
  for (const leaf of tree.leaves<Tensor>(example)) {
    if (leaf.rank > 0 && leaf.shape[0] === count) continue;
    throw new ShapeError(
      `${owner}: norm "samples" takes states whose parts all have the samples as axis 0; one has shape [${leaf.shape}]`,
    );
  }
  return (x) => {
    const sums = tree
      .leaves<Tensor>(state.unravel(square(x)))
      .map((leaf) => reshape(leaf, [count, leaf.size / count]).sum(1));
    return root(
      div(
        sums.reduce((a, b) => add(a, b)),
        state.size / count,
      ),
    );
  };
}
