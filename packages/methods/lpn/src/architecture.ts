import { conv2d, type Layer, linear } from "@offprint/nn";
import {
  checkOptions,
  conv,
  matmul,
  requireChoice,
  requireInteger,
  requireNonNegative,
  reshape,
  ShapeError,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { requireExtents, sizeOf } from "./batch.js";
import { resize } from "./resize.js";

/** What all networks have. */
interface CommonConfig {
  /** Sharpness of softplus, from 1e-12 to 1e12. Default 10. */
  readonly beta?: number;
  /** Strong convexity, from 0 to 1e12: `psi` gets `alpha |y|^2`, so that eigenvalues of f's Jacobian are >= 2 alpha. Default 0. */
  readonly alpha?: number;
  /**
   * Mean of the logarithm of the first `W_k`: a number, or -ln of the number of inputs. Default `"fan-in"` for dense networks,
   * the paper's -10 for convolutional ones.
   */
  readonly logWeight?: number | "fan-in";
}

/** A network of dense layers. */
export interface DenseConfig extends CommonConfig {
  /** Dense layers. */
  readonly kind: "dense";
  /** Shape of one input, such as `[64]` or `[8, 8]`. */
  readonly shape: readonly number[];
  /** Widths of the layers z_1 to z_K. */
  readonly hidden: readonly number[];
}

/** A network of 3 x 3 convolutions with a dense layer behind them. */
export interface ConvConfig extends CommonConfig {
  /** Convolutions. */
  readonly kind: "conv";
  /** `[channels, height, width]` of one input. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Stride of each convolution. */
  readonly strides: readonly number[];
  /** Channels of each convolution. */
  readonly hidden: number;
  /** Width of the dense layer. Default 64. */
  readonly dense?: number;
}

/** What a learned proximal network is made from. */
export type LpnConfig = DenseConfig | ConvConfig;

/** The paper's networks for images (appendix): of 28 x 28 pixels, and of 128 x 128. */
export const presets = {
  /** MNIST: 28 x 28 grey pixels. */
  conv28: { kind: "conv", shape: [1, 28, 28], strides: [1, 2, 1, 2], hidden: 64, beta: 10, alpha: 0.01 },
  /** CelebA and CT: 128 x 128 pixels. For colours take `shape: [3, 128, 128]`. */
  conv128: { kind: "conv", shape: [1, 128, 128], strides: [1, 2, 1, 2, 1, 2], hidden: 256, beta: 100, alpha: 1e-6 },
} as const satisfies Record<string, ConvConfig>;

/** Sharper and blunter softplus, and larger weights, overflow in float32. */
const [LEAST_BETA, MOST_BETA, MOST_LOG_WEIGHT] = [1e-12, 1e12, 80];

const common = ["kind", "shape", "hidden", "beta", "alpha", "logWeight"];

/** @internal A configuration with its defaults. @throws ValueError, ShapeError */
export function configOf(config: LpnConfig): Required<LpnConfig> {
  const owner = "lpn";
  requireChoice(owner, "kind", config?.kind ?? null, ["dense", "conv"]);
  const { beta = 10, alpha = 0 } = config;
  if (typeof beta !== "number" || !(beta >= LEAST_BETA && beta <= MOST_BETA)) {
    throw new ValueError(
      `${owner}: beta is ${String(beta)}; it must be from ${LEAST_BETA} to ${MOST_BETA}, such as 10`,
    );
  }
  requireNonNegative(owner, "alpha", alpha);
  if (alpha > MOST_BETA)
    throw new ValueError(`${owner}: alpha is ${alpha}; it must be at most ${MOST_BETA}, such as 0.01`);
  requireExtents(owner, "shape", config.shape);
  const logWeight = config.logWeight ?? (config.kind === "dense" ? "fan-in" : -10);
  if (logWeight !== "fan-in" && !(typeof logWeight === "number" && Math.abs(logWeight) <= MOST_LOG_WEIGHT)) {
    throw new ValueError(
      `${owner}: logWeight is ${String(logWeight)}; give a number from -${MOST_LOG_WEIGHT} to ${MOST_LOG_WEIGHT}, or "fan-in"`,
    );
  }
  if (config.kind === "dense") {
    checkOptions(owner, config, common);
    requireWidths(owner, "hidden", config.hidden);
    return { ...config, beta, alpha, logWeight };
  }
  checkOptions(owner, config, [...common, "strides", "dense"]);
  const { dense = 64 } = config;
  requireInteger(owner, "hidden", config.hidden, 1);
  requireInteger(owner, "dense", dense, 1);
  requireWidths(owner, "strides", config.strides);
  if (config.shape.length !== 3) {
    throw new ShapeError(`${owner}: shape is [${config.shape}]; convolutions need [channels, height, width]`);
  }
  return { ...config, beta, alpha, logWeight, dense };
}

function requireWidths(owner: string, name: string, values: readonly number[]): void {
  if (!Array.isArray(values) || values.length === 0) {
    throw new ValueError(`${owner}: ${name} is ${String(values)}; give one integer for each layer, such as [32, 32]`);
  }
  for (const value of values) requireInteger(owner, `an entry of ${name}`, value, 1);
}

/** `H_k y + b_k`. */
export interface Skip {
  /** Its layer, which draws the parameters. */
  readonly layer: Layer<{ readonly weight: Tensor; readonly bias?: Tensor }, Tensor>;
  /** The input as the layer takes it. */
  readonly prepare: (y: Tensor) => Tensor;
  /** Shape of `H_k`. */
  readonly weight: readonly number[];
  /** Length of `b_k`. */
  readonly outputs: number;
}

/** `W_k z`. */
export interface ConvexMap {
  /** Shape of `W_k`. */
  readonly weight: readonly number[];
  /** Inputs that one output sums over. */
  readonly fanIn: number;
  /** The product. */
  readonly apply: (w: Tensor, z: Tensor) => Tensor;
}

/** The linear maps of a network: K skips, and K convex maps, the last of which is `w`. */
export interface Plan {
  /** Layer by layer. */
  readonly skips: readonly Skip[];
  /** From layer to layer, and to the output. */
  readonly convex: readonly ConvexMap[];
}

const flat = (z: Tensor) => reshape(z, [z.shape[0], sizeOf(z.shape.slice(1))]);

function denseSkip(inputs: number, outputs: number, prepare: (y: Tensor) => Tensor = (y) => y): Skip {
  return {
    layer: linear({ inputs, outputs }),
    prepare: (y) => flat(prepare(y)),
    weight: [inputs, outputs],
    outputs,
  };
}

function denseMap(inputs: number, outputs: number): ConvexMap {
  return { weight: [inputs, outputs], fanIn: inputs, apply: (w, z) => matmul(flat(z), w) };
}

/** @internal The linear maps that a configuration asks for. */
export function planOf(config: Required<LpnConfig>): Plan {
  return config.kind === "dense" ? densePlan(config) : convPlan(config);
}

function densePlan({ shape, hidden }: DenseConfig): Plan {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    skips: hidden.map((width) => denseSkip(size, width)),
    convex: hidden.map((width, k) => denseMap(width, hidden[k + 1] ?? 1)),
  };
}

/** Skips see the input as large as the layer below, by bilinear interpolation. */
function convPlan({ shape, strides, hidden, dense }: Required<ConvConfig>): Plan {
  const [channels, height, width] = shape;
  const [skips, convex]: [Skip[], ConvexMap[]] = [[], []];
  let extent: [number, number] = [height, width];
  strides.forEach((stride, k) => {
    const size = extent;
    skips.push({
      layer: conv2d({ inputs: channels, outputs: hidden, kernel: 3, strides: stride, padding: 1 }),
      prepare: (y) => resize(y, size),
      weight: [hidden, channels, 3, 3],
      outputs: hidden,
    });
    if (k > 0) {
      convex.push({
        weight: [hidden, hidden, 3, 3],
        fanIn: 9 * hidden,
        apply: (w, z) => conv(z, w, { strides: stride, padding: 1 }),
      });
    }
    extent = [Math.ceil(size[0] / stride), Math.ceil(size[1] / stride)];
  });
  const size = extent;
  const pixels = size[0] * size[1];
  skips.push(denseSkip(channels * pixels, dense, (y) => resize(y, size)));
  convex.push(denseMap(hidden * pixels, dense), denseMap(dense, 1));
  return { skips, convex };
}
