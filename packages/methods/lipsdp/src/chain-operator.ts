import { type ConicOperator, svecLength } from "@offprint/conic";
import { sparse } from "@offprint/tensor-core";
import { type Matrix, matrix, multiply, transposed } from "./matrix.js";

/**
 * @internal One diagonal block of a slot's matrix T = sum_k theta_k basis_k: the identity, a preserved form J, or both. Slot 0 is
 * the input (rho I, or diag mu), slots 1.. are the hidden layers.
 */
export interface SlotBlock {
  readonly start: number;
  readonly size: number;
  /** Basis matrices `[size, size]`; variable `first + k` multiplies the k-th. */
  readonly bases: readonly Float64Array[];
  readonly first: number;
}

/** @internal Variables in order: those of slot 0, 1, ..., then delta. */
export interface Slots {
  readonly slots: readonly (readonly SlotBlock[])[];
  readonly widths: readonly number[];
  readonly deltas: number;
  readonly variables: number;
}

/** @internal A x = -(T_{i-1} - W_i^T T_i W_i) block by block, without a matrix of its entries. */
export class ChainOperator implements ConicOperator {
  readonly rows: number;
  readonly columns: number;
  /** Variables that must be nonnegative: every lambda. */
  readonly nonnegative: number[] = [];
  /** First row of the first and of the last block. */
  readonly firstStart: number;
  readonly lastStart: number;
  private readonly starts: number[] = [];
  private readonly transposes: Matrix[];
  private readonly pattern: NormalPattern;

  constructor(
    private readonly weights: readonly Matrix[],
    private readonly slots: Slots,
  ) {
    for (const slot of slots.slots.slice(1)) for (const { first } of slot) this.nonnegative.push(first);
    let row = this.nonnegative.length;
    for (const [i, W] of weights.entries()) {
      this.starts.push(row);
      row += svecLength(W.columns + (i === weights.length - 1 ? slots.deltas : 0));
    }
    this.rows = row;
    this.firstStart = this.starts[0];
    this.columns = slots.variables;
    this.lastStart = this.starts[this.starts.length - 1];
    this.transposes = weights.map(transposed);
    this.pattern = new NormalPattern(this.columns, slots);
  }

  apply(x: Float64Array, out: Float64Array): void {
    out.fill(0);
    for (const [k, variable] of this.nonnegative.entries()) out[k] = -x[variable];
    const { slots, weights, starts } = this;
    const last = weights.length - 1;
    for (const [i, W] of weights.entries()) {
      const order = W.columns + (i === last ? slots.deltas : 0);
      if (i < last) {
        const weighted = this.slotTimes(i + 1, x, W);
        writeSvec(multiply(this.transposes[i], weighted), out, starts[i], 1);
      }
      for (const { start, size, bases, first } of slots.slots[i]) {
        for (const [k, basis] of bases.entries()) addBlock(out, starts[i], order, start, size, basis, -x[first + k]);
      }
    }
    const order = weights[last].columns + slots.deltas;
    for (let k = 0; k < slots.deltas; k++) {
      addBlock(out, starts[last], order, weights[last].columns + k, 1, ONE, -x[slots.variables - slots.deltas + k]);
    }
  }

  applyTransposed(y: Float64Array, out: Float64Array): void {
    out.fill(0);
    for (const [k, variable] of this.nonnegative.entries()) out[variable] = -y[k];
    const { slots, weights, starts } = this;
    const last = weights.length - 1;
    for (const [i, W] of weights.entries()) {
      const order = W.columns + (i === last ? slots.deltas : 0);
      const Y = readSvec(y, starts[i], order);
      for (const { start, size, bases, first } of slots.slots[i]) {
        for (const [k, basis] of bases.entries()) out[first + k] -= blockInner(Y, start, size, basis);
      }
      if (i < last) {
        const WY = multiply(W, Y);
        for (const { start, size, bases, first } of slots.slots[i + 1]) {
          const block = rowBlockProduct(WY, W, start, size);
          for (const [k, basis] of bases.entries()) out[first + k] += inner(block, basis);
        }
      }
      if (i === last) {
        for (let k = 0; k < slots.deltas; k++) {
          out[slots.variables - slots.deltas + k] -= Y.values[(W.columns + k) * (order + 1)];
        }
      }
    }
  }

  /** The normal matrix couples a layer with its neighbours only. */
  normal(weights: Float64Array): sparse.SparseMatrix {
    const entries = new NormalEntries(this.pattern);
    for (const [k, variable] of this.nonnegative.entries()) entries.add(variable, variable, weights[k]);
    const { slots, starts } = this;
    const last = this.weights.length - 1;
    for (const [i, W] of this.weights.entries()) {
      const factor = weights[starts[i]];
      for (const block of slots.slots[i]) {
        for (const [k, own] of block.bases.entries()) {
          for (const [j, other] of block.bases.entries()) {
            entries.add(block.first + k, block.first + j, factor * inner(own, other));
          }
        }
      }
      if (i < last) this.addCoupling(entries, i, W, factor);
    }
    for (let k = 0; k < slots.deltas; k++) {
      const variable = slots.variables - slots.deltas + k;
      entries.add(variable, variable, weights[this.lastStart]);
    }
    return entries.matrix();
  }

  /** `normal` with S X = G X G on every layer's inequality, layer by layer. */
  *scaledNormal(
    weights: Float64Array,
    metrics: readonly Float64Array[],
  ): Generator<undefined, sparse.SparseMatrix, undefined> {
    const entries = new NormalEntries(this.pattern);
    for (const [k, variable] of this.nonnegative.entries()) entries.add(variable, variable, weights[k]);
    for (const [i, W] of this.weights.entries()) {
      const own = this.blocksOf(i);
      const order = W.columns + (i === this.weights.length - 1 ? this.slots.deltas : 0);
      const G = matrix(order, order, metrics[i]);
      addPairs(entries, own, own, G, 1);
      yield;
      if (i === this.weights.length - 1) continue;
      const next = this.slots.slots[i + 1];
      const WG = multiply(W, G);
      addPairs(entries, next, next, multiply(WG, this.transposes[i]), 1);
      addPairs(entries, next, own, WG, -1);
      yield;
    }
    return entries.matrix();
  }

  /** Diagonal blocks of the inequality of a layer: its slot, and delta in the last one. */
  private blocksOf(layer: number): readonly SlotBlock[] {
    const { slots, deltas, variables } = this.slots;
    if (layer < this.weights.length - 1) return slots[layer];
    const start = this.weights[layer].columns;
    const border = Array.from({ length: deltas }, (_, k) => {
      return { start: start + k, size: 1, bases: [ONE], first: variables - deltas + k };
    });
    return [...slots[layer], ...border];
  }

  /** Inner products of W^T E W with each other and with the blocks of the slot before. */
  private addCoupling(entries: NormalEntries, i: number, W: Matrix, factor: number): void {
    const next = this.slots.slots[i + 1];
    const gram = multiply(W, this.transposes[i]);
    for (const [a, left] of next.entries()) {
      for (const right of next.slice(0, a + 1)) {
        const G = subBlock(gram, left.start, left.size, right.start, right.size);
        for (const [k, E] of left.bases.entries()) {
          for (const [j, F] of right.bases.entries()) {
            const value = factor * congruenceInner(E, G, F, left.size, right.size);
            if (left === right) entries.add(left.first + k, right.first + j, value);
            else entries.addBoth(left.first + k, right.first + j, value);
          }
        }
      }
      for (const before of this.slots.slots[i]) {
        const B = subBlock(W, left.start, left.size, before.start, before.size);
        for (const [k, E] of left.bases.entries()) {
          for (const [j, F] of before.bases.entries()) {
            entries.addBoth(
              left.first + k,
              before.first + j,
              -factor * congruenceInner(E, B, F, left.size, before.size),
            );
          }
        }
      }
    }
  }

  /** T_slot X */
  private slotTimes(slot: number, x: Float64Array, X: Matrix): Matrix {
    const { columns } = X;
    const out = matrix(X.rows, columns);
    for (const { start, size, bases, first } of this.slots.slots[slot]) {
      for (let i = 0; i < size; i++) {
        for (let k = 0; k < size; k++) {
          let factor = 0;
          for (let b = 0; b < bases.length; b++) factor += x[first + b] * bases[b][i * size + k];
          if (factor === 0) continue;
          const to = (start + i) * columns;
          const from = (start + k) * columns;
          for (let j = 0; j < columns; j++) out.values[to + j] += factor * X.values[from + j];
        }
      }
    }
    return out;
  }
}

const ONE = Float64Array.of(1);

/**
 * The places of a normal matrix's upper triangle: a variable meets those of its own slot and of the one before it, and
 * delta those of the last slot, so that the entries of a column follow one another.
 */
class NormalPattern {
  readonly indptr: Int32Array;
  readonly indices: Int32Array;
  /** First row of every column. */
  readonly tops: Int32Array;

  constructor(
    readonly size: number,
    { slots, deltas, variables }: Slots,
  ) {
    const starts = slots.map((slot) => slot[0].first);
    starts.push(variables - deltas);
    this.tops = new Int32Array(size);
    for (const [i, start] of starts.entries()) {
      this.tops.fill(starts[Math.max(0, i - 1)], start, starts[i + 1] ?? variables);
    }
    this.indptr = new Int32Array(size + 1);
    for (let j = 0; j < size; j++) this.indptr[j + 1] = this.indptr[j] + j - this.tops[j] + 1;
    this.indices = new Int32Array(this.indptr[size]);
    for (let j = 0; j < size; j++) {
      for (let i = this.tops[j], p = this.indptr[j]; i <= j; i++, p++) this.indices[p] = i;
    }
  }
}

/** Upper triangle of a normal matrix from entries that may be given for both triangles. */
class NormalEntries {
  private readonly values: Float64Array;

  constructor(private readonly pattern: NormalPattern) {
    this.values = new Float64Array(pattern.indices.length);
  }

  /** An entry that the caller gives for (i, j) and for (j, i). */
  add(i: number, j: number, value: number): void {
    const { indptr, tops } = this.pattern;
    if (i <= j) this.values[indptr[j] + i - tops[j]] += value;
  }

  /** An entry that the caller gives once for both places. */
  addBoth(i: number, j: number, value: number): void {
    this.add(Math.min(i, j), Math.max(i, j), value);
  }

  matrix(): sparse.SparseMatrix {
    const { size, indptr, indices } = this.pattern;
    return new sparse.CscMatrix(size, size, indptr, indices, this.values, false);
  }
}

/** Adds `sign <E, X F X^T>` for the bases E of the blocks on the left and F of those on the right. */
function addPairs(
  entries: NormalEntries,
  left: readonly SlotBlock[],
  right: readonly SlotBlock[],
  X: Matrix,
  sign: number,
): void {
  for (const [a, one] of left.entries()) {
    for (const other of left === right ? right.slice(0, a + 1) : right) {
      const block = subBlock(X, one.start, one.size, other.start, other.size);
      for (const [k, E] of one.bases.entries()) {
        for (const [j, F] of other.bases.entries()) {
          const value = sign * congruenceInner(E, block, F, one.size, other.size);
          if (one === other) entries.add(one.first + k, other.first + j, value);
          else entries.addBoth(one.first + k, other.first + j, value);
        }
      }
    }
  }
}

function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

/** <E, G F G^T> for E `[p, p]`, G `[p, q]`, F `[q, q]`. */
function congruenceInner(E: Float64Array, G: Float64Array, F: Float64Array, p: number, q: number): number {
  let sum = 0;
  for (let i = 0; i < p; i++) {
    for (let l = 0; l < q; l++) {
      let left = 0;
      let right = 0;
      for (let k = 0; k < p; k++) left += E[i * p + k] * G[k * q + l];
      for (let k = 0; k < q; k++) right += G[i * q + k] * F[k * q + l];
      sum += left * right;
    }
  }
  return sum;
}

function subBlock(a: Matrix, top: number, rows: number, left: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[i * columns + j] = a.values[(top + i) * a.columns + left + j];
  }
  return out;
}

/** Diagonal block (start, size) of P W^T. */
function rowBlockProduct(P: Matrix, W: Matrix, start: number, size: number): Float64Array {
  const out = new Float64Array(size * size);
  const { columns } = W;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let sum = 0;
      const left = (start + i) * P.columns;
      const right = (start + j) * columns;
      for (let k = 0; k < columns; k++) sum += P.values[left + k] * W.values[right + k];
      out[i * size + j] = sum;
    }
  }
  return out;
}

function blockInner(Y: Matrix, start: number, size: number, basis: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) sum += basis[i * size + j] * Y.values[(start + i) * Y.columns + start + j];
  }
  return sum;
}

/** Adds `factor basis` as a diagonal block to a matrix in svec form. */
function addBlock(
  out: Float64Array,
  offset: number,
  order: number,
  start: number,
  size: number,
  basis: Float64Array,
  factor: number,
): void {
  for (let j = 0; j < size; j++) {
    const column = start + j;
    const base = offset + column * order - (column * (column - 1)) / 2;
    out[base] += factor * basis[j * (size + 1)];
    for (let i = j + 1; i < size; i++) out[base + i - j] += Math.SQRT2 * factor * basis[i * size + j];
  }
}

/** @internal `factor svec` of the symmetric part of a matrix, from an offset on. */
export function writeSvec(a: Matrix, out: Float64Array, offset: number, factor: number): void {
  const n = a.rows;
  for (let j = 0, k = offset; j < n; j++) {
    out[k++] = factor * a.values[j * (n + 1)];
    for (let i = j + 1; i < n; i++) out[k++] = factor * Math.SQRT1_2 * (a.values[i * n + j] + a.values[j * n + i]);
  }
}

/** @internal `smat` from an offset. */
export function readSvec(y: Float64Array, offset: number, n: number): Matrix {
  const out = matrix(n, n);
  for (let j = 0, k = offset; j < n; j++) {
    out.values[j * (n + 1)] = y[k++];
    for (let i = j + 1; i < n; i++) {
      const value = y[k++] * Math.SQRT1_2;
      out.values[i * n + j] = value;
      out.values[j * n + i] = value;
    }
  }
  return out;
}
