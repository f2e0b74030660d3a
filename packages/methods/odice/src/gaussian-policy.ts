import { activation, type Layer as FileLayer, linear, toOnnx } from "@offprint/networks";
import { loadParameters, saveParameters } from "@offprint/nn";
import {
  add,
  cast,
  clip,
  div,
  exp,
  jitSync,
  mul,
  type Rng,
  requireObject,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tanh,
  tensor,
  UnsupportedError,
} from "@offprint/tensor-core";
import type { PolicyNetwork } from "./networks.js";
import type { ObservationScaling } from "./offline-dataset.js";

/** Parameters of a policy. */
export interface PolicyParams<P = unknown> {
  /** Of the network of the means. */
  readonly mean: P;
  /** Logarithms of the standard deviations, `[actions]`, the same in all states. */
  readonly logStd: Tensor;
}

/** `-log N(a; mean, exp(logStd)^2)`, `[batch]`; traceable. @param logStd `[actions]`, kept in [-5, 2] */
export function gaussianNll(mean: Tensor, logStd: Tensor, actions: Tensor): Tensor {
  const log = clip(logStd, -5, 2);
  const z = div(sub(actions, mean), exp(log));
  return sum(add(add(mul(square(z), 0.5), log), 0.5 * Math.log(2 * Math.PI)), -1);
}

/** How a policy sees and acts. */
export interface PolicySettings {
  /** Whether means go through tanh. */
  readonly tanhMean: boolean;
  /** Observations are standardised by it. */
  readonly scaling?: ObservationScaling;
}

/** Standardised observations, or themselves. */
export function standardised(x: Tensor, scaling: ObservationScaling | undefined): Tensor {
  return scaling === undefined ? x : div(sub(x, cast(scaling.centre, x.dtype)), cast(scaling.scale, x.dtype));
}

/** The means of a policy's actions; traceable. */
export function meansOf<P>(
  network: PolicyNetwork<P>,
  params: P,
  observations: Tensor,
  { tanhMean, scaling }: PolicySettings,
): Tensor {
  const mean = network.apply(params, standardised(observations, scaling));
  return tanhMean ? tanh(mean) : mean;
}

/** Chance in acting. */
export interface ActOptions {
  /** Draws actions from the policy; without it the means are taken. */
  readonly rng?: Rng;
}

/** A trained policy. */
export interface Policy<P = unknown> {
  /** Its parameters. */
  readonly params: PolicyParams<P>;
  /** Actions in [-1, 1], `[batch, actions]`, for observations `[batch, observation]`; compiled. @throws ShapeError */
  act(observations: TensorLike, options?: ActOptions): Tensor;
  /** The same without chance, in operations of tensors, for compiled code and exporters. */
  actions(observations: Tensor): Tensor;
  /** The bytes of an .onnx file with input `x` and output `y`, cut off at -1 and 1. @throws UnsupportedError for networks of one's own; export `actions`. */
  toOnnx(): Uint8Array;
  /** The bytes of a safetensors file with the parameters. */
  save(): Uint8Array;
}

/** A policy of parameters, as training gives it; read back with {@link loadPolicy}. */
export function makePolicy<P>(network: PolicyNetwork<P>, params: PolicyParams<P>, settings: PolicySettings): Policy<P> {
  requireObject("makePolicy", "network", network, "a PolicyNetwork");
  requireObject("makePolicy", "params", params, "PolicyParams");
  requireObject("makePolicy", "settings", settings, "{ tanhMean }");
  const actions = (x: Tensor): Tensor => clip(meansOf(network, params.mean, x, settings), -1, 1);
  const compiled = jitSync(actions);
  const type = params.logStd.dtype as "float32";
  return {
    params,
    actions,
    act(observations, { rng } = {}) {
      const x = tensor(observations, { dtype: type });
      if (x.rank !== 2) throw new ShapeError(`act: observations have shape [${x.shape}]; give [batch, observation]`);
      if (rng === undefined) return compiled(x);
      const mean = meansOf(network, params.mean, x, settings);
      const noise = mul(exp(clip(params.logStd, -5, 2)), rng.normal(mean.shape, { dtype: type }));
      return clip(add(mean, noise), -1, 1);
    },
    toOnnx() {
      const layers = network.layers?.(params.mean);
      if (layers === undefined) {
        throw new UnsupportedError(
          "toOnnx: the network is not one of linear layers; write policy.actions with toOnnx of @offprint/onnx-runtime",
        );
      }
      return toOnnx({ layers: fileLayers(layers, settings) }, { dtype: "float32" });
    },
    save: () => saveParameters(savedTree(params, settings)),
  };
}

function savedTree<P>(params: PolicyParams<P>, { scaling }: PolicySettings): object {
  return scaling === undefined ? params : { ...params, scaling };
}

/** Reads back what `save` of a policy wrote. @param like a policy of the same networks and settings */
export function loadPolicy<P>(
  bytes: Uint8Array,
  network: PolicyNetwork<P>,
  like: PolicyParams<P>,
  settings: PolicySettings,
): Policy<P> {
  requireObject("loadPolicy", "bytes", bytes, "a Uint8Array");
  requireObject("loadPolicy", "network", network, "a PolicyNetwork");
  requireObject("loadPolicy", "like", like, "PolicyParams");
  requireObject("loadPolicy", "settings", settings, "{ tanhMean }");
  const read = loadParameters(bytes, savedTree(like, settings)) as PolicyParams<P> & { scaling?: ObservationScaling };
  const { scaling, ...params } = read;
  return makePolicy(network, params, { tanhMean: settings.tanhMean, ...(scaling && { scaling }) });
}

function fileLayers(
  layers: readonly { readonly weight: Tensor; readonly bias: Tensor }[],
  { tanhMean, scaling }: PolicySettings,
): FileLayer[] {
  const wide = (x: Tensor) => cast(x, "float64");
  return [
    ...layers.flatMap(({ weight, bias }, i) => {
      let [w, b] = [wide(weight), wide(bias)];
      if (i === 0 && scaling !== undefined) {
        w = div(w, wide(scaling.scale));
        b = sub(b, sum(mul(w, wide(scaling.centre)), 1));
      }
      const layer = linear(w, b);
      return i < layers.length - 1 ? [layer, activation("relu")] : [layer];
    }),
    ...(tanhMean ? [activation("tanh")] : []),
    activation("clip", { low: -1, high: 1 }),
  ];
}
