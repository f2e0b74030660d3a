import { add, grad, mul, type Tensor, vmap } from "@offprint/tensor-core";
import { expectClose } from "./closeness.js";
import { numericalGradient } from "./differences.js";
import { weighed } from "./samples.js";

type Operation = (...args: Tensor[]) => Tensor;

/** What `gradient-check` allows: a part of the largest expected magnitude, at least of 1. */
const within = (tolerance: number) => ({ absolute: tolerance, ofLargest: tolerance });

function along(f: Operation, args: readonly Tensor[], argument: number): Tensor {
  return numericalGradient((x) => f(...args.map((arg, k) => (k === argument ? x : arg))), args[argument]);
}

/** Expects `grad` of `weighed(f(...))` to be what central differences show, for each float64 argument. */
export function expectGradient(f: Operation, args: readonly Tensor[], tolerance = 1e-7): void {
  const loss = (...xs: Tensor[]) => weighed(f(...xs));
  args.forEach((_, argument) => {
    const g = grad(loss, { argument })(...args) as Tensor;
    expectClose(g, along(loss, args, argument), within(tolerance), `gradient in argument ${argument}`);
  });
}

/** Expects second derivatives, of the gradient in a fixed direction, to be what central differences show. */
export function expectSecondGradient(f: Operation, args: readonly Tensor[], tolerance = 1e-6): void {
  args.forEach((_, argument) => {
    const slope = (...xs: Tensor[]) => {
      const g = grad((...ys: Tensor[]) => weighed(mul(f(...ys), add(f(...ys), 0.5))), { argument })(...xs) as Tensor;
      return weighed(g);
    };
    args.forEach((__, other) => {
      const g = grad(slope, { argument: other })(...args) as Tensor;
      const what = `second gradient in arguments ${argument} and ${other}`;
      expectClose(g, along(slope, args, other), within(tolerance), what);
    });
  });
}

/**
 * Expects `vmap` of f to be a loop, for every choice of batched arguments (but none). Arguments carry a batch axis
 * in front; an argument that is not batched is its first example.
 */
export function expectVmap(f: Operation, batches: readonly Tensor[], tolerance = 1e-12): void {
  const size = batches[0].shape[0];
  const example = (x: Tensor, i: number) => x.slice([i]);
  for (let choice = 1; choice < 1 << batches.length; choice++) {
    const mapped = batches.map((_, i) => (choice >> i) % 2 === 1);
    const args = batches.map((x, i) => (mapped[i] ? x : example(x, 0)));
    const all = vmap(f, { inAxes: mapped.map((m) => (m ? 0 : null)) })(...args);
    for (let k = 0; k < size; k++) {
      const alone = f(...args.map((x, i) => (mapped[i] ? example(x, k) : x)));
      expectClose(all.slice([k]), alone, within(tolerance), `example ${k} of arguments batched as [${mapped}]`);
    }
  }
}
