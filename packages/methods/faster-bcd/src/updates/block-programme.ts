import { addRow, factor, submatrix } from "../block-matrix.js";
import { placesFrom0 } from "../blocks/order.js";
import type { Separable } from "../separable.js";

/** A sweep costs much less than a factorisation, of which the active-set method takes one for each variable that it pins. */
const SWEEPS = 50;
const SETTLED = 1e-12;
/** All variables are looked at in the first sweeps and each so many; in between those that are not pinned. */
const FULL_SWEEP_EVERY = 5;

/**
 * The minimum y `[t]` of `g^T (y - x) + 1/2 (y - x)^T H (y - x) + sum h_i(y_i)` over a block: coordinate descent to find what is
 * pinned, until a sweep over all changes nothing in that, then an active-set method, which ends at the exact solution.
 */
export function solveBlockProgramme(
  H: Float64Array,
  g: Float64Array,
  x: Float64Array,
  block: Int32Array,
  separable: Separable,
): Float64Array {
  const t = block.length;
  const y = x.slice();
  // The model's gradient at y.
  const slope = g.slice();
  const all = placesFrom0(t);
  let moving = all;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let moved = 0;
    let turned = false;
    const visited = sweep % FULL_SWEEP_EVERY < 2 ? all : moving;
    for (let v = 0; v < visited.length; v++) {
      const k = visited[v];
      const curvature = H[k * t + k];
      if (!(curvature > 0)) continue;
      const before = y[k];
      const to = separable.prox(block[k], before - slope[k] / curvature, 1 / curvature);
      const d = to - before;
      if (d === 0) continue;
      y[k] = to;
      addRow(H, t, k, d, slope);
      moved = Math.max(moved, Math.abs(d) / (1 + Math.abs(before)));
      turned ||= separable.pinned(block[k], to) !== separable.pinned(block[k], before);
    }
    if ((moved <= SETTLED || !turned) && visited === all) break;
    moving = all.filter((k) => !separable.pinned(block[k], y[k]));
  }
  return new ActiveSet(H, block, separable, y, slope).solve();
}

/** Solves on the free variables, stops at the first bound or kink on the way, and frees what pulls away from its own. */
class ActiveSet {
  readonly #free: boolean[];

  constructor(
    private readonly H: Float64Array,
    private readonly block: Int32Array,
    private readonly separable: Separable,
    private readonly y: Float64Array,
    private readonly slope: Float64Array,
  ) {
    this.#free = Array.from(block, (i, k) => !separable.pinned(i, y[k]));
  }

  solve(): Float64Array {
    const { y, block, separable, slope } = this;
    const signs = y.map(Math.sign);
    const scale = slope.reduce((most, v, k) => Math.max(most, Math.abs(v), this.H[k * y.length + k]), 0);
    for (let round = 0; round < 10 * y.length + 100; round++) {
      if (!this.#toMinimum(signs)) continue;
      // At the minimum over the free variables: free those that pull away from where they are pinned. Those that
      // would go the other way once the others are free are pinned again before they move; never all, as p descends.
      let freed = 0;
      for (let k = 0; k < y.length; k++) {
        if (this.#free[k] || separable.depth(block[k], y[k], slope[k]) >= -1e-13 * scale) continue;
        this.#free[k] = true;
        signs[k] = -Math.sign(slope[k] + separable.slope[block[k]]);
        freed++;
      }
      if (freed === 0) return y;
    }
    return y;
  }

  /** Moves towards the minimum over the free variables; false where something stopped it, which is pinned then. */
  #toMinimum(signs: Float64Array): boolean {
    const { H, y, block, separable, slope } = this;
    const t = y.length;
    const places: number[] = [];
    for (let k = 0; k < t; k++) if (this.#free[k]) places.push(k);
    if (places.length === 0) return true;
    const rhs = new Float64Array(places.length);
    for (let s = 0; s < rhs.length; s++) {
      const k = places[s];
      const i = block[k];
      rhs[s] = -(slope[k] + separable.slope[i] + separable.weight[i] * signs[k]);
    }
    const p = factor(submatrix(H, t, places), places.length).solve(rhs);
    let share = 1;
    let stopped = -1;
    let wrong = false;
    for (let s = 0; s < places.length; s++) {
      const k = places[s];
      if (p[s] === 0) continue;
      const limit = this.#limit(k, p[s], signs[k]);
      if (limit === y[k]) {
        this.#free[k] = false;
        wrong = true;
      }
      const reach = (limit - y[k]) / p[s];
      if (reach < share) {
        share = Math.max(0, reach);
        stopped = s;
      }
    }
    if (wrong) return false;
    for (let s = 0; s < places.length; s++) {
      if (p[s] === 0) continue;
      const k = places[s];
      const limit = this.#limit(k, p[s], signs[k]);
      const reached = y[k] + share * p[s];
      const to = s === stopped ? limit : p[s] < 0 ? Math.max(limit, reached) : Math.min(limit, reached);
      const d = to - y[k];
      y[k] = to;
      addRow(H, t, k, d, slope);
    }
    if (stopped < 0) return true;
    this.#free[places[stopped]] = false;
    return false;
  }

  /** How far a variable may go that way: to its bound, or to the kink at zero when it comes from the other side. */
  #limit(k: number, p: number, sign: number): number {
    const i = this.block[k];
    if (this.separable.weight[i] > 0) return p * sign < 0 ? 0 : p * Infinity;
    return p < 0 ? this.separable.lower[i] : this.separable.upper[i];
  }
}
