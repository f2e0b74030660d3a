import type { sparse, Tensor } from "@offprint/tensor-core";
import { congruence } from "@offprint/tensor-core/internal";
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
  /** Those with many entries as `[order, order]`. */
  private readonly full: readonly Float64Array[];
  /** svec of these, scaled, `[many, svecLength(order)]`; one of them scaled, and scaled again. */
  private readonly packed: Float64Array;
  private readonly scaled: Float64Array;
  private readonly back: Float64Array;

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
    this.full = this.many.map((F) => fullMatrix(F, block.order));
    this.packed = new Float64Array(this.many.length * svecLength(block.order));
    this.scaled = new Float64Array(this.many.length === 0 ? 0 : block.order ** 2);
    this.back = this.scaled.slice();
  }

  addTo(target: SymmetricTarget): void {
    const { order, few, many, full, packed, scaled, back } = this;
    const start = this.index * order * order;
    const own = (batch: Tensor): Float64Array => batch.data() as Float64Array;
    const g = own(this.scaling.metric).subarray(start, start + order * order);
    for (const [a, F] of few.entries()) {
      for (let b = 0; b <= a; b++) target.add(F.variable, few[b].variable, sparseEntry(F, few[b], g, order));
    }
    if (many.length === 0) return;
    const rInverse = own(this.scaling.rInverse);
    for (const [k, { variable }] of many.entries()) {
      congruence(rInverse, start, false, full[k], order, scaled);
      pack(scaled, order, packed, k * svecLength(order));
      if (few.length === 0) continue;
      // G F G
      congruence(rInverse, start, true, scaled, order, back);
      for (const E of few) target.add(variable, E.variable, innerProduct(E, back, order));
    }
    const variables = many.map(({ variable }) => variable);
    addGram(packed, variables, svecLength(order), target);
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

function innerProduct(F: SparseSymmetric, full: Float64Array, n: number): number {
  let sum = 0;
  for (let p = 0; p < F.values.length; p++) {
    const [a, b] = [F.rows[p], F.columns[p]];
    sum += F.values[p] * (full[a * n + b] + (a === b ? 0 : full[b * n + a]));
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
  const count = entry.rows.length;
  const [rows, columns, values] = [new Int32Array(count), new Int32Array(count), new Float64Array(count)];
  for (let p = 0; p < count; p++) {
    rows[p] = places.rows[entry.rows[p]];
    columns[p] = places.columns[entry.rows[p]];
    values[p] = rows[p] === columns[p] ? entry.values[p] : entry.values[p] * Math.SQRT1_2;
  }
  return { variable, rows, columns, values };
}

function fullMatrix({ rows, columns, values }: SparseSymmetric, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let p = 0; p < values.length; p++) {
    out[rows[p] * n + columns[p]] = values[p];
    out[columns[p] * n + rows[p]] = values[p];
  }
  return out;
}

/** svec of a matrix that is symmetric to rounding, into `out` from `k` on. */
function pack(matrix: Float64Array, n: number, out: Float64Array, k: number): void {
  for (let j = 0; j < n; j++) {
    out[k++] = matrix[j * n + j];
    for (let i = j + 1; i < n; i++) out[k++] = Math.SQRT2 * matrix[j * n + i];
  }
}
