import {
  abs,
  add,
  checkOptions,
  matmul,
  max,
  mul,
  NonFiniteError,
  requireChoice,
  requireInteger,
  requirePositive,
  ShapeError,
  square,
  sum,
  type Tensor,
  type TensorLike,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import { almostLinearGradient, polynomialFeatures } from "./almost-linear-gradient.js";
import { centred, choosePolynomial, chooseRange, DEFAULT_TOLERANCE } from "./choose-polynomial.js";
import { exactGradient } from "./exact-gradient.js";
import { type ExpPolynomial, type PolynomialKind, requireEpsilon } from "./exp-polynomial.js";
import { type GradientBound, gradientBound, rowNorms, weightError } from "./gradient-bound.js";
import {
  type Head,
  headWarnings,
  type ProjectionName,
  project,
  projectionNames,
  type ReadHead,
  readHead,
  readMatrix,
} from "./head.js";
import type { HeadGradient } from "./head-gradient.js";
import type { UpstreamKind } from "./softmax-chain.js";

/** Where the gradient begins: the target Y of `1/2 ||o - Y||^2`, or the gradient of any loss with respect to o. */
export type Upstream =
  | {
      /** Y, `[L, d]`. */
      readonly target: TensorLike;
    }
  | {
      /** Gradient of the loss with respect to the head's output, `[L, d]`. */
      readonly gradient: TensorLike;
    };

/** How the gradient is found. */
export type Strategy = "exact" | "almostLinear" | "auto";

/** Options of `loraGradients`. */
export interface LoraGradientOptions {
  /**
   * `"exact"` takes O(L^2 d), `"almostLinear"` O(L k_1 d^2) with k_1 = C(d + g, g), or throws where that cannot be;
   * `"auto"` is almost linear where that is less work and the certified error is at most `tolerance`, and exact
   * otherwise. Default `"auto"`.
   */
  readonly strategy?: Strategy;
  /** Error of an adapter's gradient that `"auto"` allows, in its largest entry, > 0. Default 1e-6. */
  readonly tolerance?: number;
  /** Relative error of exp, in (0, 1), which decides the degree. Default 1e-6; `"auto"` chooses it by `tolerance`. */
  readonly epsilon?: number;
  /** g >= 0, instead of `epsilon`. */
  readonly degree?: number;
  /** Which polynomial. Default `"chebyshev"`. */
  readonly kind?: PolynomialKind;
  /** R, half the width of the interval, where it is known to be enough. Default `beta max ||Q_i|| max ||K_j||`. */
  readonly range?: number;
  /** Subtracts the mean key first, which changes no weight and mostly lowers R. Default `false`. */
  readonly center?: boolean;
  /** Features k_1 at most. Default 20 000. */
  readonly maxFeatures?: number;
  /** Rows that are worked on at a time. Default by the memory that they need. */
  readonly chunk?: number;
}

/** Names of these options. */
export const gradientOptionNames = [
  "strategy",
  "tolerance",
  "epsilon",
  "degree",
  "kind",
  "range",
  "center",
  "maxFeatures",
  "chunk",
] as const satisfies readonly (keyof LoraGradientOptions)[];

/** Gradients of a head. */
export interface LoraGradients {
  /** `1/2 ||o - Y||^2` where a target was given. */
  readonly loss: number | undefined;
  /** o, the head's output, `[L, d]`. */
  readonly output: Tensor;
  /** By the whole weights, `[D, d]`. */
  readonly weights: Readonly<Record<ProjectionName, Tensor>>;
  /** By B, `[D, r]`; null where there is no adapter. */
  readonly b: Readonly<Record<ProjectionName, Tensor | null>>;
  /** By A, `[r, d]`; null where there is no adapter. */
  readonly a: Readonly<Record<ProjectionName, Tensor | null>>;
  /** What was taken. */
  readonly strategy: Exclude<Strategy, "auto">;
  /** R: no score is larger, by the norms of queries and keys. */
  readonly range: number;
  /** The polynomial; undefined where the gradient is exact. */
  readonly polynomial: ExpPolynomial | undefined;
  /** k_1; undefined where the gradient is exact. */
  readonly features: number | undefined;
  /** Certified errors; undefined where the gradient is exact. */
  readonly bound: GradientBound | undefined;
  /** What was odd: an adapter whose rank is not below that of its weight. */
  readonly warnings: readonly string[];
}

/**
 * The gradients of a head's low-rank adapters: exactly, or in almost linear time with a certified error.
 *
 * @param x Tokens, `[L, D]`; plain numbers are float64.
 * @throws ShapeError, ValueError for what does not fit; NormExceededError where the scores are too large for the
 * polynomial that was asked for; NonFiniteError where queries, keys, the loss or the gradients leave the range of numbers.
 * @example
 * const { b, bound } = await loraGradients(x, { q: { weight, b: b0, a: a0 }, k, v }, { target });
 */
export async function loraGradients(
  x: TensorLike,
  head: Head,
  upstream: Upstream,
  options: LoraGradientOptions = {},
): Promise<LoraGradients> {
  const owner = "loraGradients";
  checkOptions(owner, options, gradientOptionNames);
  return gradientsOf(owner, readHead(owner, x, head), upstream, options);
}

/** The same of a head that was read. */
export async function gradientsOf(
  owner: string,
  head: ReadHead,
  upstream: Upstream,
  options: LoraGradientOptions,
): Promise<LoraGradients> {
  checkGradientOptions(owner, options);
  const { strategy = "auto" } = options;
  const projected = centred(project(head), options.center ?? false);
  const [length, width] = projected.q.shape;
  const { kind, given } = readUpstream(owner, upstream, length, width, head.dtype);
  const range = chooseRange(owner, projected, head.beta, options);
  // Bounds are proportional to delta: what delta = 1 would give says which is small enough. A target's c is not known
  // yet; it is at most ||Y_j|| + v.
  const unitBound = () => {
    const reach = kind === "target" ? max(rowNorms(projected.v)) : 0;
    return gradientBound(head, projected, add(rowNorms(given), reach), kind, 1).largest;
  };
  const polynomial =
    strategy === "exact"
      ? undefined
      : choosePolynomial(owner, { range, length, width }, options, strategy === "auto" ? unitBound : undefined);
  const { beta, causal } = head;
  const chunk = options.chunk === undefined ? {} : { chunk: options.chunk };
  const settings = { beta, causal, owner, ...chunk };
  const exactly = async () =>
    finite(
      owner,
      joined(head, await exactGradient(projected, given, kind, settings), kind, { strategy: "exact", range }),
    );
  if (polynomial === undefined) return exactly();
  const map = polynomialFeatures(polynomial, width);
  const found = await almostLinearGradient(projected, given, kind, map, settings);
  const features = map.count;
  const delta = weightError(polynomial, length, features, head.dtype);
  const bound = gradientBound(head, projected, rowNorms(found.upstream), kind, delta);
  // A bound that is no number certifies nothing.
  if (strategy === "auto" && !(bound.largest <= (options.tolerance ?? DEFAULT_TOLERANCE))) return exactly();
  return finite(owner, joined(head, found, kind, { strategy: "almostLinear", range, polynomial, features, bound }));
}

/** @throws NonFiniteError where products left the range of numbers. */
function finite(owner: string, found: LoraGradients): LoraGradients {
  const { loss = 0, weights, a, b } = found;
  const all = [weights, a, b].flatMap((each) => projectionNames.map((name) => each[name]));
  if (Number.isFinite(loss) && all.every((each) => each === null || Number.isFinite(sum(abs(each)).item())))
    return found;
  throw new NonFiniteError(
    `${owner}: the ${Number.isFinite(loss) ? "gradients" : "loss"} left the range of numbers; scale the values and what comes from above`,
  );
}

/** @throws ValueError for an option out of range. */
export function checkGradientOptions(owner: string, options: LoraGradientOptions): void {
  const { strategy, tolerance = 1, range, center = false, maxFeatures = 1, chunk = 1, kind, epsilon, degree } = options;
  requireChoice(owner, "strategy", strategy, ["exact", "almostLinear", "auto"]);
  requireChoice(owner, "kind", kind, ["chebyshev", "taylor"]);
  requirePositive(owner, "tolerance", tolerance);
  if (range !== undefined) requirePositive(owner, "range", range);
  if (epsilon !== undefined) requireEpsilon(owner, epsilon);
  if (degree !== undefined) requireInteger(owner, "degree", degree, 0);
  requireChoice(owner, "center", center, [true, false]);
  requireInteger(owner, "maxFeatures", maxFeatures, 1);
  requireInteger(owner, "chunk", chunk, 1);
  const idle = idleOptions(options);
  if (idle !== undefined) throw new ValueError(`${owner}: ${idle}; leave it out`);
}

/** An option that would do nothing beside the others, and why. */
function idleOptions({ strategy = "auto", ...given }: LoraGradientOptions): string | undefined {
  const ofPolynomial = ["tolerance", "epsilon", "degree", "kind", "maxFeatures"] as const;
  const idle = strategy === "exact" ? ofPolynomial.find((name) => given[name] !== undefined) : undefined;
  if (idle !== undefined) return `${idle} is of a polynomial, and strategy is "exact"`;
  if (strategy === "almostLinear" && given.tolerance !== undefined) {
    return 'tolerance says when strategy "auto" is exact, and strategy is "almostLinear"';
  }
  if (given.degree === undefined || given.epsilon === undefined) return undefined;
  return "epsilon decides the degree, and degree is given";
}

/** The upstream matrix, checked. */
export function readUpstream(
  owner: string,
  upstream: Upstream,
  length: number,
  width: number,
  dtype: "float32" | "float64",
): { kind: UpstreamKind; given: Tensor } {
  const targets = upstream as { target?: TensorLike; gradient?: TensorLike } | null | undefined;
  if (targets?.target !== undefined && targets.gradient !== undefined) {
    throw new ValueError(`${owner}: both a target and a gradient were given; give one`);
  }
  if (targets?.target === undefined && targets?.gradient === undefined) {
    throw new ValueError(`${owner}: nothing comes from above; give { target } or { gradient }`);
  }
  checkOptions(owner, targets, ["target", "gradient"]);
  const kind = targets.target === undefined ? "gradient" : "target";
  const given = readMatrix(owner, kind, (targets.target ?? targets.gradient) as TensorLike, dtype);
  if (given.shape[0] !== length || given.shape[1] !== width) {
    throw new ShapeError(`${owner}: ${kind} has shape [${given.shape}]; the head's output has [${length}, ${width}]`);
  }
  return { kind, given };
}

/** Gradients by weights and adapters from those by queries, keys and values. */
export function joined(
  head: ReadHead,
  found: HeadGradient,
  kind: UpstreamKind,
  facts: {
    strategy: Exclude<Strategy, "auto">;
    range: number;
    polynomial?: ExpPolynomial;
    features?: number;
    bound?: GradientBound;
  },
): LoraGradients {
  const { x, projections } = head;
  const tokens = transpose(x);
  const weights = {} as Record<ProjectionName, Tensor>;
  const b: Record<ProjectionName, Tensor | null> = { q: null, k: null, v: null };
  const a: Record<ProjectionName, Tensor | null> = { q: null, k: null, v: null };
  for (const name of projectionNames) {
    weights[name] = matmul(tokens, found[name]);
    const { adapter } = projections[name];
    if (adapter === undefined) continue;
    b[name] = mul(matmul(weights[name], transpose(adapter.a)), adapter.scale);
    a[name] = mul(matmul(transpose(adapter.b), weights[name]), adapter.scale);
  }
  return {
    loss: kind === "target" ? sum(square(found.upstream)).item() / 2 : undefined,
    output: found.output,
    weights,
    b,
    a,
    strategy: facts.strategy,
    range: facts.range,
    polynomial: facts.polynomial,
    features: facts.features,
    bound: facts.bound,
    warnings: headWarnings(head),
  };
}
