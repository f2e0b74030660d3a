import { add, diag, jitSync, type Tensor } from "@offprint/tensor-core";
import { gradientGradient, valueGradient } from "./derivative-covariance.js";
import type { Kernel, ParameterTree } from "./kernel.js";
import { ownCovariance } from "./own-covariance.js";

/** Covariances up to which compiling takes longer than it saves, whatever the kernel. */
const FEW = 10_000;
/** Sizes whose programs are kept: each has memory of its own. */
const KEPT = 8;

/** @internal A kernel's covariances; where they are many, compiled. */
export interface CovariancePrograms {
  readonly matrix: (kernel: Kernel, x: Tensor, x2: Tensor) => Tensor;
  /** Of points with themselves, a variance `[n]` added to each. */
  readonly observed: (kernel: Kernel, x: Tensor, variances: Tensor) => Tensor;
  readonly diagonal: (kernel: Kernel, x: Tensor) => Tensor;
  readonly valueGradient: (kernel: Kernel, x: Tensor, z: Tensor) => Tensor;
  readonly gradientGradient: (kernel: Kernel, x: Tensor, z: Tensor) => Tensor;
}

/** @internal */
export function covariancePrograms(kernel: Kernel): CovariancePrograms {
  const of = (p: ParameterTree) => kernel.with(p);
  const matrix = jitSync((p: ParameterTree, x: Tensor, x2: Tensor) => of(p).matrix(x, x2));
  const own = jitSync((p: ParameterTree, x: Tensor) => ownCovariance(of(p), x));
  const observed = jitSync((p: ParameterTree, x: Tensor, v: Tensor) => add(ownCovariance(of(p), x), diag(v)));
  const diagonal = jitSync((p: ParameterTree, x: Tensor) => of(p).diagonal(x));
  const mixed = jitSync((p: ParameterTree, x: Tensor, z: Tensor) => valueGradient(of(p), x, z));
  const both = jitSync((p: ParameterTree, x: Tensor, z: Tensor) => gradientGradient(of(p), x, z));
  const sizes = new Set<string>();
  return {
    matrix(k, x, x2) {
      if (x.shape[0] * x2.shape[0] <= FEW) return k.matrix(x, x2);
      const size = `${x.shape[0]} ${x2.shape[0]}`;
      if (!sizes.has(size) && sizes.size === KEPT) {
        for (const program of [matrix, own]) program.release();
        sizes.clear();
      }
      sizes.add(size);
      return x === x2 ? own(k.parameters, x) : matrix(k.parameters, x, x2);
    },
    observed: (k, x, v) => (x.shape[0] ** 2 <= FEW ? add(k.matrix(x, x), diag(v)) : observed(k.parameters, x, v)),
    diagonal: (k, x) => (x.shape[0] ** 2 <= FEW ? k.diagonal(x) : diagonal(k.parameters, x)),
    valueGradient: ({ parameters }, x, z) => mixed(parameters, x, z),
    gradientGradient: ({ parameters }, x, z) => both(parameters, x, z),
  };
}
