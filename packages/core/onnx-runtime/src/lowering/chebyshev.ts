import { add, mul, sub, type Tensor, type TensorLike } from "@offprint/tensor-core";

/** An approximation of a smooth function on an interval. */
export interface Series {
  readonly low: number;
  readonly high: number;
  readonly coefficients: readonly number[];
}

/** The Chebyshev series of `count` terms through the values of `f` at the Chebyshev points of an interval. */
export function chebyshevSeries(f: (x: number) => number, low: number, high: number, count: number): Series {
  const angles = Array.from({ length: count }, (_, k) => (Math.PI * (k + 0.5)) / count);
  const values = angles.map((angle) => f((low + high + (high - low) * Math.cos(angle)) / 2));
  const coefficients = angles.map((_, j) => {
    const projection = values.reduce((total, value, k) => total + value * Math.cos(j * angles[k]), 0);
    return ((j === 0 ? 1 : 2) * projection) / count;
  });
  return { low, high, coefficients };
}

/** The series at `x` in its interval, by Clenshaw's recurrence. */
export function evaluateSeries({ low, high, coefficients }: Series, x: Tensor): Tensor {
  const place = mul(sub(x, (low + high) / 2), 2 / (high - low));
  const twice = mul(place, 2);
  let next: TensorLike = coefficients[coefficients.length - 1];
  let after: TensorLike = 0;
  for (let k = coefficients.length - 2; k > 0; k--) {
    const rest: TensorLike = typeof after === "number" ? coefficients[k] - after : sub(coefficients[k], after);
    [next, after] = [add(mul(twice, next), rest), next];
  }
  return add(mul(place, next), sub(coefficients[0], after));
}
