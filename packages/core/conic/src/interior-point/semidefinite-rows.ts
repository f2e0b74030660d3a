import { matmul, type sparse, type Tensor, tensor } from "@offprint/tensor-core";
import { type ConeBlock, svecLength } from "../cones.js";
import type { RowGroup, SymmetricTarget } from "./normal-matrix.js";
import { rowBlock } from "./row-block.js";
import { addGram } from "./second-order-rows.js";
import type { SemidefiniteScaling } from "./semidefinite-scaling.js";

/** One matrix F_j by its lower triangle. */
interface SparseSymmetric {
  readonly variable: number;
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/** A multiplication of a matrix product costs this much of one in a loop over entries. */
const PRODUCT_COST = 1 / 8;

/**
 * @internal Rows of one semidefinite cone: the entries tr(F_i G F_j G) with G = (r r^T)^-1. Between matrices with few
 * entries they are sums over these; the others are scaled to r^-1 F r^-T, of which inner products are taken (Fujisawa,
 * Kojima and Nakata, "Exploiting sparsity in primal-dual interior-point methods for semidefinite programming", 1997).
 */
export class SemidefiniteRows implements RowGroup {
  readonly cliques: readonly (readonly number[])[];
  private readonly few: SparseSymmetric[];
  private readonly many: SparseSymmetric[];
  private readonly order: number;
  /** The matrices with many entries, one below the other: `[many * order, order]`. */
  private readonly stack: Tensor | undefined;

  constructor(
    rows: sparse.CsrMatrix,
    block: ConeBlock,
    private readonly scaling: SemidefiniteScaling,
    private readonly index: number,
  ) {
    const { columns, entries } = rowBlock(rows, block);
    this.cliques = [columns];
    this.order = block.order;
    const places = svecPlaces(block.order);
    const matrices = entries.map((entry, k) => readMatrix(columns[k], entry, places));
    const limit = cheapestLimit(matrices, block.order);
    this.few = matrices.filter(({ values }) => values.length <= limit);
    this.many = matrices.filter(({ values }) => values.length > limit);
    this.stack = this.many.length === 0 ? undefined : stacked(this.many, block.order);
  }

  addTo(target: SymmetricTarget): void {
    const { order, few, many, stack } = this;
    const size = order * order;
    const own = (batch: Tensor): Float64Array =>
      (batch.data() as Float64Array).subarray(this.index * size, (this.index + 1) * size);
    const g = own(this.scaling.metric);
    for (const [a, F] of few.entries()) {
      for (let b = 0; b <= a; b++) target.add(F.variable, few[b].variable, sparseEntry(F, few[b], g, order));
    }
    if (stack === undefined) return;
    const rInverse = tensor(own(this.scaling.rInverse), { shape: [order, order] });
    const root = rInverse.transpose();
    const count = many.length;
    // F r^-T for all F; the transposed blocks times r^-T are (r^-1 F r^-T)^T, which is symmetric.
    const half = matmul(stack, root).reshape([count, order, order]).transpose([0, 2, 1]);
    const scaled = matmul(half.reshape([count * order, order]), root);
    const variables = many.map(({ variable }) => variable);
    addGram(packed(scaled.data() as Float64Array, count, order), variables, svecLength(order), target);
    if (few.length === 0) return;
    // G F G for all F.
    const back = matmul(scaled, rInverse).reshape([count, order, order]).transpose([0, 2, 1]);
    const full = matmul(back.reshape([count * order, order]), rInverse).data() as Float64Array;
    for (const [k, { variable }] of many.entries()) {
      const offset = k * order * order;
      for (const F of few) target.add(variable, F.variable, innerProduct(F, full, offset, order));
    }
  }
}

/** tr(E G F G) from the lower triangles of E and F. */
function sparseEntry(E: SparseSymmetric, F: SparseSymmetric, g: Float64Array, n: number): number {
  let sum = 0;
  for (let p = 0; p < E.values.length; p++) {
    const [a, b] = [E.rows[p] * n, E.columns[p] * n];
    const left = a === b ? E.values[p] : 2 * E.values[p];
    for (let q = 0; q < F.values.length; q++) {
      const [c, d] = [F.rows[q], F.columns[q]];
      if (c === d) sum += left * F.values[q] * g[a + c] * g[b + c];
      else sum += left * F.values[q] * (g[a + c] * g[b + d] + g[a + d] * g[b + c]);
    }
  }
  return sum;
}

function innerProduct(F: SparseSymmetric, full: Float64Array, offset: number, n: number): number {
  let sum = 0;
  for (let p = 0; p < F.values.length; p++) {
    const [a, b] = [F.rows[p], F.columns[p]];
    sum += F.values[p] * (full[offset + a * n + b] + (a === b ? 0 : full[offset + b * n + a]));
  }
  return sum;
}

/** The number of entries up to which matrices count as sparse: none, the order, or all, whichever costs least. */
function cheapestLimit(matrices: readonly SparseSymmetric[], n: number): number {
  const cost = (limit: number): number => {
    let [many, entries] = [0, 0];
    for (const { values } of matrices) {
      if (values.length > limit) many++;
      else entries += values.length;
    }
    const scaled = many * n ** 3 * (entries > 0 ? 4 : 2) + many * many * n * n * 0.5;
    return PRODUCT_COST * scaled + 2 * many * entries + 2 * entries * entries;
  };
  return [Infinity, n, 0].reduce((best, limit) => (cost(limit) < cost(best) ? limit : best));
}

function svecPlaces(n: number): { rows: Int32Array; columns: Int32Array } {
  const rows = new Int32Array(svecLength(n));
  const columns = new Int32Array(rows.length);
  for (let j = 0, k = 0; j < n; j++) {
    for (let i = j; i < n; i++, k++) {
      rows[k] = i;
      columns[k] = j;
    }
  }
  return { rows, columns };
}

function readMatrix(
  variable: number,
  entry: { readonly rows: readonly number[]; readonly values: readonly number[] },
  places: { rows: Int32Array; columns: Int32Array },
): SparseSymmetric {
  const rows = Int32Array.from(entry.rows, (k) => places.rows[k]);
  const columns = Int32Array.from(entry.rows, (k) => places.columns[k]);
  const values = Float64Array.from(entry.values, (value, p) => (rows[p] === columns[p] ? value : value * Math.SQRT1_2));
  return { variable, rows, columns, values };
}

function stacked(matrices: readonly SparseSymmetric[], n: number): Tensor {
  const out = new Float64Array(matrices.length * n * n);
  for (const [k, { rows, columns, values }] of matrices.entries()) {
    for (let p = 0; p < values.length; p++) {
      out[(k * n + rows[p]) * n + columns[p]] = values[p];
      out[(k * n + columns[p]) * n + rows[p]] = values[p];
    }
  }
  return tensor(out, { shape: [matrices.length * n, n] });
}

/** svec of the lower triangles of matrices `[count, n, n]`. */
function packed(matrices: Float64Array, count: number, n: number): Float64Array {
  const out = new Float64Array(count * svecLength(n));
  for (let c = 0, k = 0; c < count; c++) {
    const offset = c * n * n;
    for (let j = 0; j < n; j++) {
      out[k++] = matrices[offset + j * n + j];
      for (let i = j + 1; i < n; i++) out[k++] = Math.SQRT2 * matrices[offset + i * n + j];
    }
  }
  return out;
}
