import { activation as activationOf, type FloatType, groupNorm, type NormParams } from "@offprint/nn";
import {
  type Complex,
  complex,
  type GridLayer,
  lowSpectrum,
  mixChannels,
  type PointwiseParams,
  pointwise,
  requireModesFit,
  type SpectralConvolutionParams,
  spectralConvolution,
  spectralInitializers,
} from "@offprint/spectral";
import {
  add,
  asTensor,
  checkOptions,
  concatenate,
  linspace,
  mul,
  pad,
  type Rng,
  requireChoice,
  requireInteger,
  requirePositive,
  ShapeError,
  slice,
  stack,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type Forecast, forecastFrames } from "./forecast.js";

/** Options of {@link flowOperator}. */
export interface FlowOperatorOptions {
  /** Frequencies kept along the two axes of the square and in time. */
  readonly modes: readonly [number, number, number];
  /** Channels, even and at least 4. */
  readonly width: number;
  /** Spectral layers, that of the lifting among them, >= 1. Default 4. */
  readonly layers?: number;
  /** Frames inside of the network; input frames must be at least as many. Default 10. */
  readonly latentFrames?: number;
  /** What follows each layer. Default "relu". */
  readonly activation?: "relu" | "gelu";
  /** Growth of the encodings of time. Default 0.01. */
  readonly beta?: number;
  /** Factor of the biases of the last layer. Default 0.1. */
  readonly delta?: number;
  /** Size of the fields that it is for, > 0: the network sees them over this, and what it adds is times this. Default 1. */
  readonly scale?: number;
}

/** Two pointwise maps with the activation between them. */
export interface TwoLayerParams {
  /** To four times the channels. */
  readonly wide: PointwiseParams;
  /** And back. */
  readonly narrow: PointwiseParams;
}

/** Parameters of {@link flowOperator}. */
export interface FlowOperatorParams {
  /** Of the first normalisation. */
  readonly norm: NormParams;
  /** Of the map behind it. */
  readonly project: PointwiseParams;
  /** Of the spectral layers, the lifting first. */
  readonly spectral: readonly SpectralConvolutionParams[];
  /** Of the pointwise networks behind each. */
  readonly mlp: readonly TwoLayerParams[];
  /** Of the paths beside the layers after the lifting. */
  readonly skip: readonly PointwiseParams[];
  /** Of the map to one channel. */
  readonly latent: PointwiseParams;
  /** Of the last layer, which is refined: `weight` and `bias` for each kept mode. */
  readonly output: SpectralConvolutionParams;
}

/** A neural operator from a window of a flow to the next one. */
export interface FlowOperator {
  /** What it was made of, with defaults filled in. */
  readonly config: Required<FlowOperatorOptions>;
  /** Draws parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): FlowOperatorParams;
  /** What the last layer gets: `[batch, 1, n, n, latentFrames]` from frames `[batch, input frames, n, n]`. */
  latent(params: FlowOperatorParams, input: TensorLike): Tensor;
  /** The next frames `[batch, frames, n, n]`; any grid that has the modes, any number of frames. */
  apply(params: FlowOperatorParams, input: TensorLike, frames: number): Tensor;
  /** The same for one window `[input frames, n, n]` as a trajectory that can be refined and differentiated in time. */
  forecast(params: FlowOperatorParams, input: TensorLike, frames: number): Forecast;
}

/** Frames of time that the encodings count as one unit. */
const MOST_FRAMES = 100;

/**
 * The spatiotemporal Fourier neural operator of the paper: lifting with encodings of place and time, spectral layers in
 * space and time, and a last spectral layer of one channel that adds to the last input frame.
 * @throws ValueError for options out of range
 */
export function flowOperator(options: FlowOperatorOptions): FlowOperator {
  const owner = "flowOperator";
  const known = ["modes", "width", "layers", "latentFrames", "activation", "beta", "delta", "scale"];
  checkOptions(owner, options, known, ["modes", "width"]);
  const { modes, width, layers = 4, latentFrames = 10, activation = "relu", beta = 0.01, delta = 0.1 } = options;
  const { scale = 1 } = options;
  requirePositive(owner, "scale", scale);
  requireChoice(owner, "activation", activation, ["relu", "gelu"]);
  requireInteger(owner, "width", width, 4);
  if (width % 2 !== 0) throw new ValueError(`${owner}: width is ${width}; it must be even`);
  requireInteger(owner, "layers", layers, 1);
  requireInteger(owner, "latentFrames", latentFrames, 1);
  if (!Number.isFinite(beta)) throw new ValueError(`${owner}: beta is ${beta}; it must be a finite number`);
  if (!Number.isFinite(delta)) throw new ValueError(`${owner}: delta is ${delta}; it must be a finite number`);
  if (!Array.isArray(modes) || modes.length !== 3) {
    throw new ValueError(`${owner}: modes is ${JSON.stringify(modes)}; give three numbers: two of space, one of time`);
  }
  const weightInit = spectralInitializers.uniform(0.5);
  const norm = groupNorm({ channels: width, groups: 1, epsilon: 1e-7 });
  const square = pointwise({ inputs: width, outputs: width });
  const wide = pointwise({ inputs: width, outputs: 4 * width });
  const narrow = pointwise({ inputs: 4 * width, outputs: width });
  const toLatent = pointwise({ inputs: width, outputs: 1 });
  const convolution = spectralConvolution({ inputs: width, outputs: width, modes, weightInit });
  const output = spectralConvolution({ inputs: 1, outputs: 1, modes, weightInit, bias: delta });
  const activate = activationOf(activation);
  const mlp = (params: TwoLayerParams, x: Tensor) => narrow.apply(params.narrow, activate(wide.apply(params.wide, x)));
  // Zeros in front, so that the periodic continuation of the window does not wrap round to its end.
  const padding = [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [latentFrames + 1, 0],
  ] as const;
  const paddedWindow = (last: Tensor, z: Tensor) => pad(concatenate([last, z], -1), padding);
  const coefficients = (params: FlowOperatorParams, window: Tensor): Complex => {
    const mixed = mixChannels(lowSpectrum(window, modes), params.output.weight);
    const { bias } = params.output;
    return complex.scale(bias === undefined ? mixed : complex.plus(mixed, complex.scale(bias, delta)), scale);
  };
  const windowOf = (input: TensorLike): Tensor => {
    const x = asTensor(input);
    const [, frames, n, m] = x.shape;
    if (x.rank !== 4 || n !== m || n % 2 !== 0) {
      throw new ShapeError(
        `${owner}: the input has shape [${x.shape}]; it must be [batch, frames, n, n] with an even n`,
      );
    }
    if (frames < latentFrames) {
      throw new ShapeError(`${owner}: the input has ${frames} frames; it needs at least latentFrames, ${latentFrames}`);
    }
    return x;
  };
  const lifted = (params: FlowOperatorParams, input: Tensor): Tensor => {
    const v = mul(input, 1 / scale)
      .transpose([0, 2, 3, 1])
      .expandDims(1);
    const h = add(v, encodings(width, beta, v));
    return square.apply(params.project, norm.apply(params.norm, h));
  };
  const latent = (params: FlowOperatorParams, input: TensorLike): Tensor => {
    const x = windowOf(input);
    const h = lifted(params, x);
    const [, , n] = h.shape;
    const points = [n, n, latentFrames];
    const last = slice(h, [null, null, null, null, { start: -1 }]);
    let y = activate(add(last, mlp(params.mlp[0], convolution.apply(params.spectral[0], h, points))));
    for (let i = 1; i < layers; i++) {
      const through = mlp(params.mlp[i], convolution.apply(params.spectral[i], y));
      y = activate(add(through, square.apply(params.skip[i - 1], y)));
    }
    return toLatent.apply(params.latent, y);
  };
  const lastFrame = (x: Tensor) =>
    mul(slice(x, [null, { start: -1 }]), 1 / scale)
      .transpose([0, 2, 3, 1])
      .expandDims(1);
  const lengthOf = (frames: number) => {
    requireInteger(owner, "frames", frames, 1);
    return frames + latentFrames + 2;
  };
  return {
    config: { modes, width, layers, latentFrames, activation, beta, delta, scale },
    init(rng, dtype = "float32") {
      const of = <P>(layer: Pick<GridLayer<P>, "init">, name: string) => layer.init(rng.fork(name), dtype);
      const each = <P>(count: number, make: (i: number) => P) => Array.from({ length: count }, (_, i) => make(i));
      return {
        norm: of(norm as Pick<GridLayer<NormParams>, "init">, "norm"),
        project: of(square, "project"),
        spectral: each(layers, (i) => of(convolution, `spectral ${i}`)),
        mlp: each(layers, (i) => ({ wide: of(wide, `wide ${i}`), narrow: of(narrow, `narrow ${i}`) })),
        skip: each(layers - 1, (i) => of(square, `skip ${i}`)),
        latent: of(toLatent, "latent"),
        output: of(output, "output"),
      };
    },
    latent,
    apply(params, input, frames) {
      const x = windowOf(input);
      const length = lengthOf(frames);
      const [, , n] = x.shape;
      requireModesFit(owner, modes, [n, n, Math.min(2 * latentFrames + 2, length)]);
      const spectrum = coefficients(params, paddedWindow(lastFrame(x), latent(params, x)));
      const change = forecastFrames(spectrum, { n, length, first: 1, frames });
      return add(change, slice(x, [null, { start: -1 }]));
    },
    forecast(params, input, frames) {
      const given = asTensor(input);
      if (given.rank !== 3) {
        throw new ShapeError(`${owner}: the window has shape [${given.shape}]; it must be [frames, n, n]`);
      }
      const x = windowOf(given.expandDims(0));
      const [, , n] = x.shape;
      const length = lengthOf(frames);
      requireModesFit(owner, modes, [n, n, Math.min(2 * latentFrames + 2, length)]);
      const window = paddedWindow(lastFrame(x), latent(params, x));
      const wide64 = (part: Tensor) => tensor(part.reshape(part.shape.slice(2)), { dtype: "float64" });
      return {
        last: tensor(slice(given, [-1]), { dtype: "float64" }),
        coefficients: complex.mapParts(coefficients(params, window), wide64),
        modes,
        frames,
        length,
        window: wide64(window),
      };
    },
  };
}

/** The encodings of place and time, one for each channel: `[1, width, n, n, frames]`. */
function encodings(width: number, beta: number, v: Tensor): Tensor {
  const [, , n, , frames] = v.shape;
  const dtype = v.dtype === "float64" ? "float64" : "float32";
  const grid = [n, n, frames];
  const place = linspace(0, 1, n, dtype);
  const time = Float64Array.from({ length: frames }, (_, j) => (j + 1) / MOST_FRAMES);
  const channels = [
    place.reshape([n, 1, 1]).broadcastTo(grid),
    place.reshape([1, n, 1]).broadcastTo(grid),
    tensor(time, { dtype }).broadcastTo(grid),
  ];
  for (let q = 0; q < width - 3; q++) {
    const wave = time.map((t) => Math.exp(beta * t) * (q % 2 === 0 ? Math.sin : Math.cos)(Math.PI * (q + 1) * t));
    channels.push(tensor(wave, { dtype }).broadcastTo(grid));
  }
  return stack(channels).expandDims(0);
}
