import {
  asTensor,
  linalg,
  matmul,
  mul,
  ShapeError,
  type Tensor,
  type TensorLike,
  transpose,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/** A model whose outputs are cheap to compute. */
export interface TargetModel<P = any> {
  /** Initial parameters, a tree of float tensors. */
  readonly params: P;
  /** Outputs `[b, C]` for inputs of b examples. Traced when there is a backend. */
  forward(params: P, x: any): Tensor;
  /**
   * Set for models linear in their parameters, which are one float64 `[d, C]` tensor with `forward(W, x) = x W`: line searches then
   * cost one product, and the inner problem has an exact solver.
   */
  readonly linear?: true;
}

/** The model `z = x W`, in float64. Add a column of ones to x for a bias. */
export function linearModel(
  inputs: number,
  outputs = 1,
  options: {
    /** W to begin with, `[inputs, outputs]`. Default zeros. */
    readonly start?: TensorLike;
  } = {},
): TargetModel<Tensor> {
  for (const [name, value] of [
    ["inputs", inputs],
    ["outputs", outputs],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ValueError(`linearModel: ${name} is ${value}; it must be an integer >= 1`);
  }
  const params =
    options.start === undefined
      ? asTensor(new Float64Array(inputs * outputs)).reshape([inputs, outputs])
      : asTensor(options.start).cast("float64");
  if (params.shape.join() !== `${inputs},${outputs}`) {
    throw new ShapeError(`linearModel: start has shape [${params.shape}]; it must be [${inputs}, ${outputs}]`);
  }
  return { params, forward: (W, x) => matmul(asTensor(x).cast("float64"), W), linear: true };
}

/** Options of `exactStep`. */
export interface ExactStepOptions {
  /** Added to the squared singular values, >= 0. Default 0: the step of least norm. */
  readonly ridge?: number;
}

/**
 * The exact minimiser of a quadratic surrogate of a linear model: the W for which `x (W - W_t)` comes nearest to `-g / D`,
 * each row and output weighted by D.
 *
 * @param D one number, or `[b, C]`.
 * @param pseudoInverse that of x, where it is known and D is one number.
 */
export function exactStep(
  W: Tensor,
  x: Tensor,
  g: Tensor,
  D: Tensor | number,
  { ridge = 0 }: ExactStepOptions = {},
  pseudoInverse?: Tensor,
): Tensor {
  if (typeof D === "number") {
    const inverse = pseudoInverse ?? regularisedInverse(x, ridge);
    return W.sub(mul(matmul(inverse, g), 1 / D));
  }
  const columns = Array.from({ length: g.shape[1] }, (_, c) => {
    const d = D.slice([null, { start: c, stop: c + 1 }]);
    const root = d.sqrt();
    const target = g
      .slice([null, { start: c, stop: c + 1 }])
      .div(root)
      .neg();
    return matmul(regularisedInverse(x.mul(root), ridge), target);
  });
  return W.add(columns.length === 1 ? columns[0] : transpose(stackRows(columns)));
}

function stackRows(columns: readonly Tensor[]): Tensor {
  const rows = columns.flatMap((column) => [...column.data()]);
  return asTensor(Float64Array.from(rows)).reshape([columns.length, columns[0].size]);
}

/** X^+, or (X^T X + ridge)^{-1} X^T. */
export function regularisedInverse(x: Tensor, ridge: number): Tensor {
  if (ridge === 0) return linalg.pinv(x);
  const { u, s, vt } = linalg.svd(x);
  const factors = s.div(s.square().add(ridge));
  return matmul(transpose(vt).mul(factors), transpose(u));
}

/** Copies of a tree of tensors as one float64 vector, and back. */
export function vectorised(params: unknown): { readonly vector: Float64Array; unflatten(vector: Float64Array): any } {
  const flat = tree.flatten(params as tree.Tree);
  const leaves = flat.leaves.map((leaf) => asTensor(leaf as TensorLike));
  const total = leaves.reduce((sum, { size }) => sum + size, 0);
  const vector = new Float64Array(total);
  let at = 0;
  for (const leaf of leaves) {
    vector.set(leaf.data(), at);
    at += leaf.size;
  }
  return {
    vector,
    unflatten(values) {
      let from = 0;
      return tree.unflatten(
        flat.structure,
        leaves.map((leaf) => {
          const part = asTensor(values.slice(from, from + leaf.size))
            .reshape(leaf.shape)
            .cast(leaf.dtype);
          from += leaf.size;
          return part;
        }),
      );
    },
  };
}
