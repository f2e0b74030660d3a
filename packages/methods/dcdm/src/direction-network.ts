import { type ConvParams, conv2d, conv3d, type FloatType, initializers, type Layer } from "@offprint/nn";
import {
  add,
  averagePool,
  checkOptions,
  jit,
  jitSync,
  type Rng,
  relu,
  repeat,
  requireChoice,
  requireFunction,
  requireInteger,
  requireObject,
  ShapeError,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import type { DirectionMap } from "./dcdm.js";

/** Numbers of blocks: before the pooling, on the coarse level, after the upsampling. */
export interface NetworkSize {
  /** On the grid itself, before the pooling. */
  readonly fine: number;
  /** On the grid of half the extents. */
  readonly coarse: number;
  /** After the upsampling. */
  readonly up: number;
}

/** Options of {@link directionNetwork}. */
export interface DirectionNetworkOptions {
  /** Axes of the grid. */
  readonly dimension: 2 | 3;
  /** Channels of every layer. Default 16. */
  readonly filters?: number;
  /** `small` (default; the paper's for grids of 64) or `large` (128), or numbers of blocks. */
  readonly size?: "small" | "large" | NetworkSize;
}

/** Parameters: the convolutions in their order. */
export type DirectionParams = readonly ConvParams[];

/** A network of grids. */
export interface DirectionNetwork {
  /** Axes of the grid. */
  readonly dimension: 2 | 3;
  /** Glorot's uniform weights, no biases. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): DirectionParams;
  /** `[batch, 1, ...grid]` to the same, for grids of any even extents; pure and traceable. */
  apply(params: DirectionParams, x: Tensor): Tensor;
}

const sizes: Readonly<Record<"small" | "large", NetworkSize>> = {
  small: { fine: 1, coarse: 3, up: 2 },
  large: { fine: 2, coarse: 4, up: 3 },
};

/**
 * The convolutional network of the paper: kernels of 3, two levels, residual additions after the rectifiers, no
 * normalisation. It never sees A.
 * @see Kaneda et al., arXiv 2205.10763, figure 2
 */
export function directionNetwork(options: DirectionNetworkOptions): DirectionNetwork {
  const owner = "directionNetwork";
  checkOptions(owner, options, ["dimension", "filters", "size"], ["dimension"]);
  const { dimension, filters = 16, size = "small" } = options;
  requireChoice(owner, "dimension", dimension, [2, 3]);
  requireInteger(owner, "filters", filters, 1);
  if (typeof size === "string") requireChoice(owner, "size", size, ["small", "large"]);
  else checkOptions(`${owner}: size`, size, ["fine", "coarse", "up"], ["fine", "coarse", "up"]);
  const { fine, coarse, up } = typeof size === "string" ? sizes[size] : size;
  for (const [name, blocks] of Object.entries({ fine, coarse, up })) requireInteger(owner, `size.${name}`, blocks, 0);
  const convolution = (inputs: number, outputs: number, kernel: 1 | 3): Layer<ConvParams> => {
    const settings = {
      ...{ inputs, outputs, kernel, padding: "same" as const },
      ...{ weightInit: initializers.glorotUniform, biasInit: initializers.zeros },
    };
    return dimension === 2 ? conv2d(settings) : conv3d(settings);
  };
  const between = 3 + 2 * (fine + coarse + up);
  const layers = Array.from({ length: between + 1 }, (_, k) => {
    if (k === between) return convolution(filters, 1, 1);
    return convolution(k === 0 ? 1 : filters, filters, 3);
  });
  return {
    dimension,
    init: (rng, dtype) => layers.map((layer) => layer.init(rng, dtype)),
    apply(params, x) {
      requireGrid(owner, x.shape, dimension);
      if (params?.length !== layers.length) {
        throw new ShapeError(`${owner}: params are of ${params?.length} layers; this network has ${layers.length}`);
      }
      let next = 0;
      const layer = (y: Tensor): Tensor => {
        const at = next++;
        return layers[at].apply(params[at], y);
      };
      const blocks = (y: Tensor, count: number): Tensor => {
        let state = y;
        for (let k = 0; k < count; k++) state = add(relu(layer(relu(layer(state)))), state);
        return state;
      };
      const before = blocks(relu(layer(layer(x))), fine);
      const skip = relu(layer(before));
      const low = blocks(averagePool(skip, 2), coarse);
      return layer(blocks(add(upsampled(low), skip), up));
    },
  };
}

/** Every value twice along every axis. */
function upsampled(x: Tensor): Tensor {
  return x.shape.slice(2).reduce((y, _, k) => repeat(y, 2, k + 2), x);
}

function requireGrid(owner: string, shape: readonly number[], dimension: number): void {
  const extents = shape.slice(2);
  if (shape.length !== dimension + 2 || shape[1] !== 1) {
    throw new ShapeError(`${owner}: x has shape [${shape}]; it must be [batch, 1] and ${dimension} extents`);
  }
  if (extents.some((extent) => extent % 2 !== 0)) {
    throw new ShapeError(`${owner}: the grid is [${extents}]; extents must be even, as the network halves them`);
  }
}

/**
 * A trained network as the direction map of {@link dcdm}: in float32, compiled for the grid.
 * @param grid extents, `[ny, nx]` or `[nz, ny, nx]`; any even ones, whatever the network was trained on
 * @throws ShapeError for extents that do not fit the network.
 */
export function directionsBy(
  network: DirectionNetwork,
  params: DirectionParams,
  grid: readonly number[],
): DirectionMap {
  requireObject("directionsBy", "network", network, "a DirectionNetwork");
  requireObject("directionsBy", "params", params, "an array");
  requireObject("directionsBy", "grid", grid, "an array of numbers");
  requireGrid("directionsBy", [1, 1, ...grid], network.dimension);
  const run = jit((p: DirectionParams, x: Tensor) => network.apply(p, x));
  return directionsFrom((x) => run(params, x), grid);
}

/**
 * Any model of images as the direction map of {@link dcdm}, such as one of an .onnx file.
 * @param forward from `[1, 1, ...grid]` in float32 to as many values
 * @throws ShapeError, when it is asked, for residuals and answers of another size
 * @example
 * const model = await loadModel("network.onnx"); // of @offprint/onnx-runtime
 * const [input, output] = [model.inputs[0].name, model.outputs[0].name];
 * const map = directionsFrom(async (x) => (await model.run({ [input]: x }))[output], [64, 64]);
 */
export function directionsFrom(
  forward: (x: Tensor) => Tensor | Promise<Tensor>,
  grid: readonly number[],
): DirectionMap {
  requireFunction("directionsFrom", "forward", forward);
  requireObject("directionsFrom", "grid", grid, "an array of numbers");
  return async (residual) => {
    requirePoints("directionsFrom", residual.length, "residual", grid);
    const y = await forward(tensor(Float32Array.from(residual), { shape: [1, 1, ...grid] }));
    requirePoints("directionsFrom", y.size, "answer of the model", grid);
    return Float64Array.from(y.data());
  };
}

/**
 * The baseline: a network as a fixed preconditioner of conjugate gradients, `z = ||r|| f(r / ||r||)`, of the sign that it has
 * at its first residual. It is neither linear nor symmetric, so that nothing promises convergence: with it conjugate gradients
 * are quick at first, and slow or stuck near full accuracy, where {@link directionsBy} with `dcdm` is not.
 * @param grid extents, as of {@link directionsBy}
 * @returns for the option `preconditioner` of `conjugateGradients` of `@offprint/solvers`
 * @throws ShapeError for extents that do not fit the network.
 */
export function preconditionerBy(
  network: DirectionNetwork,
  params: DirectionParams,
  grid: readonly number[],
): (r: Float64Array, z: Float64Array) => void {
  requireObject("preconditionerBy", "network", network, "a DirectionNetwork");
  requireObject("preconditionerBy", "params", params, "an array");
  requireObject("preconditionerBy", "grid", grid, "an array of numbers");
  requireGrid("preconditionerBy", [1, 1, ...grid], network.dimension);
  const run = jitSync((p: DirectionParams, x: Tensor) => network.apply(p, x));
  let sign = 0;
  return (r, z) => {
    requirePoints("preconditionerBy", r.length, "residual", grid);
    const length = Math.sqrt(r.reduce((sum, value) => sum + value * value, 0));
    const unit = Float32Array.from(r, (value) => (length > 0 ? value / length : 0));
    const y = run(params, tensor(unit, { shape: [1, 1, ...grid] })).data();
    sign ||= Math.sign(r.reduce((sum, value, i) => sum + value * y[i], 0));
    for (let i = 0; i < z.length; i++) z[i] = sign * length * y[i];
  };
}

function requirePoints(owner: string, entries: number, what: string, grid: readonly number[]): void {
  const points = grid.reduce((product, extent) => product * extent, 1);
  if (entries === points) return;
  throw new ShapeError(`${owner}: the ${what} has ${entries} entries; the grid [${grid}] has ${points} points`);
}
