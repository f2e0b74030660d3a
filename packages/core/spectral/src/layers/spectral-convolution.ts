import type { FloatType, Layer } from "@offprint/nn";
import {
  asTensor,
  checkOptions,
  concatenate,
  einsum,
  mul,
  type Rng,
  requireInteger,
  requireObject,
  type Shape,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { type Complex, mapParts, plus, scale } from "../complex.js";
import { checkModes, fromLowSpectrum, keptShape, lowSpectrum, requireModesFit } from "./kept-modes.js";

/** Draws the complex weights of a spectral layer, whose real and imaginary parts have one shape. */
export type SpectralInitializer = (
  rng: Rng,
  shape: Shape,
  fans: { readonly inputs: number; readonly outputs: number },
  dtype: FloatType,
) => Complex;

/** Initialisers of complex weights. */
export const spectralInitializers = {
  /** Both parts uniform in [0, gain / (inputs outputs)), as Fourier neural operators are begun; 1 is the usual gain. */
  uniform(gain = 1): SpectralInitializer {
    return (rng, shape, { inputs, outputs }, dtype) => {
      const high = gain / (inputs * outputs);
      return { re: rng.uniform(shape, { high, dtype }), im: rng.uniform(shape, { high, dtype }) };
    };
  },
  /** Both parts normal with variance 2 gain^2 / (inputs + outputs). */
  normal(gain = 1): SpectralInitializer {
    return (rng, shape, { inputs, outputs }, dtype) => {
      const std = gain * Math.sqrt(2 / (inputs + outputs));
      return { re: rng.normal(shape, { std, dtype }), im: rng.normal(shape, { std, dtype }) };
    };
  },
};

/** Options of {@link spectralConvolution}. */
export interface SpectralConvolutionOptions {
  /** Channels of the input. */
  readonly inputs: number;
  /** Channels of the output. */
  readonly outputs: number;
  /** Frequencies kept along each axis of the grid, the last one's from 0 on, the others' of both signs. */
  readonly modes: readonly number[];
  /** A complex number added to every kept coefficient, times this factor; no bias without it. Default 0: none. */
  readonly bias?: number;
  /** Of the weights. Default `spectralInitializers.uniform()`. */
  readonly weightInit?: SpectralInitializer;
}

/** Parameters of {@link spectralConvolution}. */
export interface SpectralConvolutionParams {
  /** `[inputs, outputs, ...kept]`: `kept` is twice the modes but along the last axis, ordered 0, ..., m - 1, -m, ..., -1. */
  readonly weight: Complex;
  /** `[outputs, ...kept]`; absent without a bias. */
  readonly bias?: Complex;
}

/** A layer on grids: from `[batch, inputs, ...grid]` to `[batch, outputs, ...grid]`, whatever the number of points. */
export interface GridLayer<P> extends Layer<P> {
  /**
   * The layer's output; pure and traceable.
   * @param points of the output's grid, such as another number of points in time. Default those of the input
   */
  apply(params: P, input: TensorLike, points?: readonly number[]): Tensor;
}

/**
 * The convolution of Fourier neural operators (Li et al., ICLR 2021): real FFT over the grid, a complex matrix product over
 * channels for each of the lowest frequencies, inverse FFT. Transforms are unscaled and their inverses divided by the
 * number of points, so that another number of output points rescales amplitudes. Time is an axis like the others.
 * @throws ShapeError where the grid has too few points for the modes
 */
export function spectralConvolution(options: SpectralConvolutionOptions): GridLayer<SpectralConvolutionParams> {
  const owner = "spectralConvolution";
  checkOptions(owner, options, ["inputs", "outputs", "modes", "bias", "weightInit"], ["inputs", "outputs", "modes"]);
  const { inputs, outputs, modes, bias = 0, weightInit = spectralInitializers.uniform() } = options;
  requireChannels(owner, inputs, outputs);
  checkModes(owner, modes);
  if (!Number.isFinite(bias)) throw new ValueError(`${owner}: bias is ${String(bias)}; it must be a finite number`);
  const kept = keptShape(modes);
  return {
    init(rng, dtype = "float32") {
      const weight = weightInit(rng, [inputs, outputs, ...kept], { inputs, outputs }, dtype);
      if (bias === 0) return { weight };
      const nothing = zeros([outputs, ...kept], dtype);
      return { weight, bias: { re: nothing, im: nothing } };
    },
    apply(params, input, points) {
      const x = asTensor(input);
      const sizes = gridOf(owner, x, inputs, modes, points);
      let spectrum = mixChannels(lowSpectrum(x, modes), params.weight);
      if (params.bias !== undefined) spectrum = plus(spectrum, scale(params.bias, bias));
      return fromLowSpectrum(spectrum, modes, sizes);
    },
  };
}

/** Throws unless both are numbers of channels. */
export function requireChannels(owner: string, inputs: number, outputs: number): void {
  requireInteger(owner, "inputs", inputs, 1);
  requireInteger(owner, "outputs", outputs, 1);
}

/** The output's points; throws for input of the wrong shape and grids that are too small. */
export function gridOf(
  owner: string,
  x: Tensor,
  inputs: number,
  modes: readonly number[],
  points: readonly number[] | undefined,
): readonly number[] {
  if (x.rank !== modes.length + 2 || x.shape[1] !== inputs) {
    throw new ShapeError(
      `${owner}: the input has shape [${x.shape}]; it must be [batch, ${inputs}, ...grid] with ${modes.length} axes of the grid`,
    );
  }
  const own = x.shape.slice(2);
  const sizes = points ?? own;
  if (sizes.length !== own.length) {
    throw new ShapeError(
      `${owner}: points is [${sizes}]; give one number for each of the ${own.length} axes of the grid`,
    );
  }
  for (const n of sizes) requireInteger(owner, "points", n, 1);
  requireModesFit(owner, modes, own);
  requireModesFit(owner, modes, sizes);
  return sizes;
}

/** y_o = sum_i x_i w_io for each frequency: `[batch, inputs, ...kept]` and `[inputs, outputs, ...kept]`. */
export function mixChannels(x: Complex, weight: Complex): Complex {
  requireObject("mixChannels", "x", x, "{ re, im }");
  requireObject("mixChannels", "weight", weight, "{ re, im }");
  const { shape } = x.re;
  const [batch, inputs] = shape;
  const outputs = weight.re.shape[1];
  const kept = shape.slice(2);
  if (weight.re.shape.join() !== [inputs, outputs, ...kept].join()) {
    throw new ShapeError(
      `mixChannels: the weights have shape [${weight.re.shape}]; for coefficients [${shape}] they must be [${inputs}, outputs, ${kept}]`,
    );
  }
  const flat = mapParts(x, (part) => part.reshape([batch, inputs, -1]));
  const w = mapParts(weight, (part) => part.reshape([inputs, outputs, -1]));
  // One real product for all four of the complex one: [re, im] times [[re, im], [-im, re]].
  const both = concatenate([flat.re, flat.im], 1);
  const rows = concatenate([concatenate([w.re, w.im], 1), concatenate([mul(w.im, -1), w.re], 1)], 0);
  const y = einsum("bif,iof->bof", both, rows);
  return {
    re: y.slice([null, { stop: outputs }]).reshape([batch, outputs, ...kept]),
    im: y.slice([null, { start: outputs }]).reshape([batch, outputs, ...kept]),
  };
}
