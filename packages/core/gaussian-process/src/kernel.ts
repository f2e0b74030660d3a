import {
  add,
  expm1,
  log,
  neg,
  requireFinite,
  ShapeError,
  special,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/** Tensors in nested objects and arrays. */
export type ParameterTree = Tensor | readonly ParameterTree[] | { readonly [name: string]: ParameterTree };

/** A covariance function with its parameters. */
export interface Kernel {
  /** Any real numbers: what is positive is their softplus. To be minimised over as they are. */
  readonly parameters: ParameterTree;
  /** The positive parameters themselves, a tree like `parameters`. */
  readonly values: ParameterTree;
  /** `[n, m]` covariances of the rows of x `[n, d]` and x2 `[m, d]` (default x); traceable, differentiable in all. */
  readonly matrix: (x: Tensor, x2?: Tensor) => Tensor;
  /** `[n]` variances of the rows of x. */
  readonly diagonal: (x: Tensor) => Tensor;
  /** The same kernel with other parameters. */
  readonly with: (parameters: ParameterTree) => Kernel;
  /** The same kernel with all covariances so many times as large, where its parameters can say that. */
  readonly times?: (factor: number) => Kernel;
  /** @internal One object for all kernels that differ in parameters alone: they share compiled programs. */
  readonly family?: object;
  /** How its random features are drawn, where it has some. */
  readonly spectrum?: Spectrum;
  /** The kernel of distances alone, where it is one. */
  readonly radial?: Radial;
  /** `false` where its functions have no derivatives, so that none can be observed: that of smoothness 1/2. */
  readonly differentiable?: false;
}

/** A stationary kernel of distances: closed forms of its derivatives in inputs follow from those of the profile. */
export interface Radial {
  /** Length scale: of rank 0, or `[d]`. */
  readonly length: Tensor;
  /** Covariances at squared distances in length scales; elementwise, traceable, differentiable, at 0 too. */
  readonly profile: (squared: Tensor) => Tensor;
}

/** Random features of a kernel: see `randomFeatures`. */
export type Spectrum =
  /** Frequencies `[count, d]` of a stationary kernel of variance 1, from standard draws. */
  | { readonly kind: "stationary"; readonly length: Tensor; readonly degreesOfFreedom: number }
  | { readonly kind: "scaled"; readonly kernel: Kernel; readonly variance: Tensor }
  | { readonly kind: "sum"; readonly kernels: readonly Kernel[] }
  | { readonly kind: "inputs"; readonly kernel: Kernel; readonly inputs: readonly number[] };

/** @internal What a kernel is made of, given its positive parameters. */
export interface KernelParts<V> {
  readonly matrix: (values: V, x: Tensor, x2: Tensor) => Tensor;
  readonly diagonal: (values: V, x: Tensor) => Tensor;
  readonly spectrum?: (values: V) => Spectrum;
  readonly radial?: (values: V) => Radial;
  readonly differentiable?: false;
  /** The values of covariances that are so many times as large. */
  readonly times?: (values: V, factor: number) => V;
}

/** The raw parameter of a positive value: softplus of it is the value. */
export function rawOf(value: Tensor): Tensor {
  // log(exp(value) - 1) in the form whose exponential does not overflow.
  return add(value, log(neg(expm1(neg(value)))));
}

/** @internal A kernel from positive values and the functions that compute it. */
export function positiveKernel<V extends ParameterTree>(values: V, parts: KernelParts<V>): Kernel {
  const { times } = parts;
  const family = {};
  const at = (parameters: ParameterTree): Kernel => {
    const current = tree.map(special.softplus, parameters) as V;
    return {
      parameters,
      values: current,
      matrix: (x, x2 = x) => parts.matrix(current, x, x2),
      diagonal: (x) => parts.diagonal(current, x),
      with: at,
      family,
      ...(times === undefined ? {} : { times: (factor) => at(tree.map(rawOf, times(current, factor))) }),
      ...(parts.spectrum === undefined ? {} : { spectrum: parts.spectrum(current) }),
      ...(parts.radial === undefined ? {} : { radial: parts.radial(current) }),
      ...(parts.differentiable === undefined ? {} : { differentiable: parts.differentiable }),
    };
  };
  return at(tree.map(rawOf, values));
}

/** @internal `times` of what is made of a kernel, which grows with it. */
export function growth({ times }: Kernel, at: (inner: Kernel) => Kernel): Pick<Kernel, "times"> {
  return times === undefined ? {} : { times: (factor) => at(times(factor)) };
}

/** @internal A positive parameter in float64. @throws ValueError */
export function positive(owner: string, name: string, value: TensorLike): Tensor {
  const t = tensor(value, { dtype: "float64" });
  if (t.size > 0 && t.rank <= 1 && t.data().every((v) => v > 0 && v < Infinity)) return t;
  throw new ValueError(`${owner}: ${name} is ${t.toArray()}; it must be a finite number > 0, or one for each input`);
}

/** @internal Rows of inputs in float64. @throws ShapeError; ValueError for values that are not finite. */
export function rowsOf(owner: string, name: string, x: TensorLike, columns?: number): Tensor {
  const t = tensor(x, { dtype: "float64" });
  if (t.rank !== 2 || (columns !== undefined && t.shape[1] !== columns)) {
    throw new ShapeError(`${owner}: ${name} has shape [${t.shape}]; it must be [points, ${columns ?? "inputs"}]`);
  }
  requireFinite(owner, name, t);
  return t;
}

/** @internal `size` finite values in float64. @throws ShapeError, ValueError */
export function vectorOf(owner: string, name: string, values: TensorLike, size: number): Tensor {
  const v = tensor(values, { dtype: "float64" });
  if (v.rank !== 1 || v.size !== size) {
    throw new ShapeError(`${owner}: ${name} has shape [${v.shape}]; there are ${size} points`);
  }
  if (!v.data().every(Number.isFinite)) throw new ValueError(`${owner}: ${name} holds a value that is not finite`);
  return v;
}
