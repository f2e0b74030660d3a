import { mul, sum, type Tensor, tensor } from "@offprint/tensor-core";

/** A float64 tensor. */
export const f64 = (x: any, shape?: readonly number[]): Tensor =>
  tensor(x, { dtype: "float64", ...(shape && { shape }) });

/** Largest difference of two tensors of one shape. */
export function difference(a: Tensor, b: Tensor): number {
  if (a.shape.join() !== b.shape.join()) throw new Error(`shapes [${a.shape}] and [${b.shape}]`);
  const [x, y] = [a.data(), b.data()];
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i] - y[i]));
  return largest;
}

/** Largest absolute value. */
export function largest(x: Tensor): number {
  let found = 0;
  for (const v of x.data()) found = Math.max(found, Math.abs(v));
  return found;
}

/** A scalar that weighs every element differently. */
export function weighed(y: Tensor): Tensor {
  const weights = Float64Array.from({ length: y.size }, (_, i) => Math.sin(1.7 * i + 0.3));
  return sum(mul(y, f64(weights, y.shape)));
}

/** Central differences of a scalar function of one tensor. */
export function numericalGradient(loss: (x: Tensor) => Tensor, x: Tensor, step = 1e-5): Tensor {
  const values = x.data();
  const slopes = Float64Array.from(values, (_, i) => {
    const at = (delta: number) => {
      const moved = Float64Array.from(values);
      moved[i] += delta;
      return loss(f64(moved, x.shape)).item();
    };
    return (at(step) - at(-step)) / (2 * step);
  });
  return f64(slopes, x.shape);
}
