import type { FloatType } from "@offprint/nn";
import {
  add,
  asTensor,
  checkOptions,
  einsum,
  moveAxis,
  type Rng,
  requireInteger,
  sub,
  type Tensor,
  type TensorLike,
  UnsupportedError,
} from "@offprint/tensor-core";
import { type Complex, mapParts } from "../complex.js";
import { checkModes, fromLowSpectrum, keptShape, lowSpectrum } from "./kept-modes.js";
import {
  type GridLayer,
  gridOf,
  mixChannels,
  requireChannels,
  type SpectralInitializer,
  spectralInitializers,
} from "./spectral-convolution.js";

/** Options of {@link axisConvolution}. */
export interface AxisConvolutionOptions {
  /** Channels of the input. */
  readonly inputs: number;
  /** Channels of the output. */
  readonly outputs: number;
  /** Frequencies kept along each axis of the grid, from 0 on. */
  readonly modes: readonly number[];
  /** Of the weights. Default `spectralInitializers.uniform()`. */
  readonly weightInit?: SpectralInitializer;
}

/**
 * The factorised layer of Tran et al., "Factorized Fourier neural operators", ICLR 2023: the sum over the axes of the grid of
 * spectral convolutions along that axis alone, so that weights grow with the sum of the modes and not their product.
 * Parameters: one `[inputs, outputs, modes]` for each axis. It keeps the number of points.
 */
export function axisConvolution(options: AxisConvolutionOptions): GridLayer<readonly Complex[]> {
  const owner = "axisConvolution";
  checkOptions(owner, options, ["inputs", "outputs", "modes", "weightInit"], ["inputs", "outputs", "modes"]);
  const { inputs, outputs, modes, weightInit = spectralInitializers.uniform() } = options;
  requireChannels(owner, inputs, outputs);
  checkModes(owner, modes);
  return {
    init: (rng, dtype = "float32") =>
      modes.map((m) => weightInit(rng, [inputs, outputs, m], { inputs, outputs }, dtype)),
    apply(params, input, asked) {
      const x = asTensor(input);
      const points = x.shape.slice(2);
      if (asked !== undefined && asked.join() !== points.join()) {
        throw new UnsupportedError(
          `${owner}: points is [${asked}] for an input on [${points}]; this layer keeps the number of points, so take spectralConvolution or lowRankConvolution`,
        );
      }
      modes.forEach((m, axis) => {
        gridOf(owner, moveAxis(x, axis + 2, -1).reshape([-1, inputs, points[axis]]), inputs, [m], undefined);
      });
      const terms = modes.map((m, axis) => alongAxis(x, params[axis], m, axis + 2));
      return terms.reduce((sum, term) => sum.add(term));
    },
  };
}

/** The spectral convolution along one axis of `[batch, inputs, ...grid]`. */
function alongAxis(x: Tensor, weight: Complex, m: number, axis: number): Tensor {
  const moved = moveAxis(x, axis, -1);
  const [batch, inputs, ...rest] = moved.shape;
  const n = rest[rest.length - 1];
  const others = rest.slice(0, -1);
  const rows = others.reduce((a, b) => a * b, 1);
  // The other axes of the grid are a part of the batch.
  const lines = moved
    .reshape([batch, inputs, rows, n])
    .transpose([0, 2, 1, 3])
    .reshape([batch * rows, inputs, n]);
  const y = fromLowSpectrum(mixChannels(lowSpectrum(lines, [m]), weight), [m], [n]);
  const outputs = weight.re.shape[1];
  const back = y
    .reshape([batch, rows, outputs, n])
    .transpose([0, 2, 1, 3])
    .reshape([batch, outputs, ...others, n]);
  return moveAxis(back, -1, axis);
}

/** Options of {@link lowRankConvolution}. */
export interface LowRankConvolutionOptions extends Omit<AxisConvolutionOptions, "weightInit"> {
  /** Terms of the sum that the weights are, >= 1. */
  readonly rank: number;
}

/** Parameters of {@link lowRankConvolution}: the factors of the weights. */
export interface LowRankParams {
  /** `[rank, inputs]`. */
  readonly inputs: Tensor;
  /** `[rank, outputs]`. */
  readonly outputs: Tensor;
  /** For each axis of the grid `[rank, kept]`. */
  readonly modes: readonly Complex[];
}

/**
 * A spectral convolution whose weights are a sum of `rank` products of one factor for the inputs, one for the outputs and one
 * for each axis of the grid (the canonical decomposition of Kossaifi et al., "Multi-grid tensorized Fourier neural
 * operator", 2023).
 */
export function lowRankConvolution(options: LowRankConvolutionOptions): GridLayer<LowRankParams> {
  const owner = "lowRankConvolution";
  checkOptions(owner, options, ["inputs", "outputs", "modes", "rank"], ["rank", "inputs", "outputs", "modes"]);
  const { inputs, outputs, modes, rank } = options;
  requireChannels(owner, inputs, outputs);
  checkModes(owner, modes);
  requireInteger(owner, "rank", rank, 1);
  const kept = keptShape(modes);
  return {
    init(rng: Rng, dtype: FloatType = "float32") {
      // Products of the factors, summed over the rank, have the variance of the usual weights.
      const std = ((1 / (inputs * outputs)) ** 2 / (3 * rank)) ** (1 / (2 * (modes.length + 2)));
      const draw = (n: number) => rng.normal([rank, n], { std, dtype });
      return {
        inputs: draw(inputs),
        outputs: draw(outputs),
        modes: kept.map((n) => ({ re: draw(n), im: draw(n) })),
      };
    },
    apply(params: LowRankParams, input: TensorLike, points?: readonly number[]) {
      const x = asTensor(input);
      const sizes = gridOf(owner, x, inputs, modes, points);
      const frequencies = params.modes.reduce((all, next) => bilinear(all, next, "r...,rk->r...k"));
      const channels = einsum("ri,ro->rio", params.inputs, params.outputs);
      const flat = mapParts(frequencies, (part) => part.reshape([rank, -1]));
      const weight = mapParts(flat, (part) =>
        einsum("rio,rf->iof", channels, part).reshape([inputs, outputs, ...kept]),
      );
      return fromLowSpectrum(mixChannels(lowSpectrum(x, modes), weight), modes, sizes);
    },
  };
}

/** A bilinear form of complex tensors. */
function bilinear(a: Complex, b: Complex, equation: string): Complex {
  return {
    re: sub(einsum(equation, a.re, b.re), einsum(equation, a.im, b.im)),
    im: add(einsum(equation, a.re, b.im), einsum(equation, a.im, b.re)),
  };
}
