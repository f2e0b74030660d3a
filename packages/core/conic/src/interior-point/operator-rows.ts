import type { Parts } from "@offprint/solvers";
import { sparse } from "@offprint/tensor-core";
import type { ConeBlock } from "../cones.js";
import type { ConicOperator } from "../problem.js";
import type { RowGroup, SymmetricTarget } from "./normal-matrix.js";
import type { ProductScaling } from "./product-scaling.js";

/** @internal All rows of an operator, which adds up its normal matrix by itself. */
export class OperatorRows implements RowGroup {
  readonly cliques = [];
  private readonly weights: Float64Array;
  /** The normal matrix that is to be added. */
  private made: sparse.CscMatrix | undefined;
  /** For every semidefinite block in the order of rows: its scaling and its place there. */
  private readonly places: { readonly scaling: number; readonly index: number }[];

  constructor(
    private readonly operator: ConicOperator,
    blocks: readonly ConeBlock[],
    private readonly scaling: ProductScaling,
  ) {
    this.weights = new Float64Array(operator.rows);
    this.places = blocks
      .filter(({ kind }) => kind === "semidefinite")
      .map(({ start, order }) => {
        const k = scaling.semidefinite.findIndex((own) => own.order === order && own.starts.includes(start));
        return { scaling: k, index: scaling.semidefinite[k].starts.indexOf(start) };
      });
  }

  /** The normal matrix for the present scaling, as the operator gives it. */
  *making(): Parts<sparse.CscMatrix | undefined> {
    const { weights, scaling, operator } = this;
    for (const { block, scaling: own } of scaling.orthants) {
      for (let k = 0; k < block.length; k++) weights[block.start + k] = 1 / (own.weights[k] * own.weights[k]);
    }
    const metrics = this.places.map(({ scaling: k, index }) => {
      const { metric, order } = scaling.semidefinite[k];
      return (metric.data() as Float64Array).subarray(index * order * order, (index + 1) * order * order);
    });
    const given = operator.scaledNormal?.(weights, metrics);
    if (given === undefined) return undefined;
    const matrix = "next" in given ? yield* given : given;
    yield;
    this.made = sparse.toCsc(matrix);
    return this.made;
  }

  addTo(target: SymmetricTarget): void {
    if (this.made !== undefined) target.addUpper(this.made);
  }
}
