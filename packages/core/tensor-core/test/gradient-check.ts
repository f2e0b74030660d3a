import { expect } from "vitest";
import { add, grad, mul, sum, type Tensor, tensor, vmap } from "../src/index.js";

/** A float64 tensor. */
export const f64 = (x: any, shape?: readonly number[]): Tensor =>
  tensor(x, { dtype: "float64", ...(shape && { shape }) });

/** Numbers in (-1, 1) without order, the same each time. */
export function scattered(shape: readonly number[], seed = 1): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return f64(
    Float64Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 0.97),
    shape,
  );
}

function flat(x: Tensor): number[] {
  return Array.from(x.data());
}

export function expectClose(actual: Tensor, expected: Tensor, tolerance = 1e-10): void {
  expect(actual.shape).toEqual(expected.shape);
  const [a, e] = [flat(actual), flat(expected)];
  const scale = e.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
  a.forEach((v, i) => {
    if (!(Math.abs(v - e[i]) <= tolerance * scale)) expect(v, `element ${i}`).toBeCloseTo(e[i], 12);
  });
}

/** A scalar that weighs every element of a result differently. */
export function weighed(y: Tensor): Tensor {
  return sum(mul(y, scattered(y.shape, 7)));
}

/** Compares `grad` of `weighed(f(...))` with central differences, for each argument. */
export function expectGradient(f: (...args: Tensor[]) => Tensor, args: readonly Tensor[], tolerance = 1e-7): void {
  const loss = (...xs: Tensor[]) => weighed(f(...xs));
  args.forEach((_, argument) => {
    const g = grad(loss, { argument })(...args) as Tensor;
    expectClose(g, numericalGradient(loss, args, argument), tolerance);
  });
}

/** Compares second derivatives, of the gradient in a fixed direction, with central differences. */
export function expectSecondGradient(
  f: (...args: Tensor[]) => Tensor,
  args: readonly Tensor[],
  tolerance = 1e-6,
): void {
  args.forEach((_, argument) => {
    const slope = (...xs: Tensor[]) => {
      const g = grad((...ys: Tensor[]) => weighed(mul(f(...ys), add(f(...ys), 0.5))), { argument })(...xs) as Tensor;
      return weighed(g);
    };
    args.forEach((__, other) => {
      const g = grad(slope, { argument: other })(...args) as Tensor;
      expectClose(g, numericalGradient(slope, args, other), tolerance);
    });
  });
}

function numericalGradient(loss: (...xs: Tensor[]) => Tensor, args: readonly Tensor[], argument: number): Tensor {
  const x = args[argument];
  const step = 1e-5;
  const values = flat(x).map((_, i) => {
    const at = (delta: number) => {
      const moved = Float64Array.from(x.data());
      moved[i] += delta;
      return loss(...args.map((arg, k) => (k === argument ? f64(moved, x.shape) : arg))).item();
    };
    return (at(step) - at(-step)) / (2 * step);
  });
  return f64(Float64Array.from(values), x.shape);
}

/**
 * Compares `vmap` of f with a loop, for every choice of batched arguments (but none). Arguments carry a batch axis
 * in front; an argument that is not batched is its first example.
 */
export function expectVmap(f: (...args: Tensor[]) => Tensor, batches: readonly Tensor[], tolerance = 1e-12): void {
  const size = batches[0].shape[0];
  const example = (x: Tensor, i: number) => x.slice([i]);
  for (let choice = 1; choice < 1 << batches.length; choice++) {
    const mapped = batches.map((_, i) => (choice >> i) % 2 === 1);
    const args = batches.map((x, i) => (mapped[i] ? x : example(x, 0)));
    const all = vmap(f, { inAxes: mapped.map((m) => (m ? 0 : null)) })(...args);
    for (let k = 0; k < size; k++) {
      expectClose(all.slice([k]), f(...args.map((x, i) => (mapped[i] ? example(x, k) : x))), tolerance);
    }
  }
}
