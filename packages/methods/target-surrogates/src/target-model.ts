import {
  asTensor,
  checkOptions,
  concatenate,
  isTensor,
  linalg,
  matmul,
  mul,
  requireInteger,
  requireNonNegative,
  ShapeError,
  type Tensor,
  type TensorLike,
  transpose,
  tree,
  ValueError,
  zeros,
} from "@offprint/tensor-core";

/** A model whose outputs are cheap to compute. */
export interface TargetModel<P = unknown, X = unknown> {
  /** Initial parameters, a tree of float tensors. */
  readonly params: P;
  /** Outputs `[b, C]` for inputs of b examples, in tensor operations: it is traced and compiled. */
  forward(params: P, x: X): Tensor;
  /**
   * Set for models linear in their parameters, which are one float64 `[d, C]` tensor with `forward(W, x) = x W`: line searches then
   * cost one product, and the inner problem has an exact solver.
   */
  readonly linear?: true;
}

/** @throws ValueError for what is no model. */
export function checkModel(owner: string, model: TargetModel | undefined): void {
  const leaves = model?.params === undefined ? [] : tree.leaves<unknown>(model.params as tree.Tree);
  if (typeof model?.forward === "function" && leaves.length > 0 && leaves.every((leaf) => isTensor(leaf))) return;
  throw new ValueError(
    `${owner}: the model must be { params, forward }, params a tree of tensors and forward a function`,
  );
}

/** The model `z = x W`, in float64. Add a column of ones to x for a bias. */
export function linearModel(
  inputs: number,
  outputs = 1,
  options: {
    /** W to begin with, `[inputs, outputs]`. Default zeros. */
    readonly initial?: TensorLike;
  } = {},
): TargetModel<Tensor, TensorLike> {
  checkOptions("linearModel", options, ["initial"]);
  requireInteger("linearModel", "inputs", inputs, 1);
  requireInteger("linearModel", "outputs", outputs, 1);
  const params = asTensor(options.initial ?? zeros([inputs, outputs]), "float64");
  if (params.shape.join() !== `${inputs},${outputs}`) {
    throw new ShapeError(`linearModel: initial has shape [${params.shape}]; it must be [${inputs}, ${outputs}]`);
  }
  return { params, forward: linearOutputs, linear: true };
}

/** z = x W. */
export function linearOutputs(W: Tensor, x: TensorLike): Tensor {
  return matmul(asTensor(x, "float64"), W);
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
  x: TensorLike,
  g: Tensor,
  D: Tensor | number,
  options: ExactStepOptions = {},
  pseudoInverse?: Tensor,
): Tensor {
  checkOptions("exactStep", options, ["ridge"]);
  const { ridge = 0 } = options;
  requireNonNegative("exactStep", "ridge", ridge);
  const inputs = asTensor(x, "float64");
  if (typeof D === "number") {
    const inverse = pseudoInverse ?? regularisedInverse(inputs, ridge);
    return W.sub(mul(matmul(inverse, g), 1 / D));
  }
  const columns = Array.from({ length: g.shape[1] }, (_, c) => {
    const d = D.slice([null, { start: c, stop: c + 1 }]);
    const root = d.sqrt();
    const target = g
      .slice([null, { start: c, stop: c + 1 }])
      .div(root)
      .neg();
    return matmul(regularisedInverse(inputs.mul(root), ridge), target);
  });
  return W.add(concatenate(columns, 1));
}

/** X^+, or (X^T X + ridge)^{-1} X^T. */
export function regularisedInverse(x: Tensor, ridge: number): Tensor {
  if (ridge === 0) return linalg.pinv(x);
  const { u, s, vt } = linalg.svd(x);
  const factors = s.div(s.square().add(ridge));
  return matmul(transpose(vt).mul(factors), transpose(u));
}
