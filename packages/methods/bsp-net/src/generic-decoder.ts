import type { LinearParams } from "@offprint/nn";
import {
  add,
  asTensor,
  checkOptions,
  matmul,
  maximum,
  mean,
  minimum,
  mul,
  ShapeError,
  special,
  square,
  sub,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import { features, type Primitive } from "./features.js";

/** The identity on [0, 1] with slope 0.01 outside: `max(min(x, 0.01 x + 0.99), 0.01 x)`. */
export function leakyClamp(x: TensorLike): Tensor {
  const slanted = mul(x, 0.01);
  return maximum(minimum(x, add(slanted, 0.99)), slanted);
}

/**
 * The generic decoder: ordinary linear layers in place of the tree's layers 2 and 3, with leaky ReLUs between and a
 * leaky clamp at the end. The result is an implicit function (1 inside), so that a mesh takes marching cubes at 1/2.
 * @param points `[batch, n, d]`
 * @param primitives Q, `[batch, coefficients, p]`
 * @param layers from p inputs to 1 output
 * @returns `[batch, n, 1]`
 * @throws ShapeError where shapes do not fit.
 */
export function fcDecode(
  points: TensorLike,
  primitives: TensorLike,
  layers: readonly LinearParams[],
  options: { primitive?: Primitive } = {},
): Tensor {
  checkOptions("fcDecode", options, ["primitive"]);
  const q = asTensor(primitives);
  const x = features(points, options.primitive ?? "plane");
  if (q.rank !== 3 || x.rank !== 3 || x.shape[2] !== q.shape[1]) {
    throw new ShapeError(
      `fcDecode: primitives have shape [${q.shape}]; these points need [batch, ${x.shape[x.rank - 1]}, p]`,
    );
  }
  const last = layers[layers.length - 1]?.weight.shape[1];
  if (layers[0]?.weight.shape[0] !== q.shape[2] || last !== 1) {
    throw new ShapeError(`fcDecode: the layers must lead from ${q.shape[2]} primitives to 1 output`);
  }
  let h = matmul(x, q);
  for (const { weight, bias } of layers) {
    h = matmul(special.leakyRelu(h), weight);
    if (bias !== undefined) h = add(h, bias);
  }
  return leakyClamp(h);
}

/** Mean squared error of a generic decoder. */
export function fcLoss(occupancy: Tensor, values: TensorLike): Tensor {
  return mean(square(sub(values, occupancy)));
}
