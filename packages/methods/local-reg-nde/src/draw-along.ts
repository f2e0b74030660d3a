import { constantState, type StepFold, type TensorRate } from "@offprint/ode";
import {
  abs,
  add,
  cond,
  div,
  less,
  lessEqual,
  logicalAnd,
  minimum,
  mul,
  requireChoice,
  requireFunction,
  requireObject,
  sign,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  where,
} from "@offprint/tensor-core";
import { readNumbers, readSpan } from "./chance.js";
import { foreignStep, localTerm } from "./local-term.js";
import type { LocalOptions, Sampling } from "./sampling.js";

/** A time that was drawn, with the step and the state there. */
export interface DrawnState<Y> {
  /** When, a scalar. */
  readonly t1: Tensor;
  /** The size of the solver's step there, with sign. */
  readonly h: Tensor;
  /** The state then. */
  readonly u: Y;
}

/** Draws of a solve under way. */
export interface DrawsAlong<Y> {
  /** Steps that stand so far. */
  readonly steps: Tensor;
  /** One for each number drawn, with what is left of that number. */
  readonly draws: readonly (DrawnState<Y> & { readonly left: Tensor })[];
}

/**
 * Draws times while a solve makes its steps, so that none need be kept: the `fold` of `integrate` of `@offprint/ode`.
 * Unbiased: the state is interpolated when a step passes the time. Biased: of `j` steps so far the last is taken with
 * probability `1 / j`, by one number whose remainder decides the next, so that in the end each is as likely.
 * @param y0 - a state, for its shapes
 * @param uniform - numbers in `[0, 1)`, a scalar or `[k]`
 * @throws ValueError for numbers and spans that are known to be none
 * @example integrate(f, y0, [0, 1], { parameters, adjoint: "backsolve", fold: drawAlong(y0, [0, 1], 0.37) })
 */
export function drawAlong<Y>(
  y0: Y,
  span: readonly [TensorLike, TensorLike],
  uniform: TensorLike,
  mode: Sampling = "unbiased",
): StepFold<Y, DrawsAlong<Y>> {
  requireChoice("drawAlong", "mode", mode, ["unbiased", "biased"]);
  const [[t0, t2], numbers] = [readSpan("drawAlong", span), readNumbers("drawAlong", uniform)];
  const direction = sign(sub(t2, t0));
  const each = numbers.rank === 0 ? [numbers] : Array.from({ length: numbers.size }, (_, k) => numbers.slice([k]));
  const nowhere = tree.map((leaf: Tensor) => mul(leaf, 0), constantState(y0)) as Y;
  return {
    initial: {
      steps: tensor(0, { dtype: "int32" }),
      draws: each.map((u) => ({
        left: u,
        t1: add(t0, mul(u, sub(t2, t0))),
        h: tensor(0, { dtype: "float64" }),
        u: nowhere,
      })),
    },
    step({ steps, draws }, { t, end, h, y, at }) {
      const chance = div(1, add(steps, 1).cast("float64"));
      const even = (drawn: DrawnState<Y> & { readonly left: Tensor }) => {
        const begun = lessEqual(mul(direction, sub(t, drawn.t1)), 0);
        const there = logicalAnd(begun, lessEqual(mul(direction, sub(drawn.t1, end)), 0));
        const u = cond(
          there,
          () => at(drawn.t1),
          () => drawn.u,
        );
        return { ...drawn, u, h: where(there, h, drawn.h) };
      };
      const amongSteps = (drawn: DrawnState<Y> & { readonly left: Tensor }) => {
        const taken = less(drawn.left, chance);
        const rest = div(sub(drawn.left, chance), sub(1, where(taken, 0, chance)));
        return {
          left: where(taken, div(drawn.left, chance), rest),
          t1: where(taken, t, drawn.t1),
          h: where(taken, h, drawn.h),
          u: tree.map((now: Tensor, before: Tensor) => where(taken, now, before), y, drawn.u),
        };
      };
      return { steps: add(steps, 1), draws: draws.map(mode === "biased" ? amongSteps : even) };
    },
  };
}

/**
 * The regulariser at what {@link drawAlong} drew, in the mean: only the local steps are differentiated, in the parameters.
 * @returns a scalar
 * @throws ValueError, UnsupportedError
 */
export function drawnRegularizer<Y, P = unknown>(
  f: TensorRate<Y, P>,
  drawsAlong: DrawsAlong<Y>,
  span: readonly [TensorLike, TensorLike],
  options: Omit<LocalOptions<P>, "mode"> = {},
): Tensor {
  requireFunction("drawnRegularizer", "f", f);
  requireObject("drawnRegularizer", "drawsAlong", drawsAlong, "a DrawsAlong");
  const [, t2] = readSpan("drawnRegularizer", span);
  const { draws } = drawsAlong;
  const { localStep = "solver", ...term } = options;
  requireChoice("drawnRegularizer", "localStep", localStep, ["solver", "initial", "trial"]);
  const terms = draws.map(({ t1, h, u }) => {
    const rest = sub(t2, t1);
    const own = mul(sign(h), minimum(abs(h), abs(rest)));
    return localTerm(f, u, t1, localStep === "solver" ? own : foreignStep(f, u, t1, rest, localStep, term), term);
  });
  return terms.reduce((a, b) => add(a, b)).div(terms.length);
}
