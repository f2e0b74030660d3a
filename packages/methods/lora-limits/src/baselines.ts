import {
  checkOptions,
  exp,
  linalg,
  matmul,
  mul,
  random,
  requireChoice,
  requireInteger,
  requireObject,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  vjp,
  zeros,
} from "@offprint/tensor-core";
import { almostLinearGradient, type FeatureMap } from "./almost-linear-gradient.js";
import { scoreRange } from "./choose-polynomial.js";
import { exactGradient, softmaxRows } from "./exact-gradient.js";
import { type Head, type Projected, project, type ReadHead, readHead } from "./head.js";
import type { HeadGradient } from "./head-gradient.js";
import { joined, type LoraGradients, readUpstream, type Upstream } from "./lora-gradients.js";
import { chainRows, type UpstreamKind, upstreamOf } from "./softmax-chain.js";

/** Options of `baselineGradients`. */
export interface BaselineOptions {
  /**
   * `"autograd"`: differentiates through the softmax, O(L^2) memory. `"randomFeatures"`: positive random features (FAVOR+)
   * in place of monomials. `"truncatedSvd"`: the best approximation of f of a rank, which is an oracle. `"frozenAttention"`:
   * attention weights as if they did not depend on W_Q and W_K.
   */
  readonly method: "autograd" | "randomFeatures" | "truncatedSvd" | "frozenAttention";
  /** Of `"randomFeatures"`, >= 1. Default 256. */
  readonly features?: number;
  /** Of `"truncatedSvd"`, >= 1. Default 16. */
  readonly rank?: number;
  /** Of `"randomFeatures"`. Default 0. */
  readonly seed?: number | string;
}

/** Options that one method has. */
const ownMethods = { features: "randomFeatures", rank: "truncatedSvd", seed: "randomFeatures" } as const;

/**
 * The same gradients by other means, to compare with.
 *
 * @throws ShapeError, ValueError for what does not fit.
 * @example
 * const { b } = await baselineGradients(x, head, { target }, { method: "randomFeatures", features: 126 });
 */
export async function baselineGradients(
  x: TensorLike,
  head: Head,
  upstream: Upstream,
  options: BaselineOptions,
): Promise<Pick<LoraGradients, "loss" | "output" | "weights" | "b" | "a">> {
  requireObject("baselineGradients", "head", head, "a Head");
  requireObject("baselineGradients", "upstream", upstream, "an Upstream");
  const owner = "baselineGradients";
  checkOptions(owner, options, ["method", "features", "rank", "seed"], ["method"]);
  const { method, features = 256, rank = 16, seed = 0 } = options;
  if (method === undefined) throw new ValueError(`${owner}: method is missing; give "autograd" or another`);
  requireChoice(owner, "method", method, ["autograd", "randomFeatures", "truncatedSvd", "frozenAttention"]);
  for (const [option, of] of Object.entries(ownMethods)) {
    if (options[option as keyof typeof ownMethods] === undefined || method === of) continue;
    throw new ValueError(`${owner}: ${option} is of method "${of}", and method is "${method}"; leave it out`);
  }
  requireInteger(owner, "features", features, 1);
  requireInteger(owner, "rank", rank, 1);
  const read = readHead(owner, x, head);
  const projected = project(read);
  const [length, width] = projected.q.shape;
  const { kind, given } = readUpstream(owner, upstream, length, width, read.dtype);
  const found = await gradientBy(owner, { method, features, rank, seed }, read, projected, given, kind);
  const { loss, output, weights, b, a } = joined(read, found, kind, { strategy: "exact", range: 0 });
  return { loss, output, weights, b, a };
}

async function gradientBy(
  owner: string,
  { method, features, rank, seed }: Required<BaselineOptions>,
  { beta, causal, dtype }: ReadHead,
  projected: Projected,
  given: Tensor,
  kind: UpstreamKind,
): Promise<HeadGradient> {
  if (method === "randomFeatures") {
    const map = randomFeatures(features, projected, beta, seed);
    return almostLinearGradient(projected, given, kind, map, { beta, causal, owner });
  }
  if (method === "frozenAttention") {
    const { output, upstream, v } = await exactGradient(projected, given, kind, { beta, causal });
    const none = zeros(projected.q.shape, dtype);
    return { output, upstream, q: none, k: none, v };
  }
  const start = causal ? tensor(0, { dtype: "int32" }) : undefined;
  if (method === "truncatedSvd") {
    const { u, s, vt } = svdParts(softmaxRows(projected.q, projected.k, beta, start), rank);
    return chainRows(matmul(mul(u, s), vt), projected, given, kind, beta);
  }
  const attend = ({ q, k, v }: Projected) => matmul(softmaxRows(q, k, beta, start), v);
  const [output, pullback] = vjp(attend, projected);
  const upstream = upstreamOf(kind, output, given);
  const [gradient] = pullback(upstream);
  return { output, upstream, ...gradient };
}

/** The leading singular triples. */
function svdParts(f: Tensor, rank: number) {
  const { u, s, vt } = linalg.svd(f);
  const kept = { stop: Math.min(rank, s.shape[0]) };
  return { u: slice(u, [null, kept]), s: slice(s, [kept]), vt: slice(vt, [kept]) };
}

/** `exp(w . x - ||x||^2 / 2) / sqrt(m)`, w normal: its products have the mean exp(q . k). */
function randomFeatures(count: number, projected: Projected, beta: number, seed: number | string): FeatureMap {
  const d = projected.q.shape[1];
  const directions = random.rng(seed).normal([count, d], { dtype: "float64" });
  return {
    key: `random ${count}`,
    count,
    map: (x, weights) =>
      mul(exp(sub(matmul(weights, x), mul(sum(square(x), { axis: 0, keepDims: true }), 0.5))), count ** -0.5),
    queries: directions,
    keys: directions,
    remedy: "give more features",
    range: scoreRange(projected, beta),
  };
}
