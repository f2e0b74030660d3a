import {
  asTensor,
  checkOptions,
  concatenate,
  isTensor,
  linalg,
  matmul,
  mul,
  random,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requireObject,
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

/** @throws ValueError for what is no model, and for one that is called linear and is not `x W`. */
export function checkModel(owner: string, model: TargetModel | undefined): void {
  const leaves = model?.params === undefined ? [] : tree.leaves<unknown>(model.params as tree.Tree);
  if (typeof model?.forward !== "function" || leaves.length === 0 || !leaves.every((leaf) => isTensor(leaf))) {
    throw new ValueError(
      `${owner}: the model must be { params, forward }, params a tree of tensors and forward a function`,
    );
  }
  requireChoice(owner, "linear of the model", model.linear, [true, undefined]);
  if (model.linear && model.forward !== (linearOutputs as unknown) && !isLinear(model as TargetModel<Tensor, Tensor>)) {
    throw new ValueError(
      `${owner}: the model is called linear, but params is not one float64 tensor W [d, C] with forward(W, x) = x W; leave linear out`,
    );
  }
}

/** Whether a model's outputs are `x W`, at the parameters it begins with and at others. */
function isLinear({ params, forward }: TargetModel<Tensor, Tensor>): boolean {
  if (!isTensor(params) || params.rank !== 2 || params.dtype !== "float64") return false;
  const rng = random.rng("linear");
  const x = rng.normal([3, params.shape[0]], { dtype: "float64" });
  return [params, rng.normal(params.shape, { dtype: "float64" })].every((W) => {
    const [said, own] = [forward(W, x), linearOutputs(W, x)];
    const close = (z: number, k: number) => Math.abs(z - own.data()[k]) <= 1e-6 * Math.abs(own.data()[k]) + 1e-9;
    return said.shape.join() === own.shape.join() && Array.from(said.data()).every(close);
  });
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
  requireObject("exactStep", "W", W, "a tensor [d, C]");
  if (typeof D !== "number") requireObject("exactStep", "D", D, "one number > 0, or [b, C] of them");
  const positive = typeof D === "number" ? D > 0 : Array.from(D.data()).every((d) => d > 0);
  if (!positive)
    throw new ValueError("exactStep: D has entries that are not > 0; give one number > 0, or [b, C] of them");
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
