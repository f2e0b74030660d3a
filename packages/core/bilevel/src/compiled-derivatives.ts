import { hessian, jitAtPoint, jitSync, type Tensor, valueAndGrad } from "@offprint/tensor-core";
import { keptFor, type ProblemFunctions } from "./compiled-phase.js";
import { derivativesOf } from "./derivatives.js";
import { OracleCounter } from "./oracle-counts.js";

/** A pair of vectors: x and y, or what belongs to each. */
export interface Place {
  /** `[dx]` */
  readonly x: Tensor;
  /** `[dy]` */
  readonly y: Tensor;
}

/** What exact computations evaluate again and again, compiled. */
export interface CompiledDerivatives<U, L> {
  gradients(at: Place, batch: U): Place;
  hessianProduct(at: Place, v: Tensor, batch: L): Tensor;
  /** The same for many vectors: `v -> H v`. */
  hessianProducts(at: Place, batch: L): (v: Tensor) => Tensor;
  mixedProduct(at: Place, v: Tensor, batch: L): Tensor;
  hessian(at: Place, batch: L): Tensor;
  lower(at: Place, batch: L): [value: Tensor, gradient: Tensor];
}

/** The compiled derivatives of a problem: the same for all calls with the same functions, so that nothing is compiled twice. */
export function compiledDerivatives<U, L>(functions: ProblemFunctions<U, L>): CompiledDerivatives<U, L> {
  return keptFor(functions.identity, "derivatives", () => compile(functions));
}

function compile<U, L>(functions: ProblemFunctions<U, L>): CompiledDerivatives<U, L> {
  const raw = derivativesOf(functions, new OracleCounter());
  const products = jitAtPoint(({ at: { x, y }, batch }: { readonly at: Place; readonly batch: L }, v: Tensor) =>
    raw.hvpYY(x, y, v, batch),
  );
  return {
    gradients: jitSync(({ x, y }: Place, batch: U): Place => raw.gradsF(x, y, batch)),
    hessianProduct: jitSync(({ x, y }: Place, v: Tensor, batch: L) => raw.hvpYY(x, y, v, batch)),
    hessianProducts: (at, batch) => products.at({ at, batch }),
    mixedProduct: jitSync(({ x, y }: Place, v: Tensor, batch: L) => raw.mixedXY(x, y, v, batch)),
    hessian: jitSync(({ x, y }: Place, batch: L) => hessian((at: Tensor) => functions.lower(x, at, batch))(y)),
    lower: jitSync(({ x, y }: Place, batch: L) => valueAndGrad((at: Tensor) => functions.lower(x, at, batch))(y)),
  };
}
