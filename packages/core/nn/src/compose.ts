import {
  add,
  asTensor,
  checkOptions,
  requireInteger,
  ShapeError,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import { type Activation, type ActivationName, activation } from "./activations.js";
import type { Initializer } from "./initializers.js";
import { isLayer, type Layer } from "./layer.js";
import { type LinearParams, linear } from "./linear.js";

/** A layer, a function without parameters, or the name of an activation. */
export type Stage = Layer | ((x: Tensor) => TensorLike) | ActivationName;

/** The parameters of stages: those of each layer, null for other stages. */
export type SequentialParams<S extends readonly Stage[]> = {
  readonly [K in keyof S]: S[K] extends Layer<infer P> ? P : null;
};

/**
 * One layer after the other. Parameters are an array with an entry per stage, null for stages without any.
 * @example sequential(conv2d({ inputs: 1, outputs: 8, kernel: 3, padding: 1 }), "relu", (x) => maxPool(x, 2))
 */
export function sequential<const S extends readonly Stage[]>(...stages: S): Layer<SequentialParams<S>> {
  const resolved: readonly (Layer | ((x: Tensor) => TensorLike))[] = stages.map((s) =>
    typeof s === "string" ? activation(s) : s,
  );
  return {
    init: (rng, dtype = "float32") =>
      resolved.map((stage) => (isLayer(stage) ? stage.init(rng, dtype) : null)) as unknown as SequentialParams<S>,
    apply: (params, input) =>
      resolved.reduce<Tensor>(
        (x, stage, i) => asTensor(isLayer(stage) ? stage.apply(params[i], x) : stage(x)),
        asTensor(input),
      ),
  };
}

/**
 * `x + layer(x)`.
 * @throws ShapeError where the layer changes the shape.
 */
export function residual<P>(layer: Layer<P>): Layer<P> {
  return {
    init: (rng, dtype = "float32") => layer.init(rng, dtype),
    apply(params, input) {
      const x = asTensor(input);
      const y = layer.apply(params, x);
      if (y.shape.join() !== x.shape.join()) {
        throw new ShapeError(`residual: the layer takes [${x.shape}] to [${y.shape}]; it must keep the shape`);
      }
      return add(x, y);
    },
  };
}

/** Options of `mlp`. */
export interface MlpOptions {
  /** Extents from the input to the output, at least two: `[784, 256, 10]`. */
  sizes: readonly number[];
  /** Between layers. Default `relu`. */
  activation?: ActivationName | Activation;
  /** After the last layer. Default `identity`. */
  outputActivation?: ActivationName | Activation;
  /** Whether layers have biases. Default true. */
  bias?: boolean;
  /** Of the weights. Default `initializers.uniformFanIn`. */
  weightInit?: Initializer;
}

/** A multilayer perceptron: linear layers with activations between, over the last axis. */
export function mlp(options: MlpOptions): Layer<readonly LinearParams[]> {
  checkOptions("mlp", options, ["sizes", "activation", "outputActivation", "bias", "weightInit"], ["sizes"]);
  const { sizes, bias = true, weightInit } = options;
  const between = activation(options.activation ?? "relu");
  const last = activation(options.outputActivation ?? "identity");
  requireInteger("mlp", "the number of layers (sizes.length - 1)", sizes.length - 1, 1);
  const layers = sizes
    .slice(1)
    .map((outputs, i) => linear({ inputs: sizes[i], outputs, bias, ...(weightInit && { weightInit }) }));
  return {
    init: (rng, dtype = "float32") => layers.map((layer) => layer.init(rng, dtype)),
    apply: (params, input) =>
      layers.reduce<Tensor>((x, layer, i) => {
        const y = layer.apply(params[i], x);
        return i < layers.length - 1 ? between(y) : last(y);
      }, asTensor(input)),
  };
}
