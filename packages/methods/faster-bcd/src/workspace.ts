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

  constructor(
    readonly objective: BlockObjective,
    readonly separable: Separable,
    readonly state: SmoothState,
    /** L_i, positive; with `estimated` these are estimates, which updates may raise. */
    readonly lipschitz: Float64Array,
    readonly estimated: boolean,
    settings: { sufficientDecrease: number; seed: number | string },
  ) {
    this.n = objective.n;
    this.sufficientDecrease = settings.sufficientDecrease;
    this.seed = settings.seed;
    const most = lipschitz.reduce((a, b) => Math.max(a, b), 0);
    this.bounds = new BlockBounds(objective, lipschitz, 1e-12 * (most || 1));
  }

  /** L_b, or its present estimate. */
  blockConstant(block: Int32Array, id: number): number {
    if (!this.estimated) return this.bounds.of(block, id).constant;
    let most = 0;
    for (const i of block) most = Math.max(most, this.lipschitz[i]);
    return most;
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
