import type { Rate } from "@offprint/bilevel";
import { NonFiniteError, type Tensor, tensor } from "@offprint/tensor-core";
import { DriftingRows, type GatheredRows } from "./drifting-rows.js";
import type { BsvrbPoint, BsvrbSettings, HessianState } from "./options.js";

/** The steps of the rows. */
export interface RowSteps {
  /** tau */
  readonly lower: Rate;
  /** tau_v */
  readonly linear: Rate;
}

/** What is kept of some blocks, at the beginning of an iteration. */
export interface GatheredBlocks {
  /** y_i and s_i. */
  readonly y: GatheredRows;
  /** v_i and u_i, in version 2. */
  readonly v: GatheredRows | undefined;
  /** H_i at this iteration and at the one before, in version 1. */
  readonly h: { readonly now: Float64Array; readonly before: Float64Array } | undefined;
  /** Whether a block has no estimates yet. */
  readonly first: boolean[];
}

/** What is kept of all blocks, changed in place by the blocks that an iteration samples. */
export class BlockStore {
  private readonly touched: Int32Array;
  private readonly known: Uint8Array;
  private readonly y: DriftingRows;
  private readonly v: DriftingRows | undefined;
  private readonly hessians: HessianState | undefined;
  private last: Pick<HessianState, "lastBlocks" | "lastValues">;

  constructor(
    private readonly problem: {
      readonly count: number;
      readonly width: number;
      readonly initial: { readonly y: Tensor };
    },
    { blockUpdates: moves, linearBound }: Pick<BsvrbSettings, "blockUpdates" | "linearBound">,
    steps: RowSteps,
    point: Pick<BsvrbPoint, "touched" | "known" | "y" | "v" | "hessians">,
  ) {
    const { width } = problem;
    this.touched = point.touched.slice();
    this.known = point.known.slice();
    const free = { width, moves, step: steps.lower, radius: Number.POSITIVE_INFINITY };
    this.y = new DriftingRows(free, this.touched, point.y);
    const bounded = { width, moves, step: steps.linear, radius: linearBound };
    this.v = point.v === null ? undefined : new DriftingRows(bounded, this.touched, point.v);
    this.hessians = point.hessians === null ? undefined : { ...point.hessians, values: point.hessians.values.slice() };
    this.last = point.hessians ?? { lastBlocks: new Int32Array(0), lastValues: new Float64Array(0) };
  }

  /** What is kept of some blocks. */
  gather(blocks: ArrayLike<number>, iteration: number): GatheredBlocks {
    const first = Array.from(blocks, (block) => this.known[block] === 0);
    const rows = { y: this.y.gather(blocks, iteration), v: this.v?.gather(blocks, iteration), first };
    if (this.hessians === undefined) return { ...rows, h: undefined };
    const size = this.problem.width ** 2;
    const now = new Float64Array(blocks.length * size);
    for (let k = 0; k < blocks.length; k++) now.set(part(this.hessians.values, blocks[k], size), k * size);
    const before = now.slice();
    const { lastBlocks, lastValues } = this.last;
    for (let k = 0; k < blocks.length; k++) {
      const at = lastBlocks.indexOf(blocks[k]);
      if (at >= 0) before.set(part(lastValues, at, size), k * size);
    }
    return { ...rows, h: { now, before } };
  }

  /**
   * The new estimates of the sampled blocks, and everybody's step.
   * @throws NonFiniteError, with nothing changed, where an estimate is not finite.
   */
  put(
    blocks: ArrayLike<number>,
    iteration: number,
    gathered: GatheredBlocks,
    next: { readonly s: ArrayLike<number>; readonly tracked: ArrayLike<number> },
  ): void {
    requireFiniteRows(blocks, next.s, "gradient");
    requireFiniteRows(blocks, next.tracked, this.v === undefined ? "second derivatives" : "linear system");
    this.y.put(blocks, gathered.y.now, next.s);
    if (gathered.v !== undefined) this.v?.put(blocks, gathered.v.now, next.tracked);
    if (gathered.h !== undefined && this.hessians !== undefined) {
      const size = this.problem.width ** 2;
      const tracked = Float64Array.from(next.tracked);
      const lastValues = gathered.h.now;
      // What a block without estimates was looked at with is what it has now.
      for (const [k, first] of gathered.first.entries()) if (first) lastValues.set(part(tracked, k, size), k * size);
      this.last = { lastBlocks: Int32Array.from(blocks), lastValues };
      for (let k = 0; k < blocks.length; k++) this.hessians.values.set(part(tracked, k, size), blocks[k] * size);
    }
    for (let k = 0; k < blocks.length; k++) {
      this.touched[blocks[k]] = iteration;
      this.known[blocks[k]] = 1;
    }
    this.y.advance(iteration);
    this.v?.advance(iteration);
  }

  /** A copy to be saved. */
  state(): Pick<BsvrbPoint, "touched" | "known" | "y" | "v" | "hessians"> {
    const { hessians, last } = this;
    return {
      ...{ touched: this.touched.slice(), known: this.known.slice(), y: this.y.state(), v: this.v?.state() ?? null },
      hessians: hessians === undefined ? null : { values: hessians.values.slice(), ...last },
    };
  }

  /** The rows of all blocks at the beginning of an iteration. */
  rows(iteration: number): { y: Tensor; v?: Tensor; hessians?: Tensor } {
    const { count, width, initial } = this.problem;
    const { dtype } = initial.y;
    const blocks = Int32Array.from(this.touched.keys());
    const all = (rows: DriftingRows) => tensor(rows.gather(blocks, iteration).now, { dtype }).reshape([count, width]);
    return {
      y: all(this.y),
      ...(this.v !== undefined && { v: all(this.v) }),
      ...(this.hessians !== undefined && {
        hessians: tensor(this.hessians.values.slice(), { dtype }).reshape([count, width, width]),
      }),
    };
  }
}

function part(values: Float64Array, index: number, size: number): Float64Array {
  return values.subarray(index * size, (index + 1) * size);
}

function requireFiniteRows(blocks: ArrayLike<number>, values: ArrayLike<number>, what: string): void {
  const size = values.length / blocks.length;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new NonFiniteError(
      `the estimate of the ${what} of block ${blocks[Math.floor(i / size)]} became ${values[i]}: the iteration diverged and ` +
        "was not made; take smaller steps of the lower variables",
    );
  }
}
