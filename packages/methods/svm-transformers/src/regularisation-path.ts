import { makeBreather, minimizeLbfgs } from "@offprint/solvers";
import {
  add,
  checkOptions,
  div,
  exp,
  jit,
  matmul,
  mul,
  random,
  requireChoice,
  requireInteger,
  requirePositive,
  sqrt,
  square,
  sum,
  type Tensor,
  type TensorLike,
  transpose,
  ValueError,
  valueAndGrad,
} from "@offprint/tensor-core";
import { correlation } from "./attention.js";
import { type AttentionSvm, svmOf } from "./attention-svm.js";
import { type AttentionExamples, type ReadExamples, readExamples } from "./examples.js";
import { inCone, localExcess } from "./local-path.js";
import { logExcess } from "./log-excess.js";
import { requireChoices } from "./margin-rows.js";
import { optimalOf, scoresOf } from "./token-scores.js";

/** Options of `regularisationPath`. */
export interface RegularisationPathOptions {
  /** The norm that is bounded: of W, or its nuclear norm through K and Q. Default `"frobenius"`. */
  readonly norm?: "frobenius" | "nuclear";
  /** Random starts at the first radius; the others start where the one before ended. Default 5. */
  readonly starts?: number;
  /** Iterations of a minimisation at most. Default 500. */
  readonly maxIterations?: number;
  /** Of the starts. Default 0. */
  readonly seed?: number | string;
  /**
   * The local path: W stays in a cone around the SVM's solution for these tokens, one of each example, such as `locallyOptimal`
   * gives them; with the Frobenius norm. Default none: all W.
   */
  readonly around?: readonly number[];
  /** mu in (0, 1): the cone is of all W whose correlation with that solution is at least 1 - mu. Default 0.01. */
  readonly width?: number;
}

/** The best weights of a norm. */
export interface PathPoint {
  /** R. */
  readonly radius: number;
  /** W_R, `[d, d]`. */
  readonly w: Tensor;
  /**
   * ln(L(W_R) - L_*), where L_* is the loss with all attention at the tokens of the highest scores; of a local path at its own
   * tokens, and -Infinity where the loss is below that.
   */
  readonly logExcess: number;
  /** With the SVM of the same norm for these tokens. */
  readonly correlation: number;
}

/**
 * The regularisation path: the least logistic loss with a linear head over all W of norm at most R, which goes in the
 * direction of the SVM's solution as R grows. With `around` it does so in a cone around the solution for other tokens, if
 * these are locally optimal.
 *
 * @param v Linear head, `[d]`.
 * @param radii R, increasing, > 0.
 * @throws ShapeError, ValueError for what does not fit; InfeasibleSvmError where the best tokens cannot be separated.
 * @example
 * const path = await regularisationPath(examples, v, [10, 30, 100, 300]);
 */
export async function regularisationPath(
  examples: AttentionExamples,
  v: TensorLike,
  radii: readonly number[],
  options: RegularisationPathOptions = {},
): Promise<PathPoint[]> {
  const owner = "regularisationPath";
  checkOptions(owner, options, ["norm", "starts", "maxIterations", "seed", "around", "width"]);
  const { norm = "frobenius", starts = 5, maxIterations = 500, seed = 0, around, width = 0.01 } = options;
  requireChoice(owner, "norm", norm, ["frobenius", "nuclear"]);
  requireInteger(owner, "starts", starts, 1);
  requireInteger(owner, "maxIterations", maxIterations, 1);
  if (!Array.isArray(radii) || radii.length === 0) throw new ValueError(`${owner}: radii must be numbers above 0`);
  radii.forEach((radius, i) => {
    requirePositive(owner, "radii", radius);
    if (i > 0 && radius <= radii[i - 1])
      throw new ValueError(`${owner}: radii must increase; ${radius} follows ${radii[i - 1]}`);
  });
  const read = readExamples(owner, examples);
  const d = read.dimension;
  const scores = scoresOf(owner, read, v);
  if (!(width > 0 && width < 1)) throw new ValueError(`${owner}: width is ${width}; it must be in (0, 1)`);
  if (around !== undefined) {
    requireChoices(owner, read, around);
    if (norm === "nuclear") {
      throw new ValueError(`${owner}: norm is "nuclear"; a path around given tokens has the norm "frobenius"`);
    }
  }
  const svm = await svmOf(owner, read, around ?? optimalOf(scores).tokens, { norm });
  // On the sphere: W = R u / ||u||, or R K Q^T / (||K||^2 + ||Q||^2) * 2, whose nuclear norm is at most R.
  const onSphere = (u: Tensor, radius: Tensor) => {
    if (norm === "frobenius") return mul(div(u, sqrt(sum(square(u)))), radius);
    const [k, q] = [u.slice([0]), u.slice([1])];
    return mul(div(matmul(k, transpose(q)), mul(add(sum(square(k)), sum(square(q))), 0.5)), radius);
  };
  const local = around === undefined ? undefined : localProblem(read, scores, around, svm, width);
  const at = local?.at ?? onSphere;
  const slope = jit(
    valueAndGrad(local?.objective ?? ((u: Tensor, radius: Tensor) => logExcess(onSphere(u, radius), read, scores))),
  );
  const rng = random.rng(seed);
  const shape = norm === "frobenius" ? [d, d] : [2, d, d];
  const breather = makeBreather();
  // In a cone a search from its middle does not end at the edge, where angles hardly change any more.
  const deviation = around === undefined ? 1 : 0.1;
  const drawn = Array.from({ length: starts }, () => rng.normal(shape, { std: deviation, dtype: "float64" }));
  let begin = drawn;
  const path: PathPoint[] = [];
  for (const radius of radii) {
    const r = mul(sum(begin[0].mul(0)), 1).add(radius);
    let best: { x: Tensor; objective: number } | undefined;
    for (const start of begin) {
      if (breather.due()) await breather.pause();
      const found = await minimizeLbfgs(async (u: Tensor): Promise<[Tensor, Tensor]> => slope(u, r), start, {
        maxIterations,
      });
      if (best === undefined || found.objective < best.objective) best = found;
    }
    if (best === undefined) throw new Error("a minimisation without a start");
    const w = at(best.x, r);
    const excess = local?.logExcess(best.objective, radius) ?? best.objective;
    path.push({ radius, w, logExcess: excess, correlation: correlation(w, svm.w) });
    begin = around === undefined ? [best.x] : [best.x, drawn[0]];
  }
  return path;
}

/** The least loss in a cone, in units of what is left at the SVM's margins, so that it does not vanish as R grows. */
function localProblem(
  read: ReadExamples,
  scores: Tensor,
  tokens: readonly number[],
  { w, objective: size }: AttentionSvm,
  width: number,
) {
  const direction = div(w, size);
  const widest = Math.acos(1 - width);
  const at = (u: Tensor, radius: Tensor) => inCone(u, direction, widest, radius);
  return {
    at,
    objective: (u: Tensor, radius: Tensor) =>
      mul(localExcess(at(u, radius), read, scores, tokens), exp(div(radius, size))),
    logExcess: (found: number, radius: number) =>
      found > 0 ? Math.log(found / read.count) - radius / size : Number.NEGATIVE_INFINITY,
  };
}
