import type { sparse } from "@offprint/tensor-core";
import { BlockBounds } from "./block-bounds.js";
import type { BlockObjective } from "./block-objective.js";
import type { ThresholdingModel } from "./hard-thresholding.js";
import { numbersFrom } from "./objectives/callback-state.js";
import type { Separable } from "./separable.js";
import type { SmoothState } from "./smooth-state.js";

/** What rules and updates of one run share. */
export class Workspace {
  readonly n: number;
  /** Blocks that stay the same; empty where they are chosen anew. */
  fixed: readonly Int32Array[] = [];
  readonly bounds: BlockBounds;
  readonly sufficientDecrease: number;
  readonly seed: number | string;
  /** `[n]` whether L_i is a first guess, which no step has tried; none where the L_i are not estimated by steps. */
  readonly guessed: Uint8Array | undefined;

  constructor(
    readonly objective: BlockObjective,
    readonly separable: Separable,
    readonly state: SmoothState,
    /** L_i, positive; with `estimated` these are estimates, which updates may change. */
    readonly lipschitz: Float64Array,
    readonly estimated: boolean,
    settings: { sufficientDecrease: number; seed: number | string; guessed?: Uint8Array },
  ) {
    this.n = objective.n;
    this.sufficientDecrease = settings.sufficientDecrease;
    this.seed = settings.seed;
    this.guessed = settings.guessed;
    const most = lipschitz.reduce((a, b) => Math.max(a, b), 0);
    this.bounds = new BlockBounds(objective, lipschitz, 1e-12 * (most || 1));
  }

  /** L_b, or its present estimate: the largest in the block, of those that a step has tried where there are some. */
  blockConstant(block: Int32Array, id: number): number {
    if (!this.estimated) return this.bounds.of(block, id).constant;
    let most = 0;
    let guess = 0;
    for (const i of block) {
      if (this.guessed?.[i] === 1) guess = Math.max(guess, this.lipschitz[i]);
      else most = Math.max(most, this.lipschitz[i]);
    }
    return most || guess;
  }

  /** Whether no step has tried any L_i of a block. */
  isGuess(block: Int32Array): boolean {
    const { guessed } = this;
    return guessed !== undefined && block.every((i) => guessed[i] === 1);
  }

  /** Keeps an estimate of L_b; the first one is the guess for all others. */
  estimate(block: Int32Array, L: number): void {
    const { guessed, lipschitz } = this;
    if (guessed?.every((guess) => guess === 1)) lipschitz.fill(L);
    for (const i of block) {
      lipschitz[i] = L;
      if (guessed) guessed[i] = 0;
    }
  }

  /** `[n]` sums over j of |H_ij|, positive. */
  absoluteRowSums(): Float64Array {
    const sums = numbersFrom("absoluteRowSums", this.objective.absoluteRowSums?.() ?? [], this.n);
    return sums.map((sum, i) => Math.max(sum, this.lipschitz[i]));
  }

  /** The quadratic model of f for thresholding. */
  thresholdingModel(): ThresholdingModel {
    const { objective, lipschitz, state } = this;
    const boundTimes: ThresholdingModel["boundTimes"] = (block, d, out) => objective.boundTimes?.(block, d, out);
    return {
      lipschitz,
      blockBound: (block) => this.bounds.of(block, -1).matrix,
      boundTimes: (block, d, out) => (state.boundTimes ? state.boundTimes(block, d, out) : boundTimes(block, d, out)),
      wholeBoundTimes: boundTimes,
    };
  }

  /** The sparse matrix whose pattern is the dependency graph. */
  graph(): sparse.CsrMatrix {
    return (this.objective.sparseBound as NonNullable<typeof this.objective.sparseBound>)();
  }

  /** The largest difference in F that rounding alone can make. */
  rounding(): number {
    return 1e-15 * Math.abs(this.state.value) + Number.MIN_VALUE;
  }
}
