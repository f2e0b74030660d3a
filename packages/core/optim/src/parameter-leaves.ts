import {
  asTensor,
  DTypeError,
  isTensor,
  NonFiniteError,
  ShapeError,
  type Tensor,
  type TensorLike,
  tree,
  UnsupportedError,
} from "@offprint/tensor-core";

/** Parameters taken apart. */
export interface ParameterLeaves {
  readonly leaves: readonly Tensor[];
  readonly structure: tree.TreeStructure;
}

/** How a message calls a leaf. */
function nameOf(structure: tree.TreeStructure, index: number, leaves: readonly unknown[]): string {
  const path = tree.paths(
    tree.unflatten(
      structure,
      leaves.map(() => 0),
    ),
  )[index];
  return path === "" ? "the only leaf" : `leaf ${path}`;
}

/** Told by its parts, so that bundles need not carry the sparse classes. */
function isSparse(leaf: unknown): boolean {
  return typeof leaf === "object" && leaf !== null && !isTensor(leaf) && "format" in leaf && "values" in leaf;
}

function isFloat(x: Tensor): boolean {
  return x.dtype === "float32" || x.dtype === "float64";
}

/**
 * The leaves of a tree of parameters as tensors.
 * @throws DTypeError for a leaf that is not of a float type.
 */
export function parameterLeaves(owner: string, params: unknown): ParameterLeaves {
  const flat = tree.flatten(params);
  const leaves = flat.leaves.map((leaf, i) => {
    const x = asTensor(leaf as TensorLike);
    if (!isFloat(x)) {
      throw new DTypeError(
        `${owner}: ${nameOf(flat.structure, i, flat.leaves)} of the parameters is ${x.dtype}; ` +
          "parameters must be float32 or float64: cast it, or leave it out of the tree",
      );
    }
    return x;
  });
  return { leaves, structure: flat.structure };
}

/**
 * The leaves of a tree like the parameters.
 * @param what what the tree holds, for messages: `gradients`.
 * @throws ShapeError where tree or shapes differ; DTypeError where dtypes do; UnsupportedError for sparse leaves.
 */
export function leavesLike(owner: string, what: string, value: unknown, params: ParameterLeaves): Tensor[] {
  const flat = tree.flatten(value);
  if (!tree.sameStructure(flat.structure, params.structure)) {
    throw new ShapeError(
      `${owner}: the ${what} have ${flat.leaves.length} tensors in ${tree.formatStructure(flat.structure)}, ` +
        `the parameters ${params.leaves.length} in ${tree.formatStructure(params.structure)}; give trees of the same structure` +
        (what === "gradients" ? "" : ", made by init for these parameters"),
    );
  }
  return flat.leaves.map((leaf, i) => {
    const p = params.leaves[i];
    const name = () => nameOf(params.structure, i, params.leaves);
    if (isSparse(leaf)) {
      throw new UnsupportedError(`${owner}: ${name()} of the ${what} is sparse; make it dense with sparse.toDense`);
    }
    const x = isTensor(leaf) ? leaf : asTensor(leaf as TensorLike, typeof leaf === "number" ? p.dtype : undefined);
    if (x.shape.length !== p.shape.length || x.shape.some((extent, axis) => extent !== p.shape[axis])) {
      throw new ShapeError(`${owner}: ${name()} has shape [${p.shape}], in the ${what} [${x.shape}]`);
    }
    if (x.dtype !== p.dtype) {
      throw new DTypeError(`${owner}: ${name()} is ${p.dtype}, in the ${what} ${x.dtype}; cast one of them`);
    }
    return x;
  });
}

/** Whether a tensor's values are in memory and no transformation watches it. */
export function isPlain(x: Tensor): boolean {
  return x.storage.kind === "host" && x.record === null;
}

/** Typed arrays that parameters are stored in. */
export type FloatArray = Float32Array | Float64Array;

/**
 * Throws where a gradient in memory is not finite.
 * @throws NonFiniteError that names the leaf.
 */
export function requireFinite(owner: string, gradients: readonly Tensor[], params: ParameterLeaves): void {
  gradients.forEach((g, i) => {
    if (isPlain(g) && !allFinite(g.data() as FloatArray)) {
      throw new NonFiniteError(
        `${owner}: the gradient of ${nameOf(params.structure, i, params.leaves)} is not finite; nothing was updated. ` +
          "Lower the learning rate, clip the gradients, or look for a division by zero in the loss",
      );
    }
  });
}

/** A finite number times 0 is 0 and anything else NaN; four sums because each addition waits for the one before. */
function allFinite(x: FloatArray): boolean {
  const whole = x.length & ~3;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = 0; i < whole; i += 4) {
    a += x[i] * 0;
    b += x[i + 1] * 0;
    c += x[i + 2] * 0;
    d += x[i + 3] * 0;
  }
  for (let i = whole; i < x.length; i++) a += x[i] * 0;
  return a + b + c + d === 0;
}
