import { applyUpdates, type GradientTransformation } from "@offprint/optim";
import {
  add,
  asTensor,
  cast,
  clip,
  DTypeError,
  mul,
  requireObject,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  tree,
} from "@offprint/tensor-core";
import { requireStepCount } from "./argument-checks.js";
import { suffixSums } from "./suffix-sums.js";
import { weightedStepSizes } from "./weighted-sgd.js";

/** Weights of the steps: one number each, or equal ones for a run of so many steps. */
export type StepWeights = ArrayLike<number> | { readonly uniform: number };

/** The state of `lastIterate`. */
export interface LastIterateState {
  /** Updates made so far, int32. */
  readonly step: Tensor;
  /** The learner's own iterate `z_t`, like the parameters. */
  readonly learnerIterate: tree.Tree;
  /** The learner's state. */
  readonly learner: unknown;
}

/** `w_t` and the factor `w_{t+1:T} / w_{1:T}` of a move, as functions of the number of updates made. */
function factors(weights: StepWeights): { weight?: (done: Tensor) => Tensor; factor: (done: Tensor) => TensorLike } {
  if ("uniform" in weights) {
    const T = weights.uniform;
    requireStepCount("lastIterate", T, "weights.uniform");
    return { factor: (done) => clip(sub(1, mul(add(done, 1), 1 / T)), 0, 1) };
  }
  // Checks the weights as well.
  const T = weightedStepSizes(weights).length;
  const tails = suffixSums(weights);
  const own = tensor(Float64Array.from(weights));
  const remaining = tensor(Float64Array.from({ length: T }, (_, t) => (t + 1 < T ? tails[t + 1] / tails[0] : 0)));
  const at = (table: Tensor) => (done: Tensor) => take(table, clip(cast(done, "int32"), 0, T - 1));
  return { weight: at(own), factor: at(remaining) };
}

/** The learner sees its own iterate, so that the parameters are looked at here. */
function requireFloats(params: unknown): void {
  for (const leaf of tree.leaves(params)) {
    const { dtype } = asTensor(leaf as TensorLike);
    if (dtype !== "float32" && dtype !== "float64") {
      throw new DTypeError(`lastIterate: a parameter is ${dtype}; parameters are float32 or float64`);
    }
  }
}

/**
 * Gives any optimizer a guarantee for its last iterate (part A, the conversion theorem). The optimizer is a learner with an
 * iterate `z` of its own; it sees the gradients taken at `x`, times `w_t`, and `x` makes its moves on a smaller scale:
 * `x_{t+1} = x_t + (w_{t+1:T} / w_{1:T}) (z_{t+1} - z_t)`. So `x_T` is the weighted average of the learner's iterates, and
 * from then on `x` stays. With equal weights the factors decay linearly.
 *
 * Give the optimizer a constant learning rate, or one that falls like `1 / sqrt(t)`; the decay is in the factors.
 *
 * @param learner - Any optimizer; weight decay acts on `z`.
 * @param weights - `w`, `[T]`, >= 0 and not all 0; or `{ uniform: T }`.
 * @throws ValueError for weights or a number of steps out of range.
 */
export function lastIterate(
  learner: GradientTransformation,
  weights: StepWeights,
): GradientTransformation<LastIterateState> {
  requireObject("lastIterate", "learner", learner, "a GradientTransformation");
  requireObject("lastIterate", "weights", weights, "StepWeights");
  const { weight, factor } = factors(weights);
  const scaled = <P>(x: P, by: TensorLike): P =>
    tree.map((leaf: TensorLike) => {
      const t = asTensor(leaf);
      return mul(t, cast(asTensor(by, "float64"), t.dtype));
    }, x);
  return {
    init: (params) => ({
      step: tensor(0, { dtype: "int32" }),
      learnerIterate: tree.map((leaf: TensorLike) => add(asTensor(leaf), 0), params) as tree.Tree,
      learner: learner.init(params),
    }),
    update<P>(gradients: P, state: LastIterateState, params: P) {
      const done = asTensor(state.step, "int32");
      if (done.rank !== 0) {
        throw new ShapeError(`lastIterate: state.step has shape [${done.shape}]; it must be a scalar made by init`);
      }
      requireFloats(params);
      const t = cast(done, "float64");
      const z = state.learnerIterate as P;
      const seen = weight === undefined ? gradients : scaled(gradients, weight(t));
      const move = learner.update(seen, state.learner, z);
      return {
        updates: scaled(move.updates, factor(t)),
        state: { step: add(done, 1), learnerIterate: applyUpdates(z, move.updates) as tree.Tree, learner: move.state },
      };
    },
  };
}
