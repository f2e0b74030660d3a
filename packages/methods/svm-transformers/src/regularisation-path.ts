import { makeBreather, minimizeLbfgs } from "@offprint/solvers";
import {
  add,
  checkOptions,
  div,
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
import { svmOf } from "./attention-svm.js";
import { type AttentionExamples, readExamples } from "./examples.js";
import { logExcess } from "./log-excess.js";
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
}

/** The best weights of a norm. */
export interface PathPoint {
  /** R. */
  readonly radius: number;
  /** W_R, `[d, d]`. */
  readonly w: Tensor;
  /** ln(L(W_R) - L_*). */
  readonly logExcess: number;
  /** With the SVM of the same norm for the tokens of the highest scores. */
  readonly correlation: number;
}

/**
 * The regularisation path: the least logistic loss with a linear head over all W of norm at most R, which goes in the
 * direction of the SVM's solution as R grows.
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
  checkOptions(owner, options, ["norm", "starts", "maxIterations", "seed"]);
  const { norm = "frobenius", starts = 5, maxIterations = 500, seed = 0 } = options;
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
  const svm = await svmOf(owner, read, optimalOf(scores).tokens, { norm });
  // On the sphere: W = R u / ||u||, or R K Q^T / (||K||^2 + ||Q||^2) * 2, whose nuclear norm is at most R.
  const onSphere = (u: Tensor, radius: Tensor) => {
    if (norm === "frobenius") return mul(div(u, sqrt(sum(square(u)))), radius);
    const [k, q] = [u.slice([0]), u.slice([1])];
    return mul(div(matmul(k, transpose(q)), mul(add(sum(square(k)), sum(square(q))), 0.5)), radius);
  };
  const slope = jit(valueAndGrad((u: Tensor, radius: Tensor) => logExcess(onSphere(u, radius), read, scores)));
  const rng = random.rng(seed);
  const shape = norm === "frobenius" ? [d, d] : [2, d, d];
  const breather = makeBreather();
  let begin = Array.from({ length: starts }, () => rng.normal(shape, { dtype: "float64" }));
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
    const w = onSphere(best.x, r);
    path.push({ radius, w, logExcess: best.objective, correlation: correlation(w, svm.w) });
    begin = [best.x];
  }
  return path;
}
