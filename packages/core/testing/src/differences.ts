import { add, checkOptions, mul, type Tensor, tree } from "@offprint/tensor-core";
import { f64 } from "./samples.js";

/** Options of the differences. */
export interface DifferenceOptions {
  /** Distance of the points on either side. Default 1e-5. */
  readonly step?: number;
}

/** The derivative at 0 of a function of one number, by central differences: exact to order `step^2`. */
export function slope(f: (step: number) => number, options: DifferenceOptions = {}): number {
  checkOptions("slope", options, ["step"]);
  const { step = 1e-5 } = options;
  return (f(step) - f(-step)) / (2 * step);
}

/** The gradient of a scalar function of float64 numbers, by central differences. */
export function centralDifferences(
  f: (x: Float64Array) => number,
  x: ArrayLike<number>,
  options: DifferenceOptions = {},
): Float64Array {
  return Float64Array.from(x, (_, i) =>
    slope((by) => {
      const moved = Float64Array.from(x);
      moved[i] += by;
      return f(moved);
    }, options),
  );
}

/** The gradient of a scalar function of one float64 tensor, by central differences. */
export function numericalGradient(f: (x: Tensor) => Tensor, x: Tensor, options: DifferenceOptions = {}): Tensor {
  return f64(
    centralDifferences((values) => f(f64(values, x.shape)).item(), x.data(), options),
    x.shape,
  );
}

/** The derivative of a scalar function of a tree of float64 tensors along a direction, by central differences. */
export function slopeAlong<T>(f: (at: T) => Tensor, at: T, direction: T, options: DifferenceOptions = {}): number {
  return slope((by) => f(tree.map((x: Tensor, d: Tensor) => add(x, mul(d, by)), at, direction)).item(), options);
}

/** The sum of the products of the values of two trees of tensors. */
export function inner(a: unknown, b: unknown): number {
  const others = tree.leaves<Tensor>(b);
  let total = 0;
  tree.leaves<Tensor>(a).forEach((x, k) => {
    const [p, q] = [x.data(), others[k].data()];
    for (let i = 0; i < p.length; i++) total += p[i] * q[i];
  });
  return total;
}
