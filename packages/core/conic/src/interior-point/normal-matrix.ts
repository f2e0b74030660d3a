import type { Parts } from "@offprint/solvers";
import { sparse } from "@offprint/tensor-core";
import type { ConeBlock } from "../cones.js";
import type { ScaledProblem } from "../equilibration.js";
import { LinearRows } from "./linear-rows.js";
import { OperatorRows } from "./operator-rows.js";
import type { ProductScaling } from "./product-scaling.js";
import { SecondOrderRows } from "./second-order-rows.js";
import { SemidefiniteRows } from "./semidefinite-rows.js";

/** @internal Where the entries of a symmetric matrix are added up; the caller gives each pair once. */
export interface SymmetricTarget {
  add(i: number, j: number, value: number): void;
  /** All entries of the upper triangle of a matrix. */
  addUpper(matrix: sparse.CscMatrix): void;
}

/**
 * @internal A group of rows of A and what they add to the normal matrix P + A^T (W^T W)^-1 A: a symmetric matrix on the
 * variables that they contain.
 */
export interface RowGroup {
  /** Sets of variables any two of which may meet in an entry. */
  readonly cliques: readonly (readonly number[])[];
  /** The upper triangle that it adds, in parts, where it is a matrix already; `addTo` adds the last one made. */
  making?(): Parts<sparse.CscMatrix | undefined>;
  /** Adds A_rows^T (W^T W)^-1 A_rows. */
  addTo(target: SymmetricTarget): void;
}

/** @internal The rows of A by cone, for a scaling that is updated in place. */
export function rowGroups({ A, blocks, operator }: ScaledProblem, scaling: ProductScaling): RowGroup[] {
  if (operator !== undefined) return [new OperatorRows(operator, blocks, scaling)];
  const rows = sparse.toCsr(A as sparse.CscMatrix);
  const groups: RowGroup[] = [];
  for (const { block, scaling: own } of scaling.orthants) groups.push(new LinearRows(rows, block, own));
  for (const { block, scaling: own } of scaling.secondOrder) groups.push(new SecondOrderRows(rows, block, own));
  const byStart = new Map<number, ConeBlock>(blocks.map((block) => [block.start, block]));
  for (const own of scaling.semidefinite) {
    for (const [index, start] of own.starts.entries()) {
      groups.push(new SemidefiniteRows(rows, byStart.get(start) as ConeBlock, own, index));
    }
  }
  return groups;
}
