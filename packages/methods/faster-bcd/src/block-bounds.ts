import { dot, type Factor, factor, largestEigenvalue } from "./block-matrix.js";
import type { BlockObjective } from "./block-objective.js";
import { numbersFrom } from "./objectives/callback-state.js";

/** H_b of a block, and what rules and updates take from it; each computed once. */
export class BlockBound {
  #constant: number | undefined;
  #factor: Factor | undefined;
  #rowSums: Float64Array | undefined;

  constructor(
    /** `[t * t]` */
    readonly matrix: Float64Array,
    readonly size: number,
    /** The least that counts as curvature. */
    private readonly floor: number,
  ) {}

  /** L_b, the largest eigenvalue. */
  get constant(): number {
    this.#constant ??= Math.max(this.floor, largestEigenvalue(this.matrix, this.size));
    return this.#constant;
  }

  /** For H_b^-1. */
  get factor(): Factor {
    this.#factor ??= factor(this.matrix, this.size);
    return this.#factor;
  }

  /** D_i = sum over the block of |H_ij|: a diagonal matrix that is at least H_b. */
  get rowSums(): Float64Array {
    const { matrix, size: t, floor } = this;
    this.#rowSums ??= Float64Array.from({ length: t }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < t; j++) sum += Math.abs(matrix[i * t + j]);
      return Math.max(floor, sum);
    });
    return this.#rowSums;
  }

  /** g^T H_b^-1 g. */
  decrease(g: Float64Array): number {
    return dot(g, this.factor.solve(g));
  }
}

/** The bounds of the blocks of one problem; those of fixed blocks are kept. */
export class BlockBounds {
  readonly #known: (BlockBound | undefined)[] = [];

  constructor(
    private readonly objective: BlockObjective,
    /** `[n]` */
    private readonly lipschitz: Float64Array,
    private readonly floor: number,
  ) {}

  /** The bound of a block; `id` is its number among fixed blocks, or negative. */
  of(block: Int32Array, id: number): BlockBound {
    const known = id >= 0 ? this.#known[id] : undefined;
    if (known) return known;
    const bound = new BlockBound(this.#matrix(block), block.length, this.floor);
    if (id >= 0) this.#known[id] = bound;
    return bound;
  }

  #matrix(block: Int32Array): Float64Array {
    const t = block.length;
    if (this.objective.blockBound) return numbersFrom("blockBound", this.objective.blockBound(block), t * t);
    // Without H_b: its trace, which no eigenvalue exceeds.
    const matrix = new Float64Array(t * t);
    let trace = 0;
    for (const i of block) trace += this.lipschitz[i];
    for (let k = 0; k < t; k++) matrix[k * t + k] = trace;
    return matrix;
  }
}
