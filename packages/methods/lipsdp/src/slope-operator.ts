import { type ConicOperator, svecLength } from "@offprint/conic";
import { inOneGo } from "@offprint/solvers";
import { sparse } from "@offprint/tensor-core";
import { readSvec, writeSvec } from "./chain-operator.js";
import type { Gain } from "./gain.js";
import { identity, type Matrix, matrix, multiply, scaledRows, transposed } from "./matrix.js";
import type { NeuronGroup } from "./neuron-group.js";
import { groupRows, type StackedForm } from "./stacked-form.js";

/** @internal One multiplier variable: its kind, and the groups that share it. */
export interface SharedMultiplier {
  readonly kind: "lambda" | "gamma" | "nu";
  readonly groups: readonly number[];
}

/** @internal The lambdas of scalar neurons, one each or `shared` one for all of a layer. */
export function slopeMultipliers(groups: readonly NeuronGroup[], shared: boolean): SharedMultiplier[] {
  const byOwner = new Map<number, number[]>();
  for (const [g, { layer }] of groups.entries()) {
    const owner = shared ? layer : g;
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), g]);
  }
  return [...byOwner.values()].map((own) => ({ kind: "lambda", groups: own }));
}

/** @internal Whether the activations are scalar functions, none of which is linear: the inequality is then one of terms of rank two. */
export function onlySlopes(groups: readonly NeuronGroup[]): boolean {
  return groups.every(({ kind, alpha, beta }) => kind === "slope" && alpha < beta);
}

/**
 * @internal The inequality of a whole network with scalar activations, without a matrix of its entries. With u the row of
 * a neuron and e its unit vector, the multiplier's matrix is a b^T + b a^T for a = e - alpha u and b = e - beta u, and
 * e e^T of an input or output is so with a = e and b = e / 2. Variables are numbered as in `solveDense`.
 */
export class SlopeOperator implements ConicOperator {
  readonly rows: number;
  readonly columns: number;
  /** First row of the matrix inequality. */
  readonly matrixStart: number;
  private readonly order: number;
  /** a and b of every term, as rows. */
  private readonly left: Matrix;
  private readonly right: Matrix;
  private readonly leftTransposed: Matrix;
  private readonly rightTransposed: Matrix;
  /** The variable of every term. */
  private readonly variables: Int32Array;

  /** @param leading number of variables before the multipliers */
  constructor(
    form: StackedForm,
    gain: Gain,
    private readonly leading: number,
    multipliers: readonly SharedMultiplier[],
  ) {
    const { order, inputs, groups, A, C } = form;
    this.order = gain.output === "l2" ? order : order + C.rows;
    this.matrixStart = multipliers.length;
    this.columns = leading + multipliers.length;
    this.rows = this.matrixStart + svecLength(this.order);
    this.variables = new Int32Array(this.order);
    if (gain.ball === undefined) for (let i = 0; i < inputs; i++) this.variables[i] = i;
    for (const [k, { groups: own }] of multipliers.entries()) {
      for (const g of own) this.variables[inputs + groups[g].start] = leading + k;
    }
    for (let i = order; i < this.order; i++) this.variables[i] = leading - (this.order - i);
    this.left = identity(this.order);
    this.right = identity(this.order, 0.5);
    for (const group of groups) {
      const u = groupRows(A, group).values;
      const to = (inputs + group.start) * this.order;
      for (let j = 0; j < order; j++) {
        this.left.values[to + j] -= group.alpha * u[j];
        this.right.values[to + j] -= group.beta * u[j];
      }
      this.right.values[to + inputs + group.start] += 0.5;
    }
    this.leftTransposed = transposed(this.left);
    this.rightTransposed = transposed(this.right);
  }

  apply(x: Float64Array, out: Float64Array): void {
    for (let k = 0; k < this.matrixStart; k++) out[k] = -x[this.leading + k];
    const factors = Float64Array.from(this.variables, (variable) => x[variable]);
    writeSvec(multiply(this.leftTransposed, scaledRows(this.right, factors)), out, this.matrixStart, -2);
  }

  applyTransposed(y: Float64Array, out: Float64Array): void {
    const { left, right, order, variables, leading } = this;
    out.fill(0);
    for (let k = 0; k < this.matrixStart; k++) out[leading + k] = -y[k];
    const product = multiply(right, readSvec(y, this.matrixStart, order)).values;
    for (const [k, variable] of variables.entries()) {
      let sum = 0;
      for (let j = k * order; j < (k + 1) * order; j++) sum += left.values[j] * product[j];
      out[variable] -= 2 * sum;
    }
  }

  normal(weights: Float64Array): sparse.SparseMatrix {
    const metric = identity(this.order, Math.sqrt(weights[this.matrixStart]));
    return inOneGo(this.scaledNormal(weights, [metric.values]));
  }

  *scaledNormal(
    weights: Float64Array,
    [metric]: readonly Float64Array[],
  ): Generator<undefined, sparse.SparseMatrix, undefined> {
    const { order, left, right, columns, variables, leading } = this;
    const G = matrix(order, order, metric);
    const leftG = multiply(left, G);
    yield;
    const both = multiply(leftG, this.leftTransposed).values;
    yield;
    const mixed = multiply(leftG, this.rightTransposed).values;
    yield;
    const other = multiply(multiply(right, G), this.rightTransposed).values;
    yield;
    const values = new Float64Array(columns * columns);
    for (let k = 0; k < this.matrixStart; k++) values[(leading + k) * (columns + 1)] = weights[k];
    for (let k = 0; k < order; k++) {
      const to = variables[k] * columns;
      for (let j = 0; j < order; j++) {
        const p = k * order + j;
        values[to + variables[j]] += 2 * (both[p] * other[p] + mixed[p] * mixed[j * order + k]);
      }
    }
    const indptr = Int32Array.from({ length: columns + 1 }, (_, j) => j * columns);
    const indices = Int32Array.from({ length: columns * columns }, (_, p) => p % columns);
    return new sparse.CscMatrix(columns, columns, indptr, indices, values, false);
  }
}
