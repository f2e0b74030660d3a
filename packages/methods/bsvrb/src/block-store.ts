import type { Rate } from "@offprint/bilevel";
import { NonFiniteError, type Tensor, type TypedArray, tensor } from "@offprint/tensor-core";
import { DriftingRows, type GatheredRows } from "./drifting-rows.js";
import type { TrackedHessian } from "./hessian-iteration.js";
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
  /** H_i at this iteration and at the one before, in version 1: what is kept itself, until it is put back. */
  readonly hessians: readonly TrackedHessian[] | undefined;
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
    const { hessians } = this;
    if (hessians === undefined) return { ...rows, hessians };
    const size = this.problem.width ** 2;
    const { lastBlocks, lastValues } = this.last;
    const tracked = Array.from(blocks, (block) => {
      const now = part(hessians.values, block, size);
      const at = lastBlocks.indexOf(block);
      return { now, before: at < 0 ? now : part(lastValues, at, size) };
    });
    return { ...rows, hessians: tracked };
  }

  /**
   * The new estimates of the sampled blocks, and everybody's step.
   * @throws NonFiniteError, with nothing changed, where an estimate is not finite.
   */
  put(
    blocks: ArrayLike<number>,
    iteration: number,
    gathered: GatheredBlocks,
    next: { readonly s: TypedArray; readonly tracked: TypedArray },
  ): void {
    requireFiniteRows(blocks, next.s, "gradient");
    requireFiniteRows(blocks, next.tracked, this.v === undefined ? "second derivatives" : "linear system");
    this.y.put(blocks, gathered.y.now, next.s);
    if (gathered.v !== undefined) this.v?.put(blocks, gathered.v.now, next.tracked);
    if (gathered.hessians !== undefined && this.hessians !== undefined) {
      const size = this.problem.width ** 2;
      const lastValues = new Float64Array(blocks.length * size);
      for (const [k, { now }] of gathered.hessians.entries()) {
        const found = part(next.tracked, k, size);
        // What a block without estimates was looked at with is what it has now.
        lastValues.set(gathered.first[k] ? found : now, k * size);
        now.set(found);
      }
      this.last = { lastBlocks: Int32Array.from(blocks), lastValues };
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

  /** The y_i of all blocks at the beginning of an iteration, `[m, d]`. */
  lowerRows(iteration: number): Tensor {
    return this.allRows(this.y, iteration);
  }

  /** What is kept of all blocks at the end of a run, whose Hessians are handed over: nothing may be put afterwards. */
  finalRows(iteration: number): { y: Tensor; v?: Tensor; hessians?: Tensor } {
    const { count, width, initial } = this.problem;
    return {
      y: this.lowerRows(iteration),
      ...(this.v !== undefined && { v: this.allRows(this.v, iteration) }),
      ...(this.hessians !== undefined && {
        hessians: tensor(this.hessians.values, { dtype: initial.y.dtype }).reshape([count, width, width]),
      }),
    };
  }

  private allRows(rows: DriftingRows, iteration: number): Tensor {
    const { count, width, initial } = this.problem;
    const { now } = rows.gather(Int32Array.from(this.touched.keys()), iteration);
    return tensor(now, { dtype: initial.y.dtype }).reshape([count, width]);
  }
}

function part<A extends TypedArray>(values: A, index: number, size: number): A {
  return values.subarray(index * size, (index + 1) * size) as A;
}

function requireFiniteRows(blocks: ArrayLike<number>, values: ArrayLike<number>, what: string): void {
  const size = values.length / blocks.length;
  for (let i = 0; i < values.length; i++) {
    if (values[i] - values[i] === 0) continue;
    throw new NonFiniteError(
      `the estimate of the ${what} of block ${blocks[Math.floor(i / size)]} became ${values[i]}: the iteration diverged and ` +
        "was not made; take smaller steps of the lower variables",
    );
  }
}
