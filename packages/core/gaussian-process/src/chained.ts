import { customVjp, mul, type Tensor } from "@offprint/tensor-core";

/**
 * @internal An elementwise function given with its derivatives, each of which is the derivative of the one before: where
 * automatic differentiation would meet 0 / 0. The last is differentiated as it is written.
 */
export function chained([f, ...derivatives]: readonly ((x: Tensor) => Tensor)[]): (x: Tensor) => Tensor {
  if (derivatives.length === 0) return f;
  const slope = chained(derivatives);
  return customVjp(
    (x: Tensor) => f(x),
    (x: Tensor) => [f(x), x] as const,
    (x: Tensor, g: Tensor) => [mul(g, slope(x))],
  );
}
