import { requireFunction, requireObject, sparse, ValueError } from "@offprint/tensor-core";
import type { BlockObjective } from "../block-objective.js";
import { placesFrom0 } from "../blocks/order.js";
import { type DesignMatrix, designMatrix, type MatrixInput } from "../design-matrix.js";
import { LinearModelState } from "./linear-model-state.js";
import type { RowLoss } from "./row-loss.js";

/**
 * A linear model with a loss of your own, `sum_i loss_i(a_i^T x)`, with H_b = c A_b^T A_b for the bound c of the losses'
 * second derivatives; `leastSquares` and `logistic` are two of them.
 * @param A `[m, n]`, dense or sparse (a sparse one stays sparse)
 * @throws ShapeError, DTypeError, ValueError for what does not fit or is not finite.
 */
export function linearModel(A: MatrixInput, loss: RowLoss): BlockObjective {
  requireObject("linearModel", "loss", loss, "a RowLoss");
  for (const name of ["value", "slope", "curvature"] as const)
    requireFunction("linearModel", `loss.${name}`, loss[name]);
  const { curvatureBound } = loss;
  if (!(curvatureBound >= 0 && curvatureBound < Infinity)) {
    throw new ValueError(`linearModel: loss.curvatureBound is ${curvatureBound}; it must be finite and >= 0`);
  }
  return linearModelOf(designMatrix("linearModel", "A", A), loss);
}

/** @internal sum_i loss_i(a_i^T x) as an objective. */
export function linearModelOf(design: DesignMatrix, loss: RowLoss): BlockObjective {
  const { columns } = design;
  const bound = loss.curvatureBound;
  const predictions = (x: Float64Array): Float64Array => {
    const all = design.emptyProduct();
    design.product(placesFrom0(x.length), x, all);
    return all.values;
  };
  const slopes = (x: Float64Array): Float64Array => predictions(x).map((z, i) => loss.slope(i, z));
  const scaled = (values: Float64Array): Float64Array => (bound === 1 ? values : values.map((v) => bound * v));
  let gramMatrix: sparse.CsrMatrix | undefined;
  return {
    n: columns,
    quadratic: loss.quadratic ?? false,
    lipschitz: scaled(design.squaredNorms()),
    value: (x) => predictions(x).reduce((total, z, i) => total + loss.value(i, z), 0),
    gradient(x) {
      const out = new Float64Array(columns);
      design.transposed(slopes(x), out);
      return out;
    },
    blockGradient(x, block) {
      const out = new Float64Array(block.length);
      design.transposedBlock(slopes(x), block, out);
      return out;
    },
    blockHessian: (x, block) =>
      design.gram(
        block,
        predictions(x).map((z, i) => loss.curvature(i, z)),
      ),
    blockBound: (block) => scaled(design.gram(block)),
    absoluteRowSums: () => scaled(design.gramRowSums()),
    boundTimes(block, d, out) {
      const product = design.emptyProduct();
      design.product(block, d, product);
      out.fill(0);
      design.addGramProduct(block, d, product, bound, out);
    },
    sparseBound() {
      gramMatrix ??= sparse.scale(sparse.gram(design.csr()), bound) as sparse.CsrMatrix;
      return gramMatrix;
    },
    ...(!loss.quadratic && {
      sparseHessian: (x: Float64Array) =>
        sparse.gram(
          design.csr(),
          predictions(x).map((z, i) => loss.curvature(i, z)),
        ),
    }),
    start: (x, memory) => new LinearModelState(design, loss, x, memory),
  };
}
