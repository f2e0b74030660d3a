import { add, diag, jitSync, type Tensor, ValueError } from "@offprint/tensor-core";
import { gradientGradient, valueGradient } from "./derivative-covariance.js";
import type { Kernel, ParameterTree } from "./kernel.js";
import { ownCovariance } from "./own-covariance.js";

/** Covariances up to which compiling takes longer than it saves, whatever the kernel. */
const FEW = 10_000;
/** Sizes for which a program is kept: each has memory of its own. */
const KEPT = 4;

/** @internal A kernel's covariances; where they are many, compiled. */
export interface CovariancePrograms {
  readonly matrix: (kernel: Kernel, x: Tensor, x2: Tensor) => Tensor;
  /** Of points with themselves, a variance `[n]` added to each. */
  readonly observed: (kernel: Kernel, x: Tensor, variances: Tensor) => Tensor;
  readonly diagonal: (kernel: Kernel, x: Tensor) => Tensor;
  readonly valueGradient: (kernel: Kernel, x: Tensor, z: Tensor) => Tensor;
  readonly gradientGradient: (kernel: Kernel, x: Tensor, z: Tensor) => Tensor;
}

/** Of kernels that differ in parameters alone, or of a kernel that does not say: as long as those live. */
const made = new WeakMap<object, CovariancePrograms>();

/** @internal The programs of a kernel, compiled when they are first asked for. */
export function covariancePrograms(kernel: Kernel): CovariancePrograms {
  if (typeof kernel?.matrix !== "function") {
    throw new ValueError(
      `the kernel is ${String(kernel)}; give one, such as nngp({ kind: "fullyConnected" }) or matern()`,
    );
  }
  const key = kernel.family ?? kernel;
  const known = made.get(key);
  if (known !== undefined) return known;
  const programs = programsOf(kernel);
  made.set(key, programs);
  return programs;
}

function programsOf(kernel: Kernel): CovariancePrograms {
  const of = (p: ParameterTree) => kernel.with(p);
  const matrix = forFewSizes((p: ParameterTree, x: Tensor, x2: Tensor) => of(p).matrix(x, x2));
  const own = forFewSizes((p: ParameterTree, x: Tensor) => ownCovariance(of(p), x));
  const observed = forFewSizes((p: ParameterTree, x: Tensor, v: Tensor) => add(ownCovariance(of(p), x), diag(v)));
  const diagonal = forFewSizes((p: ParameterTree, x: Tensor) => of(p).diagonal(x));
  const mixed = forFewSizes((p: ParameterTree, x: Tensor, z: Tensor) => valueGradient(of(p), x, z));
  const both = forFewSizes((p: ParameterTree, x: Tensor, z: Tensor) => gradientGradient(of(p), x, z));
  const few = (x: Tensor, x2: Tensor) => x.shape[0] * x2.shape[0] <= FEW;
  return {
    matrix(k, x, x2) {
      if (few(x, x2)) return k.matrix(x, x2);
      return x === x2 ? own(k.parameters, x) : matrix(k.parameters, x, x2);
    },
    observed: (k, x, v) => (few(x, x) ? add(k.matrix(x, x), diag(v)) : observed(k.parameters, x, v)),
    diagonal: (k, x) => (few(x, x) ? k.diagonal(x) : diagonal(k.parameters, x)),
    valueGradient: ({ parameters }, x, z) => mixed(parameters, x, z),
    gradientGradient: ({ parameters }, x, z) => both(parameters, x, z),
  };
}

/** Compiled for every size of its points, the last few of which are kept. */
function forFewSizes<P extends readonly Tensor[]>(f: (parameters: ParameterTree, ...points: P) => Tensor): typeof f {
  const program = jitSync(f);
  const sizes = new Set<string>();
  return (parameters, ...points) => {
    const size = points.map(({ shape }) => shape.join(" ")).join();
    if (!sizes.has(size) && sizes.size === KEPT) {
      program.release();
      sizes.clear();
    }
    sizes.add(size);
    return program(parameters, ...points);
  };
}
