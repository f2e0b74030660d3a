import { lanczosEigenpairsSync } from "@offprint/solvers";
import { dot, factor } from "./block-matrix.js";
import { largest } from "./blocks/order.js";

/** The quadratic model whose best block is looked for. */
export interface ThresholdingModel {
  /** `[n]` */
  readonly lipschitz: Float64Array;
  /** H_b `[t * t]`. */
  blockBound(block: Int32Array): Float64Array;
  /** `out = H d` for d on a block. */
  boundTimes(block: Int32Array, d: Float64Array, out: Float64Array): void;
  /** The same for a d that is nowhere zero; default `boundTimes`. */
  wholeBoundTimes?: ThresholdingModel["boundTimes"];
}

const ROUNDS = 10;
const STILL = 1e-10;

/**
 * A block of `tau` variables with a large g_b^T H_b^-1 g_b, by iterative hard thresholding on the quadratic model. `plain`
 * thresholds gradient steps from the block of the rule gsd; `refined` works in the variables sqrt(L_i) d_i, solves on each
 * support before the next step, and keeps the best block that it saw, so that it never falls behind gsd.
 */
export class HardThresholding {
  readonly #scale: Float64Array;
  /** 1 / largest eigenvalue of the (scaled) model. */
  readonly #step: number;

  constructor(
    private readonly model: ThresholdingModel,
    private readonly kind: "refined" | "plain",
  ) {
    const { lipschitz } = model;
    this.#scale =
      kind === "refined" ? lipschitz.map((L) => 1 / Math.sqrt(L)) : new Float64Array(lipschitz.length).fill(1);
    this.#step = 1 / this.#largestEigenvalue();
  }

  /** The block for a gradient `[n]`. */
  block(g: Float64Array, tau: number): Int32Array {
    const { lipschitz } = this.model;
    const start = largest(
      g.map((v, i) => (v * v) / lipschitz[i]),
      tau,
    );
    return this.kind === "refined" ? this.#refined(g, start, tau) : this.#plain(g, start, tau);
  }

  #refined(g: Float64Array, start: Int32Array, tau: number): Int32Array {
    let block = start;
    let { d, score } = this.#solve(g, block);
    let best = { block, score };
    for (let round = 0; round < ROUNDS; round++) {
      const next = largest(this.#moved(g, block, d).map(Math.abs), tau);
      if (next.every((i, k) => i === block[k])) break;
      block = next;
      ({ d, score } = this.#solve(g, block));
      if (score > best.score) best = { block, score };
    }
    return best.block;
  }

  #plain(g: Float64Array, start: Int32Array, tau: number): Int32Array {
    let block = start;
    let { d } = this.#solve(g, block);
    for (let round = 0; round < ROUNDS; round++) {
      const u = this.#moved(g, block, d);
      const next = largest(u.map(Math.abs), tau);
      const nextD = Float64Array.from(next, (i) => u[i] * this.#scale[i]);
      const before = new Map(Array.from(block, (i, k) => [i, d[k]]));
      const now = new Map(Array.from(next, (i, k) => [i, nextD[k]]));
      let squared = 0;
      for (const i of new Set([...block, ...next])) squared += ((now.get(i) ?? 0) - (before.get(i) ?? 0)) ** 2;
      block = next;
      d = nextD;
      if (Math.sqrt(squared) < STILL) break;
    }
    return block;
  }

  /** d = -H_b^-1 g_b and the score g_b^T H_b^-1 g_b. */
  #solve(g: Float64Array, block: Int32Array): { d: Float64Array; score: number } {
    const gb = Float64Array.from(block, (i) => g[i]);
    const d = factor(this.model.blockBound(block), block.length).solve(gb.map((v) => -v));
    return { d, score: -dot(gb, d) };
  }

  /** u - (gradient of the model at u) / largest eigenvalue, in scaled variables. */
  #moved(g: Float64Array, block: Int32Array, d: Float64Array): Float64Array {
    const moved = new Float64Array(g.length);
    this.model.boundTimes(block, d, moved);
    for (let i = 0; i < g.length; i++) moved[i] = -this.#step * this.#scale[i] * (g[i] + moved[i]);
    for (let k = 0; k < block.length; k++) moved[block[k]] += d[k] / this.#scale[block[k]];
    return moved;
  }

  #largestEigenvalue(): number {
    const n = this.#scale.length;
    const all = Int32Array.from({ length: n }, (_, i) => i);
    const scaled = new Float64Array(n);
    const apply = (u: Float64Array, out: Float64Array): void => {
      for (let i = 0; i < n; i++) scaled[i] = u[i] * this.#scale[i];
      (this.model.wholeBoundTimes ?? this.model.boundTimes)(all, scaled, out);
      for (let i = 0; i < n; i++) out[i] *= this.#scale[i];
    };
    const { values, residuals } = lanczosEigenpairsSync(apply, n, { tolerance: 1e-4 });
    // An eigenvalue lies within its residual: rather above than below, so that no step is too long.
    return values[0] + residuals[0] || 1;
  }
}
