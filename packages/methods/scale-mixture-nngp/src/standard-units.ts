import {
  abs,
  div,
  greater,
  mean,
  mul,
  ShapeError,
  sqrt,
  square,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";

/** Means and deviations of columns; what does not vary is left with a deviation of 1. */
export interface Moments {
  readonly centre: Tensor;
  readonly size: Tensor;
}

/** Of inputs and targets. */
export interface Units {
  readonly x: Moments;
  readonly y: Moments;
}

/**
 * Of the rows of `values`.
 * @throws ValueError for values whose deviation is not finite.
 */
export function momentsOf(name: string, values: Tensor): Moments {
  const centre = mean(values, 0);
  const deviation = sqrt(mean(square(sub(values, centre)), 0));
  if (!deviation.data().every(Number.isFinite)) {
    throw new ValueError(
      `standardize: the deviation of ${name} is no finite number; leave out values that are none, and scale very large ones`,
    );
  }
  return { centre, size: where(greater(deviation, mul(1e-12, abs(centre))), deviation, 1) };
}

/**
 * In units of moments, where there are some.
 * @throws ShapeError for points of another number of columns, which would be spread over all.
 */
export function inUnits(moments: Moments | undefined, values: TensorLike): Tensor {
  const given = tensor(values, { dtype: "float64" });
  const { size } = moments?.centre ?? {};
  if (moments?.centre.rank === 1 && (given.rank !== 2 || given.shape[1] !== size)) {
    throw new ShapeError(`standardize: x has shape [${given.shape}]; it must be [points, ${size}]`);
  }
  return moments === undefined ? given : div(sub(given, moments.centre), moments.size);
}

/**
 * Inputs and targets in float64, by request in units of their own moments. Shapes are checked by who takes them.
 * @throws ValueError for values whose deviation is not finite.
 */
export function standardised(
  x: TensorLike,
  y: TensorLike,
  wanted: boolean,
): { readonly x: Tensor; readonly y: Tensor; readonly units: Units | undefined } {
  const [points, values] = [inUnits(undefined, x), inUnits(undefined, y)];
  const possible = points.rank === 2 && points.shape[0] > 0 && values.rank === 1 && values.size > 0;
  if (!wanted || !possible) return { x: points, y: values, units: undefined };
  const units = { x: momentsOf("x", points), y: momentsOf("y", values) };
  return { x: inUnits(units.x, points), y: inUnits(units.y, values), units };
}
