import { Source } from "../../src/conformance/sampling.js";
import { add, grad, hvp, mul, sum, type Tensor, tensor } from "../../src/index.js";

/** A scalar function of a list of float64 tensors. */
export type Loss = (inputs: Tensor[]) => Tensor;

/** The weighted sum of all values of the float tensors in `outputs`: depends on each of them. */
export function weightedSum(outputs: readonly Tensor[]): Tensor {
  const source = new Source(77);
  let total: Tensor = tensor(0, { dtype: "float64" });
  for (const y of outputs) {
    if (y.dtype !== "float64") continue;
    const weights = Float64Array.from({ length: y.size }, () => source.uniform(0.5, 1.5));
    total = add(total, sum(mul(y, tensor(weights, { shape: y.shape }))));
  }
  return total;
}

/** A direction in the space of the inputs. */
export function direction(inputs: readonly Tensor[], source: Source): Tensor[] {
  return inputs.map((x) =>
    tensor(
      Float64Array.from({ length: x.size }, () => source.uniform(-1, 1)),
      { shape: x.shape },
    ),
  );
}

function dot(a: readonly Tensor[], b: readonly Tensor[]): number {
  let total = 0;
  a.forEach((x, k) => {
    const y = b[k].data();
    x.data().forEach((v, i) => {
      total += v * y[i];
    });
  });
  return total;
}

function step(inputs: readonly Tensor[], along: readonly Tensor[], h: number): Tensor[] {
  return inputs.map((x, k) => add(x, mul(along[k], h)));
}

/** The derivative at 0 of a function of one number, by central differences of sixth order. */
export function derivative(f: (h: number) => number, h: number): number {
  const pair = (k: number) => f(k * h) - f(-k * h);
  return (45 * pair(1) - 9 * pair(2) + pair(3)) / (60 * h);
}

function relative(actual: number, expected: number): number {
  return Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
}

/** Relative error of the gradient of `f` along a random direction. */
export function gradientError(f: Loss, inputs: Tensor[], source: Source, h = 2e-3): number {
  const along = direction(inputs, source);
  const exact = dot(grad(f)(inputs), along);
  return relative(
    exact,
    derivative((t) => f(step(inputs, along, t)).item(), h),
  );
}

/** Relative error of the Hessian of `f` along two random directions, against differences of the gradient. */
export function hessianError(f: Loss, inputs: Tensor[], source: Source, h = 2e-3): number {
  const along = direction(inputs, source);
  const across = direction(inputs, source);
  const exact = dot(hvp(f)(inputs, along) as Tensor[], across);
  return relative(
    exact,
    derivative((t) => dot(grad(f)(step(inputs, along, t)), across), h),
  );
}
