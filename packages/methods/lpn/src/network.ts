import {
  add,
  exp,
  grad,
  isTensor,
  mul,
  type Rng,
  requireFinite,
  reshape,
  ShapeError,
  special,
  square,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { configOf, type LpnConfig, type Plan, planOf } from "./architecture.js";
import { batchOf, type FloatType, floatOf, sizeOf } from "./batch.js";

/** Parameters of a learned proximal network with layers k = 1 to K, in the paper's letters. */
export interface LpnParams {
  /** `H_k` and `b_k`, k = 1 to K: from the input into each layer, of any sign. */
  readonly skips: readonly { readonly weight: Tensor; readonly bias: Tensor }[];
  /** `W_k`, k = 2 to K, and last `w`: entrywise >= 0. */
  readonly convex: readonly Tensor[];
  /** `h`, like one input, of any sign. */
  readonly linear: Tensor;
  /** `b`: a scalar. */
  readonly constant: Tensor;
}

/** What can be trained to denoise and used in plug-and-play reconstruction. */
export interface ProxModel<P> {
  /** Shape of one input. */
  readonly shape: readonly number[];
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): P;
  /** `f(y)`: `[batch, ...shape]` to the same. Pure and traceable. */
  prox(params: P, y: TensorLike): Tensor;
  /** Which parameters must stay >= 0 while they are trained, by their paths. Default none. */
  readonly nonNegative?: (path: string) => boolean;
}

/** A learned proximal network: a map that is a proximal operator whatever its parameters are. */
export interface Lpn extends ProxModel<LpnParams> {
  /** What it was made from, with all defaults. */
  readonly config: Required<LpnConfig>;
  /** The number K of layers. */
  readonly layers: number;
  /** `psi(y)`, convex in y: `[batch, ...shape]` to `[batch]`. `prox` is its gradient. Pure and traceable. */
  potential(params: LpnParams, y: TensorLike): Tensor;
  /** The parameters with negative entries of `W_k` and `w` set to 0. */
  clip(params: LpnParams): LpnParams;
  /** Throws a ValueError unless `W_k >= 0` and `w >= 0`, and a ShapeError unless shapes are those of this network. */
  assertConvex(params: LpnParams): void;
}

/**
 * A learned proximal network (section 3): `f = grad psi` of the input-convex network
 * `z_1 = g(H_1 y + b_1)`, `z_k = g(W_k z_{k-1} + H_k y + b_k)`, `psi(y) = w^T z_K + h^T y + b + alpha |y|^2`
 * with `W_k, w >= 0` and `g(t) = softplus(beta t) / beta`. So `f` is the proximal operator of some function, which
 * {@link regularizer} evaluates.
 * @throws ValueError for a configuration that makes no network.
 * @example const model = lpn({ kind: "dense", shape: [2], hidden: [32, 32], alpha: 0.05 });
 */
export function lpn(given: LpnConfig): Lpn {
  const config = configOf(given);
  const plan = planOf(config);
  const { shape, beta, alpha } = config;
  const axes = shape.map((_, i) => i + 1);
  const g = (t: Tensor) => mul(special.softplus(mul(t, beta)), 1 / beta);
  const inputOf = ({ linear }: LpnParams, y: TensorLike) => batchOf("lpn", shape, y, floatOf(linear, "float32"));
  const potential = (params: LpnParams, y: TensorLike): Tensor => {
    const x = inputOf(params, y);
    const skipped = plan.skips.map(({ layer, prepare }, k) => layer.apply(params.skips[k], prepare(x)));
    // W_{k+1} z_k, beginning with the first layer, which has none below; at last w^T z_K.
    const last = plan.convex.reduce((below: Tensor | undefined, { apply }, k) => {
      const z = g(below === undefined ? skipped[k] : add(below, skipped[k]));
      return apply(params.convex[k], z);
    }, undefined) as Tensor;
    const own = add(sum(mul(x, params.linear), axes), params.constant);
    const curved = alpha === 0 ? own : add(own, mul(sum(square(x), axes), alpha));
    return add(reshape(last, [x.shape[0]]), curved);
  };
  const slope = grad((y: Tensor, params: LpnParams) => sum(potential(params, y)));
  return {
    config,
    shape,
    layers: plan.skips.length,
    potential,
    prox: (params, y) => slope(inputOf(params, y), params),
    init: (rng, dtype = "float32") => drawParameters(plan, config, rng, dtype),
    nonNegative: (path) => path.startsWith("convex."),
    clip: (params) => ({ ...params, convex: params.convex.map((w) => w.maximum(0)) }),
    assertConvex: (params) => requireParameters(plan, shape, params),
  };
}

/** @internal Whether a model is of {@link lpn}. */
export function isLpn(model: unknown): model is Lpn {
  return typeof model === "object" && model !== null && "assertConvex" in model;
}

function drawParameters(plan: Plan, { shape, logWeight }: Required<LpnConfig>, rng: Rng, dtype: FloatType): LpnParams {
  const bound = 1 / Math.sqrt(sizeOf(shape));
  const range = { low: -bound, high: bound, dtype };
  return {
    skips: plan.skips.map(({ layer, outputs }) => {
      const { weight, bias } = layer.init(rng, dtype);
      return { weight, bias: bias ?? zeros([outputs], dtype) };
    }),
    convex: plan.convex.map(({ weight, fanIn }) => {
      const mean = logWeight === "fan-in" ? -Math.log(fanIn) : logWeight;
      return exp(add(rng.normal(weight, { std: 0.1, dtype }), mean));
    }),
    linear: rng.uniform(shape, range),
    constant: rng.uniform([], range),
  };
}

function requireParameters(plan: Plan, shape: readonly number[], params: LpnParams): void {
  const wrong = (what: string) =>
    new ShapeError(`assertConvex: ${what}; give parameters of this network, of init, fitProximal or a file`);
  const check = (path: string, leaf: unknown, extents: readonly number[]) => {
    if (!isTensor(leaf) || String(leaf.shape) !== String(extents) || !leaf.dtype.startsWith("float")) {
      throw wrong(`${path} must be a float32 or float64 tensor of shape [${extents}]`);
    }
    requireFinite("assertConvex", path, leaf);
  };
  const { skips, convex, linear, constant } = params ?? {};
  if (skips?.length !== plan.skips.length) throw wrong(`there must be ${plan.skips.length} skips`);
  if (convex?.length !== plan.convex.length) throw wrong(`there must be ${plan.convex.length} convex weights`);
  skips.forEach(({ weight, bias }, k) => {
    check(`skips.${k}.weight`, weight, plan.skips[k].weight);
    check(`skips.${k}.bias`, bias, [plan.skips[k].outputs]);
  });
  convex.forEach((w, k) => {
    check(`convex.${k}`, w, plan.convex[k].weight);
    const least = w.min().item();
    if (least >= 0) return;
    throw new ValueError(
      `assertConvex: convex.${k} has an entry ${least}; it must be >= 0, or the network is no proximal operator: take ` +
        "clip(params), and keepNonNegative() of @offprint/optim in a training loop of your own",
    );
  });
  check("linear", linear, shape);
  check("constant", constant, []);
}
