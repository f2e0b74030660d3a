import { activation, mlp } from "@offprint/nn";
import {
  add,
  checkOptions,
  grad,
  requireInteger,
  requireObject,
  requirePositive,
  reshape,
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

type MlpParams = ReturnType<ReturnType<typeof mlp>["init"]>;

function network(owner: string, { shape, hidden, ...rest }: DenoiserOptions, outputs: number) {
  checkOptions(owner, { shape, hidden, ...rest }, ["shape", "hidden"], ["shape", "hidden"]);
  requireExtents(owner, "shape", shape);
  if (!Array.isArray(hidden)) throw new ValueError(`${owner}: hidden is ${String(hidden)}; give a list of widths`);
  for (const width of hidden) requireInteger(owner, "an entry of hidden", width, 1);
  const layers = mlp({ sizes: [sizeOf(shape), ...hidden, outputs], activation: activation("silu") });
  const flat = (y: Tensor) => reshape(y, [y.shape[0], sizeOf(shape)]);
  return { init: layers.init, apply: (params: MlpParams, y: Tensor) => layers.apply(params, flat(y)) };
}

/** The unconstrained denoiser that plug-and-play usually takes: `y + net(y)`, a proximal operator of nothing in general. */
export function residualDenoiser(options: DenoiserOptions): ProxModel<MlpParams> {
  requireObject("residualDenoiser", "options", options, "{ shape, hidden }");
  const owner = "residualDenoiser";
  const { shape } = options;
  const { init, apply } = network(owner, options, sizeOf(shape));
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
  const { shape } = options;
  const { init, apply } = network(owner, options, 1);
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
  requireObject("tikhonov", "measurement", measurement, "a Measurement");
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
