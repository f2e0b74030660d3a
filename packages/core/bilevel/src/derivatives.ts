import { grad, mul, ShapeError, stopGradient, sum, type Tensor } from "@offprint/tensor-core";
import type { OracleCounter } from "./oracle-counts.js";

/** A problem on vectors: scalar functions of x `[dx]`, y `[dy]` and a batch. */
export interface VectorFunctions<U, L> {
  /** The upper function F. */
  upper(x: Tensor, y: Tensor, batch: U): Tensor;
  /** The lower function G. */
  lower(x: Tensor, y: Tensor, batch: L): Tensor;
}

/**
 * The derivatives that bilevel methods are made of. With H the second derivatives of G in y and J the mixed ones (row i
 * the derivative of `grad_y G` in `x_i`), no matrix is ever formed. Traceable.
 */
export interface Derivatives<X, Y, U, L> {
  /** Gradient of F in x. */
  gradXF(x: X, y: Y, batch: U): X;
  /** Gradient of F in y. */
  gradYF(x: X, y: Y, batch: U): Y;
  /** Both gradients of F, in one pass. */
  gradsF(x: X, y: Y, batch: U): { readonly x: X; readonly y: Y };
  /** Gradient of G in x. */
  gradXG(x: X, y: Y, batch: L): X;
  /** Gradient of G in y. */
  gradYG(x: X, y: Y, batch: L): Y;
  /** `H v`. */
  hvpYY(x: X, y: Y, v: Y, batch: L): Y;
  /** `J v`, the gradient in x of `<grad_y G, v>`. */
  mixedXY(x: X, y: Y, v: Y, batch: L): X;
  /** `J v` and `H v`, in one pass. */
  productsG(x: X, y: Y, v: Y, batch: L): { readonly x: X; readonly y: Y };
}

/** The derivatives of functions on vectors; each call is counted. */
export function derivativesOf<U, L>(
  functions: VectorFunctions<U, L>,
  counter: OracleCounter,
): Derivatives<Tensor, Tensor, U, L> {
  const upper = (x: Tensor, y: Tensor, batch: U) => scalar("upper", functions.upper(x, y, batch));
  const lower = (x: Tensor, y: Tensor, batch: L) => scalar("lower", functions.lower(x, y, batch));
  const slope = (x: Tensor, y: Tensor, v: Tensor, batch: L) =>
    sum(mul(grad((at: Tensor) => lower(x, at, batch))(y), stopGradient(v)));
  return {
    gradXF(x, y, batch) {
      counter.count("gradXF");
      return grad((at: Tensor) => upper(at, y, batch))(x);
    },
    gradYF(x, y, batch) {
      counter.count("gradYF");
      return grad((at: Tensor) => upper(x, at, batch))(y);
    },
    gradsF(x, y, batch) {
      counter.count("gradsF");
      return grad((at: { x: Tensor; y: Tensor }) => upper(at.x, at.y, batch))({ x, y });
    },
    gradXG(x, y, batch) {
      counter.count("gradXG");
      return grad((at: Tensor) => lower(at, y, batch))(x);
    },
    gradYG(x, y, batch) {
      counter.count("gradYG");
      return grad((at: Tensor) => lower(x, at, batch))(y);
    },
    hvpYY(x, y, v, batch) {
      counter.count("hvpYY");
      return grad((at: Tensor) => slope(x, at, v, batch))(y);
    },
    mixedXY(x, y, v, batch) {
      counter.count("mixedXY");
      return grad((at: Tensor) => slope(at, y, v, batch))(x);
    },
    productsG(x, y, v, batch) {
      counter.count("productsG");
      return grad((at: { x: Tensor; y: Tensor }) => slope(at.x, at.y, v, batch))({ x, y });
    },
  };
}

function scalar(name: string, value: Tensor): Tensor {
  if (value?.rank === 0) return value;
  const got = value?.shape === undefined ? `a ${typeof value}` : `shape [${value.shape}]`;
  throw new ShapeError(`bilevel: ${name} gave ${got}; it must give a scalar tensor, such as the mean of the losses`);
}
