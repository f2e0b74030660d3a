import {
  concatenate,
  cos,
  exp,
  expandDims,
  linspace,
  mul,
  requireObject,
  sin,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";

/**
 * The usual embedding of a network's time: cosines and sines of `timestep` times frequencies from 1 to 1e-4, `[batch, size]`.
 * @param timestep `[batch]`
 * @param size even
 */
export function sinusoidalFeatures(timestep: Tensor, size: number): Tensor {
  const half = size / 2;
  const frequencies = exp(mul(linspace(0, half - 1, half, "float64"), -Math.log(1e4) / half)).cast(timestep.dtype);
  const angles = mul(expandDims(timestep, 1), frequencies);
  return concatenate([cos(angles), sin(angles)], 1);
}

/**
 * Sines and cosines of `t, 2 t, ..., count t`, `[batch, 2 count]`: smooth in time, as adaptive and higher-order solvers want it.
 * @param t `[batch]`
 */
export function harmonicFeatures(t: Tensor, count: number): Tensor {
  requireObject("harmonicFeatures", "t", t, "a tensor");
  const multiples = tensor(Float64Array.from({ length: count }, (_, j) => j + 1)).cast(t.dtype);
  const angles = mul(expandDims(t, 1), multiples);
  return concatenate([sin(angles), cos(angles)], 1);
}
