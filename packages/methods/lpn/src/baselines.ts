import { activation, conv2d, mlp } from "@offprint/nn";
import {
  add,
  checkOptions,
  grad,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  reshape,
  ShapeError,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
  zerosLike,
} from "@offprint/tensor-core";
import { batchOf, floatOf, requireExtents, sizeOf } from "./batch.js";
import { type Measurement, measured } from "./measurement.js";
import type { ProxModel } from "./network.js";
import { proximalDataStep } from "./plug-and-play/proximal-data-step.js";

/** What the baselines' networks are made from. */
export interface DenoiserOptions {
  /** Shape of one input. */
  readonly shape: readonly number[];
  /** Widths of the layers between. */
  readonly hidden: readonly number[];
}

/** Options of {@link residualDenoiser}. */
export interface ResidualDenoiserOptions extends DenoiserOptions {
  /**
   * Dense layers of `hidden` widths, or 3 x 3 convolutions of `hidden` channels, for inputs `[channels, height, width]`.
   * Default `"dense"`.
   */
  readonly kind?: "dense" | "conv";
}

type MlpParams = ReturnType<ReturnType<typeof mlp>["init"]>;

/** What the layers of a denoiser do together. */
interface Network {
  readonly init: ProxModel<MlpParams>["init"];
  readonly apply: (params: MlpParams, y: Tensor) => Tensor;
}

function checked(owner: string, options: DenoiserOptions, more: readonly string[] = []): void {
  checkOptions(owner, options, ["shape", "hidden", ...more], ["shape", "hidden"]);
  const { shape, hidden } = options;
  requireExtents(owner, "shape", shape);
  if (!Array.isArray(hidden)) throw new ValueError(`${owner}: hidden is ${String(hidden)}; give a list of widths`);
  for (const width of hidden) requireInteger(owner, "an entry of hidden", width, 1);
}

function dense({ shape, hidden }: DenoiserOptions, outputs: number): Network {
  const layers = mlp({ sizes: [sizeOf(shape), ...hidden, outputs], activation: activation("silu") });
  const flat = (y: Tensor) => reshape(y, [y.shape[0], sizeOf(shape)]);
  return { init: layers.init, apply: (params, y) => layers.apply(params, flat(y)) };
}

function convolutional(channels: number, hidden: readonly number[]): Network {
  const between = activation("silu");
  const layers = [...hidden, channels].map((outputs, k) =>
    conv2d({ inputs: hidden[k - 1] ?? channels, outputs, kernel: 3, padding: 1 }),
  );
  return {
    init: (rng, dtype) => layers.map((layer) => layer.init(rng, dtype)),
    apply: (params, y) => layers.reduce((z, layer, k) => layer.apply(params[k], k === 0 ? z : between(z)), y),
  };
}

/** The unconstrained denoiser that plug-and-play usually takes: `y + net(y)`, a proximal operator of nothing in general. */
export function residualDenoiser(options: ResidualDenoiserOptions): ProxModel<MlpParams> {
  requireObject("residualDenoiser", "options", options, "{ shape, hidden }");
  const owner = "residualDenoiser";
  checked(owner, options, ["kind"]);
  const { shape, hidden, kind = "dense" } = options;
  requireChoice(owner, "kind", kind, ["dense", "conv"]);
  if (kind === "conv" && shape.length !== 3) {
    throw new ShapeError(`${owner}: shape is [${shape}]; convolutions need [channels, height, width]`);
  }
  const { init, apply } = kind === "conv" ? convolutional(shape[0], hidden) : dense(options, sizeOf(shape));
  return {
    shape,
    init,
    prox(params, y) {
      const at = batchOf(owner, shape, y, floatOf(params[0].weight, "float32"));
      return add(at, reshape(apply(params, at), at.shape));
    },
  };
}

/** The gradient-step denoiser `y - grad g(y)` of an unconstrained `g`. @see Hurault et al., ICLR 2022. */
export function gradientStepDenoiser(options: DenoiserOptions): ProxModel<MlpParams> {
  requireObject("gradientStepDenoiser", "options", options, "{ shape, hidden }");
  const owner = "gradientStepDenoiser";
  checked(owner, options);
  const { shape } = options;
  const { init, apply } = dense(options, 1);
  const slope = grad((y: Tensor, params: MlpParams) => sum(apply(params, y)));
  return {
    shape,
    init,
    prox(params, y) {
      const at = batchOf(owner, shape, y, floatOf(params[0].weight, "float32"));
      return sub(at, slope(at, params));
    },
  };
}

/** Options of {@link tikhonov}. */
export interface TikhonovOptions {
  /** Weight of `|x|^2 / 2`, > 0. */
  readonly weight: number;
  /** `s` of the data term `s |A x - y|^2`, > 0. Default 1/2. */
  readonly dataScale?: number;
}

/**
 * `argmin_x s |A x - y|^2 + weight / 2 |x|^2`: `[batch, ...input]`.
 * @param y `[batch, ...output]`, or one of them.
 * @throws ValueError, ShapeError
 */
export async function tikhonov(measurement: Measurement, y: TensorLike, options: TikhonovOptions): Promise<Tensor> {
  const owner = "tikhonov";
  checkOptions(owner, options, ["weight", "dataScale"], ["weight"]);
  const { weight, dataScale = 0.5 } = options;
  requirePositive(owner, "weight", weight);
  requirePositive(owner, "dataScale", dataScale);
  const data = measured(owner, measurement, y);
  const step = proximalDataStep(measurement, data, dataScale, weight);
  const zero = zerosLike(measurement.adjoint(data));
  const x = await step.solve(zero, zero);
  step.release();
  return x;
}
