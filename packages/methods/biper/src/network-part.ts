import type { FloatType, Layer } from "@offprint/nn";
import {
  asTensor,
  type Rng,
  requireFunction,
  requireObject,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import type { PackedPart } from "./pack/packed-part.js";
import type { Stage, WeightRule } from "./weight-rules.js";

/** How a network is run. */
export interface Mode {
  /** Statistics of this batch, and gradients through the scaling of activations; else the running statistics. */
  readonly training: boolean;
  /** Weights of stage 1 (real) or 2 (binary). */
  readonly stage: Stage;
}

/** A binarised layer of a network with its parameters. */
export interface BinaryLayer {
  /** Names from the root of the network, joined by dots: `layer1.0.conv1`. */
  readonly path: string;
  /** How its latent weights are used. */
  readonly rule: WeightRule;
  /** Latent weights `[outputs, ...]`. */
  readonly weight: Tensor;
}

/**
 * A piece of a network, or a whole one: how to make its parameters and its state, what it computes, and what it becomes when
 * it is packed. It holds no values itself; they are trees that the caller keeps, trains and saves.
 */
export interface NetworkPart<P = unknown, S = unknown> {
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): P;
  /** The state before training, such as running statistics; null for none. */
  initState(dtype?: FloatType): S;
  /** The output and the next state; pure and traceable. */
  run(params: P, state: S, input: Tensor, mode: Mode): [Tensor, S];
  /** The binarised layers inside. `path` is that of this part. */
  layers(params: P, path: string): BinaryLayer[];
  /** The steps of inference with packed weights. */
  pack(params: P, state: S, path: string): PackedPart[];
}

/** What a network can be composed of: parts of this package, layers of `@offprint/nn`, and functions of a tensor. */
export type PartLike = NetworkPart | Layer<unknown> | ((x: Tensor) => TensorLike);

/** Throws unless a network has the methods that the caller is about to use. */
export function requireNetwork(owner: string, network: unknown, methods: readonly (keyof NetworkPart)[]): void {
  requireObject(owner, "network", network, "a NetworkPart");
  for (const name of methods) requireFunction(owner, `network.${name}`, (network as NetworkPart)[name]);
}

/** The parameters of what a network is composed of. */
export type ParamsOf<T> = T extends NetworkPart<infer P> ? P : T extends Layer<infer P> ? P : null;

/** The running statistics of what a network is composed of. */
export type StateOf<T> = T extends NetworkPart<unknown, infer S> ? S : null;

/** The part for anything that a network can be composed of. */
export function asPart(value: PartLike): NetworkPart {
  if (typeof value === "function") return plainPart((x) => asTensor(value(x)));
  requireObject("chain", "a part", value, "a layer, a part or a function");
  if ("run" in value) return value;
  return {
    init: (rng, dtype) => value.init(rng, dtype),
    initState: () => null,
    run: (params, state, x) => [asTensor(value.apply(params, x)), state],
    layers: () => [],
    pack: (params, _, path) => [{ kind: "function", name: path, apply: (x) => asTensor(value.apply(params, x)) }],
  };
}

/** A part without parameters. */
export function plainPart(apply: (x: Tensor) => Tensor, packed?: PackedPart): NetworkPart<null, null> {
  return {
    init: () => null,
    initState: () => null,
    run: (_, state, x) => [apply(x), state],
    layers: () => [],
    pack: (_params, _state, path) => [packed ?? { kind: "function", name: path, apply }],
  };
}
