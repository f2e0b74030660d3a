import { jitSync, requireObject, type Tensor } from "@offprint/tensor-core";
import { growth, type Kernel, type ParameterTree } from "./kernel.js";

/**
 * The same kernel with its covariances compiled once for every size, whatever its parameters: for many small matrices of
 * the same size, where compiling by itself, as `condition` does for large ones, does not pay.
 */
export function compiled(kernel: Kernel): Kernel {
  requireObject("compiled", "kernel", kernel, "a Kernel");
  const matrix = jitSync((p: ParameterTree, x: Tensor, x2: Tensor) => kernel.with(p).matrix(x, x2));
  const diagonal = jitSync((p: ParameterTree, x: Tensor) => kernel.with(p).diagonal(x));
  const at = (current: Kernel): Kernel => ({
    ...current,
    matrix: (x, x2 = x) => matrix(current.parameters, x, x2),
    diagonal: (x) => diagonal(current.parameters, x),
    with: (parameters) => at(current.with(parameters)),
    ...growth(current, at),
  });
  return at(kernel);
}
