import type { GraphLayer } from "@offprint/graph";
import {
  OffprintError,
  type Rng,
  random,
  requireInteger,
  ShapeError,
  type Tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { makeConvolution } from "./convolution.js";
import { type Settled, settleTraining, type TrainingOptions } from "./options.js";

/** What decides of which layers a network is. */
export interface NetworkKind {
  /** How it is trained. */
  readonly method: string;
  /** Number of features of a node. */
  readonly features: number;
  /** Number of classes; without them it predicts links. */
  readonly classes?: number;
  readonly options: Pick<Settled<TrainingOptions>, "convolution" | "layers" | "hidden" | "heads" | "dtype">;
}

/** The width of what layer `l` (from 0) reads: the state below it and, from the top down, the one above it. */
export function inputWidth({ method, features, classes = 0, options }: NetworkKind, l: number): number {
  const { layers, hidden } = options;
  const below = l === 0 ? features + (method === "ff-la" ? classes : 0) : hidden;
  if (!method.endsWith("top-to-input")) return below;
  return below + (l === layers - 1 ? classes : hidden);
}

/** Numbers in the weights of layer `l`, at least: what a file that describes it must hold. */
export function leastNumbers(kind: NetworkKind, l: number): number {
  const { convolution, hidden, heads } = kind.options;
  const outputs = givesClasses(kind, l) ? (kind.classes as number) * (convolution === "gat" ? heads : 1) : hidden;
  return inputWidth(kind, l) * outputs;
}

function givesClasses({ method, classes, options }: NetworkKind, l: number): boolean {
  return method === "bp" && classes !== undefined && l === options.layers - 1;
}

/**
 * Layer `l` (from 0) of a network. Trained end to end to tell classes, the last one has an output for each, with the heads
 * of its attention averaged.
 */
export function networkLayer(kind: NetworkKind, l: number): GraphLayer {
  const { convolution, hidden, heads } = kind.options;
  const inputs = inputWidth(kind, l);
  return givesClasses(kind, l)
    ? makeConvolution(convolution, inputs, kind.classes as number, heads, "mean")
    : makeConvolution(convolution, inputs, hidden, heads);
}

/** The layers of a network. */
export function networkLayers(kind: NetworkKind): GraphLayer[] {
  return Array.from({ length: kind.options.layers }, (_, l) => networkLayer(kind, l));
}

/** Parameters of all layers as they are before training. They do not depend on how many layers there are. */
export function initialNetwork(kind: NetworkKind, rng: Rng): unknown[] {
  return Array.from({ length: kind.options.layers }, (_, l) =>
    networkLayer(kind, l).init(rng.fork(`layer/${l}`), kind.options.dtype),
  );
}

/** @throws ShapeError unless `given` is a tree of tensors like `expected`, of the same shapes. */
export function requireLike(owner: string, name: string, given: unknown, expected: unknown): void {
  const compare = (place: string) => (one: Tensor, other: Tensor) => {
    if (one?.shape?.join() === other.shape.join()) return other;
    throw new ShapeError(
      `${owner}: a tensor of ${place} is [${one?.shape ?? "none"}]; the network needs [${other.shape}]`,
    );
  };
  try {
    tree.map(compare(name), given, expected);
  } catch (cause) {
    if (!(cause instanceof OffprintError) || cause instanceof ShapeError) throw cause;
    throw new ShapeError(`${owner}: ${name} is of another network: ${cause.message}`, { cause });
  }
}

/**
 * @param methods those that such a model may have been trained by
 * @throws ValueError or ShapeError unless it is a model with the parameters of the layers that it is said to have.
 */
export function requireModel(
  owner: string,
  model: NetworkKind & { readonly params: readonly unknown[] },
  methods: Readonly<Record<string, string>>,
): void {
  const { method, options, params } = model;
  if (typeof method !== "string" || !Object.hasOwn(methods, method)) {
    throw new ValueError(
      `${owner}: method of the model is ${String(method)}; it must be one of ${Object.keys(methods).join(", ")}`,
    );
  }
  requireInteger(owner, "features of the model", model.features, 1);
  settleTraining(owner, options);
  if (!Array.isArray(params) || params.length !== options.layers) {
    throw new ValueError(`${owner}: params are of ${params?.length ?? "no"} layers; the model has ${options.layers}`);
  }
  requireLike(owner, "params", params, initialNetwork(model, random.rng(0)));
}
