import type { TensorRate } from "@offprint/ode";
import {
  abs,
  add,
  arange,
  cast,
  checkOptions,
  floor,
  isTensor,
  less,
  lessEqual,
  logicalAnd,
  maximum,
  minimum,
  mul,
  requireChoice,
  requireFunction,
  requireObject,
  ShapeError,
  sign,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { readNumbers, readSpan } from "./chance.js";
import { foreignStep, type LocalStep, type LocalTermOptions, localTerm, localTermNames } from "./local-term.js";

/** How the time of the local step is drawn: evenly over the span, or evenly among the solver's steps. */
export type Sampling = "unbiased" | "biased";

/** A solution, of `integrate` of `@offprint/ode` with `dense: true`, or of any other solver. */
export interface BlackBox<Y> {
  /** The state at a time. */
  readonly at: (t: Tensor) => Y;
  /** Where the steps begin, `[room]`; without them only unbiased times, and steps by rule. */
  readonly stepTimes?: Tensor;
  /** Their sizes, with sign, `[room]`. */
  readonly stepSizes?: Tensor;
  /** How many there are, int32 (default all). */
  readonly steps?: Tensor;
}

/** Options of {@link localRegularizer}. */
export interface LocalOptions<P> extends LocalTermOptions<P> {
  /** How times are drawn (default `"unbiased"`). */
  readonly mode?: Sampling;
  /** How long the step is (default `"solver"` where steps are known, else `"initial"`). */
  readonly localStep?: LocalStep;
}

/** A drawn time, and the step there. */
export interface Drawn {
  /** When, a scalar. */
  readonly t1: Tensor;
  /** The size of the step, with sign. */
  readonly h: Tensor;
}

/**
 * Draws a time and a step of a solution.
 * @param uniform - a number in `[0, 1)`, a scalar: chance is an input
 * @throws UnsupportedError where steps are needed and not known; ValueError, ShapeError for what is none.
 */
export function drawStep<Y, P>(
  f: TensorRate<Y, P>,
  solution: BlackBox<Y>,
  span: readonly [TensorLike, TensorLike],
  uniform: TensorLike,
  options: LocalOptions<P> = {},
): Drawn {
  requireFunction("drawStep", "f", f);
  requireObject("drawStep", "solution", solution, "a BlackBox");
  const owner = "drawStep";
  requireFunction(owner, "solution.at", solution.at);
  checkOptions(owner, options, ["mode", "localStep", ...localTermNames]);
  const { mode = "unbiased", localStep = solution.stepSizes === undefined ? "initial" : "solver" } = options;
  requireChoice(owner, "mode", mode, ["unbiased", "biased"]);
  requireChoice(owner, "localStep", localStep, ["solver", "initial", "trial"]);
  const { stepTimes, stepSizes } = solution;
  if (stepTimes === undefined && mode === "biased") {
    throw new UnsupportedError(
      `${owner}: mode "biased" draws among the solver's steps; give stepTimes, or take "unbiased"`,
    );
  }
  if (stepTimes === undefined && stepSizes !== undefined) {
    throw new ValueError(`${owner}: the solution has stepSizes and no stepTimes; give both, or neither`);
  }
  if ((stepTimes === undefined || stepSizes === undefined) && localStep === "solver") {
    throw new UnsupportedError(
      `${owner}: localStep "solver" needs stepTimes and stepSizes; give them, or take "initial" or "trial"`,
    );
  }
  for (const [name, times] of Object.entries({ stepTimes, stepSizes })) {
    if (times === undefined || (isTensor(times) && times.rank === 1 && times.size === stepTimes?.size)) continue;
    throw new ShapeError(
      `${owner}: ${name} of the solution is no tensor [steps]; give a time and a size for each step`,
    );
  }
  const [[t0, t2], u] = [readSpan(owner, span), readNumbers(owner, uniform)];
  if (u.rank !== 0) throw new ShapeError(`${owner}: uniform has shape [${u.shape}]; give one number`);
  const direction = sign(sub(t2, t0));
  const steps = solution.steps ?? tensor(stepTimes?.size ?? 0, { dtype: "int32" });
  const even = add(t0, mul(u, sub(t2, t0)));
  const chosen = cast(floor(mul(u, cast(steps, "float64"))), "int32");
  const t1 = mode === "biased" ? take(stepTimes as Tensor, chosen) : even;
  const left = sub(t2, t1);
  if (localStep !== "solver") return { t1, h: foreignStep(f, solution.at(t1), t1, left, localStep, options) };
  const index = mode === "biased" ? chosen : stepOf(stepTimes as Tensor, steps, direction, t1);
  const size = abs(take(stepSizes as Tensor, index));
  return { t1: stopGradient(t1), h: stopGradient(mul(direction, minimum(size, abs(left)))) };
}

/** Which step a time lies in. */
function stepOf(times: Tensor, steps: Tensor, direction: Tensor, t: Tensor): Tensor {
  const begun = lessEqual(mul(direction, sub(times, t)), 0);
  const there = less(arange(0, times.size, 1, "int32"), steps);
  return maximum(sub(sum(cast(logicalAnd(begun, there), "int32")), 1), 0);
}

/**
 * The regulariser at one random time of a solution that is a black box: only the local step is differentiated, in the
 * parameters. Several draws, `[k]`, are averaged.
 * @param uniform - numbers in `[0, 1)`, a scalar or `[k]`
 * @returns a scalar
 * @see Pal, Edelman, Rackauckas, ICML 2023.
 */
export function localRegularizer<Y, P = unknown>(
  f: TensorRate<Y, P>,
  solution: BlackBox<Y>,
  span: readonly [TensorLike, TensorLike],
  uniform: TensorLike,
  options: LocalOptions<P> = {},
): Tensor {
  const { mode: _, localStep: __, ...term } = options;
  const draws = readNumbers("localRegularizer", uniform);
  const one = (u: Tensor) => {
    const { t1, h } = drawStep(f, solution, span, u, options);
    return localTerm(f, solution.at(t1), t1, h, term);
  };
  if (draws.rank === 0) return one(draws);
  const terms = Array.from({ length: draws.size }, (_unused, k) => one(draws.slice([k])));
  return terms.reduce((a, b) => add(a, b)).div(draws.size);
}
