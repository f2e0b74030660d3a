import { ShapeError } from "../errors.js";
import { add } from "./arithmetic.js";
import { DegreeLists, NONE } from "./degree-lists.js";
import { requireSparse } from "./operands.js";
import { type SparseMatrix, toCsr, transpose } from "./sparse-matrix.js";

/**
 * Fill-reducing order for a symmetric factorisation of the pattern of `a + transpose(a)`: entry `k` is the row that is
 * eliminated in step `k`.
 *
 * Approximate minimum degree (Amestoy, Davis and Duff 1996): the graph of the remaining matrix is kept as a quotient
 * graph of variables and elements (cliques left by eliminated rows), with element absorption, mass elimination,
 * indistinguishable variables merged, and an upper bound in place of the exact degree.
 *
 * @throws ShapeError if `a` is not square.
 */
export function approximateMinimumDegree(a: SparseMatrix): Int32Array {
  requireSparse("approximateMinimumDegree", a);
  if (a.rows !== a.columns) throw new ShapeError(`approximateMinimumDegree: a must be square, got [${a.shape}]`);
  const parts = minimumDegreeOrder(a);
  for (;;) {
    const { done, value } = parts.next();
    if (done === true) return value;
  }
}

/** @internal {@link approximateMinimumDegree} of a square matrix in parts, a pivot or so each. */
export function* minimumDegreeOrder(a: SparseMatrix): Generator<undefined, Int32Array, undefined> {
  const symmetric = add(toCsr(a), toCsr(transpose(a)));
  yield;
  const start = new Int32Array(a.rows + 1);
  const neighbours = new Int32Array(symmetric.entries);
  let used = 0;
  for (let i = 0; i < a.rows; i++) {
    for (let p = symmetric.indptr[i]; p < symmetric.indptr[i + 1]; p++) {
      if (symmetric.indices[p] !== i) neighbours[used++] = symmetric.indices[p];
    }
    start[i + 1] = used;
  }
  yield;
  return yield* new QuotientGraph(a.rows, start, neighbours).ordering();
}

class QuotientGraph {
  private readonly n: number;
  /** List of variable `i`: `elementCount[i]` elements, then variables, `length[i]` entries in all from `start[i]`. */
  private readonly start: Int32Array;
  private readonly lists: Int32Array;
  private readonly length: Int32Array;
  private readonly elementCount: Int32Array;
  /** Rows merged into variable `i`; 0 when it is gone, negative while it belongs to the element being formed. */
  private readonly weight: Int32Array;
  private readonly degree: Int32Array;
  /** Variables of element `e`. */
  private readonly members: (Int32Array | undefined)[];
  /** 0 for an absorbed element; `stamp` or more once its variables outside the new element are counted. */
  private readonly outside: Float64Array;
  private stamp = 2;
  /** Chains of rows that a variable stands for. */
  private readonly chainNext: Int32Array;
  private readonly chainLast: Int32Array;
  private readonly degrees: DegreeLists;
  private readonly scratch: Int32Array;
  private scratchCount = 0;
  private readonly hash: Int32Array;
  private readonly bucketHead: Int32Array;
  private readonly bucketNext: Int32Array;
  private readonly seen: Int32Array;
  private seenStamp = 0;
  private eliminated = 0;

  constructor(n: number, start: Int32Array, neighbours: Int32Array) {
    this.n = n;
    this.start = start;
    this.lists = neighbours;
    this.length = Int32Array.from({ length: n }, (_, i) => start[i + 1] - start[i]);
    this.elementCount = new Int32Array(n);
    this.weight = new Int32Array(n).fill(1);
    this.degree = this.length.slice();
    this.members = new Array<Int32Array | undefined>(n).fill(undefined);
    this.outside = new Float64Array(n);
    this.chainNext = new Int32Array(n).fill(NONE);
    this.chainLast = Int32Array.from({ length: n }, (_, i) => i);
    this.degrees = new DegreeLists(n);
    this.scratch = new Int32Array(n);
    this.hash = new Int32Array(n);
    this.bucketHead = new Int32Array(n).fill(NONE);
    this.bucketNext = new Int32Array(n).fill(NONE);
    this.seen = new Int32Array(n);
  }

  *ordering(): Generator<undefined, Int32Array, undefined> {
    const pivots: number[] = [];
    const postponed: number[] = [];
    // Nearly dense rows would make every degree update slow and come last anyway.
    const dense = Math.max(16, 10 * Math.sqrt(this.n));
    for (let i = 0; i < this.n; i++) {
      if (this.length[i] > dense) {
        this.weight[i] = 0;
        this.eliminated++;
        postponed.push(i);
      } else {
        this.degrees.insert(i, this.length[i]);
      }
    }
    while (this.eliminated < this.n) {
      const pivot = this.degrees.takeLeast();
      this.eliminate(pivot);
      pivots.push(pivot);
      yield;
    }
    const result = new Int32Array(this.n);
    let used = 0;
    for (const first of [...pivots, ...postponed]) {
      for (let i = first; i !== NONE; i = this.chainNext[i]) result[used++] = i;
    }
    return result;
  }

  private eliminate(pivot: number): void {
    const memberWeight = this.formElement(pivot);
    this.countOutside();
    const remaining = this.updateDegrees(pivot, memberWeight);
    this.stamp += this.n + 1;
    this.mergeIndistinguishable();
    this.finishElement(pivot, remaining);
  }

  /** Gathers the variables adjacent to `pivot`, directly or through an element, and absorbs those elements. */
  private formElement(pivot: number): number {
    this.scratchCount = 0;
    this.eliminated += this.weight[pivot];
    this.weight[pivot] = -this.weight[pivot];
    let total = 0;
    const first = this.start[pivot];
    for (let p = first; p < first + this.elementCount[pivot]; p++) {
      const e = this.lists[p];
      for (const i of this.members[e] as Int32Array) total += this.join(i);
      this.absorb(e);
    }
    for (let p = first + this.elementCount[pivot]; p < first + this.length[pivot]; p++)
      total += this.join(this.lists[p]);
    return total;
  }

  private join(i: number): number {
    const weight = this.weight[i];
    if (weight <= 0) return 0;
    this.weight[i] = -weight;
    this.scratch[this.scratchCount++] = i;
    this.degrees.remove(i);
    return weight;
  }

  private absorb(e: number): void {
    this.outside[e] = 0;
    this.members[e] = undefined;
  }

  /** For each older element that touches the new one: `stamp` plus the weight of its variables outside the new one. */
  private countOutside(): void {
    for (let k = 0; k < this.scratchCount; k++) {
      const i = this.scratch[k];
      const weight = -this.weight[i];
      const first = this.start[i];
      for (let p = first; p < first + this.elementCount[i]; p++) {
        const e = this.lists[p];
        if (this.outside[e] >= this.stamp) this.outside[e] -= weight;
        else if (this.outside[e] !== 0) this.outside[e] = this.degree[e] + this.stamp - weight;
      }
    }
  }

  /** Compresses the list of every variable of the new element and bounds its degree outside the element. */
  private updateDegrees(pivot: number, memberWeight: number): number {
    let remaining = memberWeight;
    for (let k = 0; k < this.scratchCount; k++) {
      const i = this.scratch[k];
      const external = this.compressList(i, pivot);
      if (external > 0) {
        this.degree[i] = Math.min(this.degree[i], external);
        continue;
      }
      // No neighbour outside: i is eliminated together with the pivot.
      const weight = -this.weight[i];
      remaining -= weight;
      this.eliminated += weight;
      this.appendChain(pivot, i);
    }
    return remaining;
  }

  /** Drops dead entries from the list of `i`, puts `pivot` in front as an element; returns the external degree bound. */
  private compressList(i: number, pivot: number): number {
    const { lists } = this;
    const first = this.start[i];
    const firstVariable = first + this.elementCount[i];
    const end = first + this.length[i];
    let external = 0;
    let hash = pivot;
    let used = first;
    for (let p = first; p < firstVariable; p++) {
      const e = lists[p];
      if (this.outside[e] === 0) continue;
      const beyond = this.outside[e] - this.stamp;
      if (beyond > 0) {
        external += beyond;
        hash += e;
        lists[used++] = e;
      } else {
        this.absorb(e);
      }
    }
    const elementEnd = used;
    for (let p = firstVariable; p < end; p++) {
      const j = lists[p];
      if (this.weight[j] <= 0) continue;
      external += this.weight[j];
      hash += j;
      lists[used++] = j;
    }
    // Room for the pivot: at least one entry (itself or an absorbed element) has just gone.
    if (used > elementEnd) lists[used] = lists[elementEnd];
    if (elementEnd > first) lists[elementEnd] = lists[first];
    lists[first] = pivot;
    this.elementCount[i] = elementEnd - first + 1;
    this.length[i] = used - first + 1;
    this.hash[i] = hash % this.n;
    return external;
  }

  private appendChain(to: number, from: number): void {
    this.weight[from] = 0;
    this.chainNext[this.chainLast[to]] = from;
    this.chainLast[to] = this.chainLast[from];
  }

  /** Merges variables of the new element with the same neighbours: they stay alike to the end. */
  private mergeIndistinguishable(): void {
    for (let k = 0; k < this.scratchCount; k++) {
      const i = this.scratch[k];
      if (this.weight[i] === 0) continue;
      this.bucketNext[i] = this.bucketHead[this.hash[i]];
      this.bucketHead[this.hash[i]] = i;
    }
    for (let k = 0; k < this.scratchCount; k++) {
      const bucket = this.hash[this.scratch[k]];
      let i = this.bucketHead[bucket];
      this.bucketHead[bucket] = NONE;
      for (; i !== NONE; i = this.bucketNext[i]) this.mergeFollowers(i);
    }
  }

  private mergeFollowers(i: number): void {
    if (this.bucketNext[i] === NONE) return;
    const stamp = ++this.seenStamp;
    const end = this.start[i] + this.length[i];
    for (let p = this.start[i] + 1; p < end; p++) this.seen[this.lists[p]] = stamp;
    let before = i;
    for (let j = this.bucketNext[i]; j !== NONE; j = this.bucketNext[j]) {
      if (this.sameLists(i, j, stamp)) {
        this.weight[i] += this.weight[j];
        this.appendChain(i, j);
        this.bucketNext[before] = this.bucketNext[j];
      } else {
        before = j;
      }
    }
  }

  private sameLists(i: number, j: number, stamp: number): boolean {
    if (this.length[i] !== this.length[j] || this.elementCount[i] !== this.elementCount[j]) return false;
    const end = this.start[j] + this.length[j];
    for (let p = this.start[j] + 1; p < end; p++) if (this.seen[this.lists[p]] !== stamp) return false;
    return true;
  }

  /** Stores what is left of the new element and returns its variables to the degree lists. */
  private finishElement(pivot: number, remaining: number): void {
    let used = 0;
    for (let k = 0; k < this.scratchCount; k++) {
      const i = this.scratch[k];
      const weight = -this.weight[i];
      if (weight === 0) continue;
      this.weight[i] = weight;
      const bound = Math.min(this.degree[i] + remaining - weight, this.n - this.eliminated - weight);
      this.degree[i] = bound;
      this.degrees.insert(i, bound);
      this.scratch[used++] = i;
    }
    this.weight[pivot] = 0;
    this.degree[pivot] = remaining;
    this.outside[pivot] = used > 0 ? 1 : 0;
    this.members[pivot] = used > 0 ? this.scratch.slice(0, used) : undefined;
  }
}
