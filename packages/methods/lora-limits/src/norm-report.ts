import {
  abs,
  add,
  checkOptions,
  matmul,
  max,
  mul,
  requireChoice,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { centred, scoreRange } from "./choose-polynomial.js";
import { expPolynomial, MOST_RANGE, requireEpsilon } from "./exp-polynomial.js";
import { rowNorms, weightError } from "./gradient-bound.js";
import { type Head, project, projectionNames, readHead } from "./head.js";
import { featureCount } from "./monomial-features.js";

/** Options of `normReport`. */
export interface NormReportOptions {
  /** Relative error of exp that the approximation is to keep, in (0, 1). Default `1 / L`, as the theory has it. */
  readonly epsilon?: number;
  /** Whether the mean key is subtracted first, as by `center` of `loraGradients`. Default `false`. */
  readonly center?: boolean;
}

/** Whether a head's gradient can be had in almost linear time. */
export interface NormReport {
  /**
   * Largest entries of the products that the theory looks at: `XW_Q*`, `XW_K*`, `XW_V*`, a bias being a weight of a token's entry
   * that is always 1, and `X (alpha/r) B A` of each adapter as `XBA_Q`, `XBA_K`, `XBA_V`.
   */
  readonly gammas: Readonly<Record<string, number>>;
  /** Gamma: the largest of them. */
  readonly gamma: number;
  /** sqrt(ln L), below which Gamma should lie. */
  readonly threshold: number;
  /** R: no score is larger. */
  readonly range: number;
  /** g for `epsilon`; undefined where no polynomial does it. */
  readonly degree: number | undefined;
  /** k_1 = C(d + g, g). */
  readonly features: number | undefined;
  /** Operations of the almost linear gradient, `L k_1 d^2`. */
  readonly flopsAlmostLinear: number;
  /** Operations of the exact gradient, `L^2 d`. */
  readonly flopsExact: number;
  /** Certified error of a row of the output, as a part of the longest value. */
  readonly outputError: number | undefined;
  /** Certified error of dW_Q for a gradient from above of unit length at every token. */
  readonly gradientError: number | undefined;
  /** `"linear"` where it takes at most half of the exact work, `"quadratic"` where more than twice, or not at all. */
  readonly verdict: "linear" | "borderline" | "quadratic";
}

/**
 * The norms that decide whether a head's LoRA gradient can be had in almost linear time, and what it would cost.
 *
 * @param x Tokens as the head gets them, `[L, D]`.
 * @throws ShapeError, ValueError for what does not fit.
 * @example
 * const { verdict, range, features } = normReport(x, { q, k, v });
 */
export function normReport(x: TensorLike, head: Head, options: NormReportOptions = {}): NormReport {
  const owner = "normReport";
  checkOptions(owner, options, ["epsilon", "center"]);
  const read = readHead(owner, x, head);
  const { center = false } = options;
  requireChoice(owner, "center", center, [true, false]);
  const projected = centred(project(read), center);
  const [length, d] = projected.q.shape;
  const { epsilon = Math.min(0.5, 1 / length) } = options;
  requireEpsilon(owner, epsilon);
  const gammas: Record<string, number> = {};
  for (const name of projectionNames) {
    const { weight, bias, adapter } = read.projections[name];
    const label = name.toUpperCase();
    gammas[`XW_${label}*`] = max(abs(add(matmul(read.x, weight), bias ?? 0))).item();
    if (adapter === undefined) continue;
    const product = matmul(matmul(read.x, adapter.b), adapter.a);
    gammas[`XBA_${label}`] = max(abs(mul(product, adapter.scale))).item();
  }
  const range = scoreRange(projected, read.beta);
  const polynomial = range <= MOST_RANGE ? reachable(range, epsilon) : undefined;
  const features = polynomial === undefined ? undefined : featureCount(d, polynomial.degree);
  const delta =
    polynomial === undefined || features === undefined
      ? undefined
      : weightError(polynomial, length, features, read.dtype);
  const flopsExact = length * length * d;
  const flopsAlmostLinear = features === undefined ? Infinity : length * features * d * d;
  const longest = max(rowNorms(projected.v)).item();
  return {
    gammas,
    gamma: Math.max(...Object.values(gammas)),
    threshold: Math.sqrt(Math.log(length)),
    range,
    degree: polynomial?.degree,
    features,
    flopsAlmostLinear,
    flopsExact,
    outputError: delta,
    gradientError:
      delta === undefined
        ? undefined
        : read.beta * 3 * delta * longest * max(abs(projected.k)).item() * max(abs(read.x).sum(0)).item(),
    verdict:
      flopsAlmostLinear <= flopsExact / 2 ? "linear" : flopsAlmostLinear <= 2 * flopsExact ? "borderline" : "quadratic",
  };
}

/** The polynomial, where there is one of any degree. */
function reachable(range: number, epsilon: number) {
  try {
    return expPolynomial(range, { epsilon });
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}
