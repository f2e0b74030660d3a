import { sparse } from "@offprint/tensor-core";
import type { ConeBlock } from "../cones.js";
import type { ConicOperator } from "../problem.js";
import type { RowGroup, SymmetricTarget } from "./normal-matrix.js";
import { inOneGo, type Parts } from "./parts.js";
import type { ProductScaling } from "./product-scaling.js";

/** @internal All rows of an operator, which adds up its normal matrix by itself. */
export class OperatorRows implements RowGroup {
  readonly cliques: readonly (readonly number[])[];
  private readonly weights: Float64Array;
  /** The normal matrix that is to be added. */
  private prepared: sparse.CscMatrix | undefined;
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
    const pairs: [number, number][] = [];
    this.eachEntry((i, j) => pairs.push([i, j]));
    this.cliques = pairs;
  }

  *preparing(): Parts<void> {
    this.prepared = yield* this.normal();
  }

  addTo(target: SymmetricTarget): void {
    this.eachEntry((i, j, value) => target.add(i, j, value));
    this.prepared = undefined;
  }

  private eachEntry(visit: (i: number, j: number, value: number) => void): void {
    const matrix = this.prepared ?? inOneGo(this.normal());
    if (matrix === undefined) return;
    const { indptr, indices, values, columns } = matrix;
    for (let j = 0; j < columns; j++) {
      for (let p = indptr[j]; p < indptr[j + 1]; p++) if (indices[p] <= j) visit(indices[p], j, values[p]);
    }
  }

  /** The normal matrix for the present scaling, as the operator gives it. */
  private *normal(): Parts<sparse.CscMatrix | undefined> {
    const { weights, scaling, operator } = this;
    for (const { block, scaling: own } of scaling.orthants) {
      for (let k = 0; k < block.length; k++) weights[block.start + k] = 1 / (own.weights[k] * own.weights[k]);
    }
    const metrics = this.places.map(({ scaling: k, index }) => {
      const { metric, order } = scaling.semidefinite[k];
      return (metric.data() as Float64Array).subarray(index * order * order, (index + 1) * order * order);
    });
    const made = operator.scaledNormal?.(weights, metrics);
    if (made === undefined) return undefined;
    const matrix = "next" in made ? yield* made : made;
    yield;
    return sparse.toCsc(matrix);
  }
}
