import type { FloatType, Layer } from "@offprint/nn";
import {
  type FourierLayerParams,
  fourierLayer,
  type PointwiseParams,
  pointwise,
  type SpectralConvolutionParams,
  spectralConvolution,
  spectralInitializers,
} from "@offprint/spectral";
import {
  add,
  checkOptions,
  moveAxis,
  mul,
  requireChoice,
  requireInteger,
  sigmoid,
  square,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";

/** Options of {@link fourierBasis}. */
export interface FourierBasisOptions {
  /** Channels of the input. */
  readonly inputs: number;
  /** N, basis functions. */
  readonly basis: number;
  /** Channels within (default 64). */
  readonly width?: number;
  /** Fourier layers (default 5). */
  readonly layers?: number;
  /** Frequencies kept along each axis of the grid, time first (default `[8, 8]`). */
  readonly modes?: readonly number[];
  /** Channels of the layer before the last (default 128). */
  readonly hidden?: number;
  /** Whether basis functions pass a last gelu (default true; not for a network that is the solution itself). */
  readonly activateLast?: boolean;
}

/** Parameters of {@link fourierBasis}. */
export interface FourierBasisParams {
  /** Into the channels within. */
  readonly lift: PointwiseParams;
  /** The Fourier layers. */
  readonly layers: readonly FourierLayerParams<SpectralConvolutionParams>[];
  /** To the hidden channels. */
  readonly hidden: PointwiseParams;
  /** To the basis functions. */
  readonly last: PointwiseParams;
}

/** The tanh form of gelu, which the authors' program has. */
function gelu(x: TensorLike): Tensor {
  const z = mul(x, add(mul(square(x), 2 * Math.sqrt(2 / Math.PI) * 0.044715), 2 * Math.sqrt(2 / Math.PI)));
  return mul(x, sigmoid(z));
}

/** A Fourier neural operator that gives basis functions: `[batch, inputs, ...grid]` to `[batch, ...grid, N]`. */
export function fourierBasis(options: FourierBasisOptions): Layer<FourierBasisParams> {
  const owner = "fourierBasis";
  checkOptions(
    owner,
    options,
    ["inputs", "basis", "width", "layers", "modes", "hidden", "activateLast"],
    ["inputs", "basis"],
  );
  const { inputs, basis, width = 64, layers = 5, modes = [8, 8], hidden = 128, activateLast = true } = options;
  for (const [name, value] of Object.entries({ inputs, basis, width, layers, hidden }))
    requireInteger(owner, name, value, 1);
  requireChoice(owner, "activateLast", activateLast, [true, false]);
  const lift = pointwise({ inputs, outputs: width });
  const convolution = spectralConvolution({
    ...{ inputs: width, outputs: width, modes, weightInit: spectralInitializers.normal() },
  });
  const layer = fourierLayer({ convolution, channels: width, activation: gelu });
  const inner = pointwise({ inputs: width, outputs: hidden });
  const last = pointwise({ inputs: hidden, outputs: basis });
  return {
    init: (rng, dtype: FloatType = "float64") => ({
      lift: lift.init(rng.fork("lift"), dtype),
      layers: Array.from({ length: layers }, (_, k) => layer.init(rng.fork(`layer/${k}`), dtype)),
      hidden: inner.init(rng.fork("hidden"), dtype),
      last: last.init(rng.fork("last"), dtype),
    }),
    apply(params, input: TensorLike): Tensor {
      let x = lift.apply(params.lift, input);
      for (const each of params.layers) x = layer.apply(each, x);
      const functions = last.apply(params.last, gelu(inner.apply(params.hidden, x)));
      return moveAxis(activateLast ? gelu(functions) : functions, 1, -1);
    },
  };
}
