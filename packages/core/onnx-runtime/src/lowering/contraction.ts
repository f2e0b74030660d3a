import type { Equation, PrimitiveName, Variable } from "@offprint/tensor-core";
import { broadcast, type LoweringContext, type Product, sameShape } from "./context.js";
import { elementwiseLowerings } from "./elementwise.js";
import type { Lowering, Lowerings } from "./lowering.js";

/** Gemm's factors are float32 attributes: in float64 only 1 and -1 are exact. */
function exactFactor(v: Variable, factor: number): boolean {
  return v.dtype === "float32" || Math.abs(factor) === 1;
}

/** `x + beta * product` as one Gemm, where x broadcasts to the product's shape. */
function withAddend(
  c: LoweringContext,
  y: Variable,
  product: Product | undefined,
  other: Variable,
  sign: 1 | -1,
  otherSign: 1 | -1,
): boolean {
  if (product === undefined || product.addend !== null) return false;
  const addend = c.unexpanded(other);
  if (!sameShape(broadcast([addend.shape, y.shape]), y.shape)) return false;
  c.defineProduct(y, { ...product, alpha: sign * product.alpha, beta: otherSign, addend });
  return true;
}

function scaled(c: LoweringContext, y: Variable, product: Product | undefined, factor: number | undefined): boolean {
  if (product === undefined || factor === undefined || !exactFactor(y, product.alpha * factor)) return false;
  // Attributes cannot depend on extents.
  if (c.target.open === true && Math.abs(factor) !== 1) return false;
  if (product.addend !== null && !exactFactor(y, product.beta * factor)) return false;
  c.defineProduct(y, { ...product, alpha: product.alpha * factor, beta: product.beta * factor });
  return true;
}

/** Tries to make an operation part of the product before it; the ordinary lowering otherwise. */
function fused(
  name: "add" | "sub" | "mul" | "neg",
  fuse: (c: LoweringContext, equation: Equation) => boolean,
): Lowering<null> {
  const plain: Lowering<null> = elementwiseLowerings[name];
  return (c, equation) => {
    if (!fuse(c, equation)) plain(c, equation);
  };
}

export const contractionLowerings = {
  matmul: (c, { inputs: [a, b], outputs: [y] }) => {
    if (y.shape.length === 2) {
      const p = c.matrix(a);
      const q = c.matrix(b);
      const factors = { a: p.value, b: q.value, transA: p.transposed, transB: q.transposed };
      c.defineProduct(y, { ...factors, alpha: 1, beta: 1, addend: null });
    } else {
      c.define(y, c.emit("MatMul", [c.value(a), c.value(b)], { shape: y.shape, type: y.dtype }));
    }
  },
  add: fused("add", (c, { inputs: [a, b], outputs: [y] }) => {
    return withAddend(c, y, c.soleProduct(a), b, 1, 1) || withAddend(c, y, c.soleProduct(b), a, 1, 1);
  }),
  sub: fused("sub", (c, { inputs: [a, b], outputs: [y] }) => {
    return withAddend(c, y, c.soleProduct(a), b, 1, -1) || withAddend(c, y, c.soleProduct(b), a, -1, 1);
  }),
  mul: fused("mul", (c, { inputs: [a, b], outputs: [y] }) => {
    return scaled(c, y, c.soleProduct(a), c.constantOf(b)) || scaled(c, y, c.soleProduct(b), c.constantOf(a));
  }),
  neg: fused("neg", (c, { inputs: [a], outputs: [y] }) => scaled(c, y, c.soleProduct(a), -1)),
} satisfies Partial<Lowerings<PrimitiveName>>;
