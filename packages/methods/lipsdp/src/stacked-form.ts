import {
  absolute,
  combine,
  identity,
  type Matrix,
  matrix,
  multiply,
  multiplyTransposed,
  part,
  place,
  symmetrized,
  transposed,
} from "./matrix.js";
import type { CheckedNetwork, CheckedResidual } from "./network.js";
import type { NeuronGroup } from "./neuron-group.js";

/**
 * @internal Increments of a whole network as linear functions of z = (x, w): activation inputs u = A z, activation
 * outputs w = z[d:], output C z. `abs` bounds what rounding can have done to A and C: each entry is off by at most a few
 * units in the last place of the entry there.
 */
export interface StackedForm {
  /** Length of z. */
  readonly order: number;
  /** Length of x, which leads z. */
  readonly inputs: number;
  /** `[width, order]`. */
  readonly A: Matrix;
  /** `[outputs, order]`. */
  readonly C: Matrix;
  readonly groups: readonly NeuronGroup[];
  readonly abs: { readonly A: Matrix; readonly C: Matrix };
}

/** @internal The stacked form of a network. */
export function stackedForm(network: CheckedNetwork): StackedForm {
  const { groups, inputs } = network;
  const width = network.widths.reduce((sum, n) => sum + n, 0);
  const order = inputs + width;
  if (network.kind === "residual") return stackResidual(network, order);
  const A = matrix(width, order);
  if (network.kind === "implicit") {
    place(A, 0, 0, network.U);
    place(A, 0, inputs, network.W);
    const C = matrix(network.outputs, order);
    place(C, 0, inputs, network.C);
    return { order, inputs, A, C, groups, abs: { A: absolute(A), C: absolute(C) } };
  }
  let row = 0;
  let column = 0;
  const C = matrix(network.outputs, order);
  for (const [i, W] of network.weights.entries()) {
    place(i === network.weights.length - 1 ? C : A, i === network.weights.length - 1 ? 0 : row, column, W);
    column = i === 0 ? inputs : column + W.columns;
    row += W.rows;
  }
  return { order, inputs, A, C, groups, abs: { A: absolute(A), C: absolute(C) } };
}

/** x_i = x_{i-1} + H_i w_i as a matrix on z, carried along with a bound of its entries. */
function stackResidual(network: CheckedResidual, order: number): StackedForm {
  const { blocks, inputs, groups } = network;
  const d = blocks[0].G.columns;
  const first = network.input ?? identity(d);
  let state = matrix(d, order);
  place(state, 0, 0, first);
  let bound = absolute(state);
  const A = matrix(order - inputs, order);
  const absA = matrix(order - inputs, order);
  let row = 0;
  for (const { G, H } of blocks) {
    place(A, row, 0, multiply(G, state));
    place(absA, row, 0, multiply(absolute(G), bound));
    const step = matrix(d, order);
    place(step, 0, inputs + row, H);
    state = combine(1, state, 1, step);
    bound = combine(1, bound, 1, absolute(step));
    row += G.rows;
  }
  const last = network.output ?? identity(d);
  return {
    order,
    inputs,
    A,
    C: multiply(last, state),
    groups,
    abs: { A: absA, C: multiply(absolute(last), bound) },
  };
}

/** @internal [A; B]^T M [A; B] for B = [0 I]. */
export function constraintMatrix(
  form: Pick<StackedForm, "order" | "inputs" | "A" | "groups">,
  forms: readonly { m11: Float64Array; m12: Float64Array; m22: Float64Array }[],
): Matrix {
  const { order, inputs, A, groups } = form;
  const width = A.rows;
  const first = blockProduct(groups, forms, "m11", A);
  const cross = blockProduct(groups, forms, "m12", A);
  const out = multiplyTransposed(A, first);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < order; j++) {
      out.values[(inputs + i) * order + j] += cross.values[i * order + j];
      out.values[j * order + inputs + i] += cross.values[i * order + j];
    }
  }
  for (const [g, { m22 }] of forms.entries()) {
    const { start, size } = groups[g];
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        out.values[(inputs + start + i) * order + inputs + start + j] += m22[i * size + j];
      }
    }
  }
  return symmetrized(out);
}

/** @internal The block-diagonal matrix of one of the blocks of M times X. */
export function blockProduct(
  groups: readonly NeuronGroup[],
  forms: readonly { m11: Float64Array; m12: Float64Array; m22: Float64Array }[],
  block: "m11" | "m12" | "m22",
  X: Matrix,
  magnitudes = false,
): Matrix {
  const { columns } = X;
  const out = matrix(X.rows, columns);
  for (const [g, form] of forms.entries()) {
    const { start, size } = groups[g];
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < size; k++) {
        const entry = form[block][i * size + k];
        const factor = magnitudes ? Math.abs(entry) : entry;
        if (factor === 0) continue;
        const to = (start + i) * columns;
        const from = (start + k) * columns;
        for (let j = 0; j < columns; j++) out.values[to + j] += factor * X.values[from + j];
      }
    }
  }
  return out;
}

/** @internal Gram matrix C^T C. */
export function outputForm(C: Matrix): Matrix {
  return symmetrized(multiply(transposed(C), C));
}

/** @internal Rows of a stacked matrix that belong to one group. */
export function groupRows(X: Matrix, { start, size }: NeuronGroup): Matrix {
  return part(X, start, start + size);
}
