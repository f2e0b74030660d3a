import { type CompileOptions, compileSync } from "../../src/host-compiler/index.js";
import { type DType, type Tensor, tensor, trace } from "../../src/index.js";

/**
 * The largest difference of two lists of tensors relative to the size of their elements, at least 1; infinite where
 * NaN, infinity, shape or dtype differ.
 */
export function difference(actual: readonly Tensor[], expected: readonly Tensor[]): number {
  let worst = actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  expected.forEach((y, k) => {
    const x = actual[k];
    if (x.dtype !== y.dtype || x.shape.join() !== y.shape.join()) worst = Number.POSITIVE_INFINITY;
    const [a, b] = [x.data(), y.data()];
    for (let i = 0; i < b.length; i++) {
      if (a[i] === b[i] || (Number.isNaN(a[i]) && Number.isNaN(b[i]))) continue;
      const error = Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i]));
      worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
    }
  });
  return worst;
}

/** What a compiled function gives at its first and at its second call, and what its graph gives operation by operation. */
export function runBoth(
  f: (...inputs: Tensor[]) => unknown,
  inputs: readonly Tensor[],
  options: CompileOptions = {},
): { first: Tensor[]; second: Tensor[]; expected: Tensor[] } {
  const graph = trace(f, ...inputs);
  const executable = compileSync(graph, options);
  const first = executable.runSync(inputs);
  const second = executable.runSync(inputs);
  void executable.release();
  return { first, second, expected: graph.apply(inputs) };
}

/** How far the compiled function is from its graph; infinite where two calls differ. */
export function disagreement(
  f: (...inputs: Tensor[]) => unknown,
  inputs: readonly Tensor[],
  options: CompileOptions = {},
): number {
  const { first, second, expected } = runBoth(f, inputs, options);
  return difference(second, first) === 0 ? difference(first, expected) : Number.POSITIVE_INFINITY;
}

/** Numbers of both signs of size 2 and, as integers, 10. */
export function numbers(shape: readonly number[], dtype: DType): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Array.from({ length: size }, (_, i) => Math.round(500 * Math.sin(1.7 * i + 0.3)) / (dtype === "int32" ? 50 : 256)),
    { shape, dtype },
  );
}

/** How far compiled code may be from its graph. */
export const tolerance = (dtype: DType) => (dtype === "float64" ? 1e-12 : 1e-6);
