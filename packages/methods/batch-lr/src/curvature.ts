import { type LinearOperator, raveling } from "@offprint/solvers";
import {
  add,
  checkOptions,
  grad,
  jitAtPoint,
  jvp,
  mul,
  NonFiniteError,
  sum,
  type Tensor,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/** A loss of parameters on a batch, a scalar tensor. */
export type BatchLoss<P, B> = (params: P, batch: B) => Tensor;

/** A loss in two parts, whose Gauss-Newton matrix `J^T H_out J` is positive semidefinite where the outer part is convex. */
export interface ComposedLoss<P, B> {
  /** What the model gives for a batch. */
  readonly outputs: (params: P, batch: B) => Tensor;
  /** The loss of that, a scalar tensor. */
  readonly outputLoss: (outputs: Tensor, batch: B) => Tensor;
}

/** The curvature of a loss as products with vectors; nothing of size `P x P` is made. */
export interface Curvature<P, B> {
  /** `v -> H v` at some parameters, on a batch: what `lanczos` and the like of `@offprint/solvers` take. */
  at(params: P, batch: B): LinearOperator;
  /** How many parameters there are, `P`. */
  sizeOf(params: P): number;
  /** Frees what was compiled. */
  release(): void;
}

function inner<P>(a: P, b: P): Tensor {
  const [left, right] = [tree.leaves<Tensor>(a), tree.leaves<Tensor>(b)];
  return left.map((x, i) => sum(mul(x, right[i]))).reduce((total, x) => add(total, x));
}

/** `v -> H v`: the gradient of the gradient's component along `v`. */
function hessianProduct<P, B>(loss: BatchLoss<P, B>) {
  return (params: P, batch: B, v: P): P => {
    const slope = grad(loss);
    return grad((p: P) => inner(slope(p, batch), v))(params) as P;
  };
}

/** `v -> J^T H_out J v`. */
function gaussNewtonProduct<P, B>({ outputs, outputLoss }: ComposedLoss<P, B>) {
  return (params: P, batch: B, v: P): P => {
    const [values, along] = jvp((p: P) => outputs(p, batch), [params], [v]);
    const slope = grad((z: Tensor) => outputLoss(z, batch));
    const curved = grad((z: Tensor) => inner(slope(z), along))(values);
    return grad((p: P) => inner(outputs(p, batch), curved))(params) as P;
  };
}

/**
 * The Hessian of a loss, or with `{ outputs, outputLoss }` its Gauss-Newton matrix, as products with vectors: traced and
 * compiled once for every shape of batch; what depends on parameters and batch alone is computed once for all products with
 * one of them. Precision is that of the parameters.
 *
 * @throws ValueError for a loss that is neither.
 */
export function curvature<P, B>(loss: BatchLoss<P, B> | ComposedLoss<P, B>): Curvature<P, B> {
  const product = productOf(loss);
  const compiled = jitAtPoint(
    ({ params, batch }: { readonly params: P; readonly batch: B }, v: Tensor) => {
      const space = raveling("curvature", params);
      const along = space.ravel(product(params, batch, space.unravel(v)));
      // A finite number times 0 is 0, anything else NaN.
      return { along, zero: sum(mul(along, 0)) };
    },
    { views: true },
  );
  return {
    at(params, batch) {
      const { size, dtype } = raveling("curvature", params);
      const multiply = compiled.at({ params, batch });
      return (x, out) => {
        const { along, zero } = multiply(tensor(x, { shape: [size], dtype }));
        if (zero.item() !== 0) throw new NonFiniteError("the product with the Hessian is not finite");
        out.set(along.data());
      };
    },
    sizeOf: (params) => raveling("curvature", params).size,
    release: () => compiled.release(),
  };
}

function productOf<P, B>(loss: BatchLoss<P, B> | ComposedLoss<P, B>): (params: P, batch: B, v: P) => P {
  if (typeof loss === "function") return hessianProduct(loss);
  if (loss === null || typeof loss !== "object") {
    throw new ValueError("curvature: the loss must be a function, or { outputs, outputLoss }");
  }
  checkOptions("curvature", loss, ["outputs", "outputLoss"]);
  if (typeof loss.outputs !== "function" || typeof loss.outputLoss !== "function") {
    throw new ValueError("curvature: outputs and outputLoss must both be functions");
  }
  return gaussNewtonProduct(loss);
}
