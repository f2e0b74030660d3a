import { type AdagradState, adagrad, type GradientTransformation } from "@offprint/optim";
import {
  add,
  asTensor,
  checkOptions,
  div,
  equal,
  mul,
  NonFiniteError,
  neg,
  requireNonNegative,
  sqrt,
  square,
  sum,
  type Tensor,
  type TensorLike,
  tree,
  ValueError,
  where,
} from "@offprint/tensor-core";

/** Options of `adagradNorm` and `adagradCoordinates`. */
export interface AdaptiveStepOptions {
  /** alpha >= 0. Default 1, for use with the learning rate of the training loop. */
  learningRate?: number;
  /** v_0 >= 0. Default 0: the first step of AdaGrad-Norm has the length alpha. */
  vInit?: number;
}

/** Options of `adagradNorm`. */
export interface AdagradNormOptions extends AdaptiveStepOptions {
  /**
   * What shares a step size: everything (the paper's), each tensor, or each slice of a tensor along its first axis.
   * Default `global`.
   */
  granularity?: "global" | "per-row" | "per-tensor";
}

/** The state of `adagradNorm`: the sums of squared norms, one tensor for each leaf of the parameters. */
export interface AdagradNormState {
  /** v. */
  readonly sumOfSquares: unknown;
}

/**
 * AdaGrad-Norm, the optimizer of AdAdaGradNorm: one step size, `v += |g|^2; x -= alpha g / sqrt(v)`. What has had no
 * gradient yet does not move.
 *
 * @throws ValueError for an option out of range; NonFiniteError, outside of compiled functions, for a gradient that is not
 * finite, which would spoil every later step.
 * @see https://arxiv.org/abs/2402.11215
 */
export function adagradNorm(options: AdagradNormOptions = {}): GradientTransformation<AdagradNormState> {
  checkOptions("adagradNorm", options, ["learningRate", "vInit", "granularity"]);
  const { learningRate = 1, vInit = 0, granularity = "global" } = options;
  requireNonNegative("adagradNorm", "learningRate", learningRate);
  requireNonNegative("adagradNorm", "vInit", vInit);
  if (!["global", "per-tensor", "per-row"].includes(granularity)) {
    throw new ValueError(`adagradNorm: granularity is ${granularity}; it must be "global", "per-tensor" or "per-row"`);
  }
  const squaredNorms = (leaves: readonly Tensor[]): Tensor[] => {
    if (granularity === "per-row") {
      return leaves.map((g) => (g.rank < 2 ? square(g) : sum(square(g), { axis: axesAfterFirst(g), keepDims: true })));
    }
    const each = leaves.map((g) => sum(square(g)));
    if (granularity === "per-tensor") return each;
    const all = each.reduce((a, b) => add(a, b));
    return leaves.map((g) => all.cast(g.dtype));
  };
  return {
    init(params) {
      const flat = tree.flatten(params);
      const zeros = squaredNorms(flat.leaves.map((leaf) => mul(asTensor(leaf as TensorLike), 0)));
      return {
        sumOfSquares: tree.unflatten(
          flat.structure,
          zeros.map((zero) => add(zero, vInit)),
        ),
      };
    },
    update(gradients, { sumOfSquares }) {
      const flat = tree.flatten(gradients);
      const leaves = flat.leaves.map((leaf) => asTensor(leaf as TensorLike));
      const before = tree.leaves<Tensor>(sumOfSquares);
      const norms = squaredNorms(leaves);
      norms.forEach(requireFinite);
      const after = norms.map((norm, i) => add(before[i], norm));
      const updates = leaves.map((g, i) => {
        const none = equal(after[i], 0);
        return neg(mul(where(none, 0, div(g, where(none, 1, sqrt(after[i])))), learningRate));
      });
      return {
        updates: tree.unflatten(flat.structure, updates),
        state: { sumOfSquares: tree.unflatten(flat.structure, after) },
      };
    },
  };
}

/** Compiled functions hold no values that could be looked at; there the training loop looks. */
function requireFinite(norm: Tensor): void {
  if (norm.storage.kind !== "host") return;
  const bad = norm.data().find((value) => !Number.isFinite(value));
  if (bad === undefined) return;
  throw new NonFiniteError(
    `adagradNorm: the gradient has squared norm ${bad}; it must be finite: lower the learning rate`,
  );
}

function axesAfterFirst(x: Tensor): number[] {
  return Array.from({ length: x.rank - 1 }, (_, i) => i + 1);
}

/** Options of `adagradCoordinates`. */
export interface AdagradCoordinatesOptions extends AdaptiveStepOptions {
  /** Added to the root, >= 0. Default 1e-10. */
  epsilon?: number;
}

/**
 * AdaGrad, the optimizer of AdAdaGrad: `v += g^2; x -= alpha g / (sqrt(v) + epsilon)` for each coordinate. It is the
 * `adagrad` of `@offprint/optim` with a start for v.
 *
 * @throws ValueError for an option out of range.
 */
export function adagradCoordinates(options: AdagradCoordinatesOptions = {}): GradientTransformation<AdagradState> {
  checkOptions("adagradCoordinates", options, ["learningRate", "vInit", "epsilon"]);
  const { learningRate = 1, vInit = 0, epsilon } = options;
  requireNonNegative("adagradCoordinates", "vInit", vInit);
  const plain = adagrad({ learningRate, ...(epsilon !== undefined && { epsilon }) });
  return {
    ...plain,
    init(params) {
      const state = plain.init(params);
      return { ...state, sumOfSquares: tree.map((v: Tensor) => add(v, vInit), state.sumOfSquares) };
    },
  };
}
