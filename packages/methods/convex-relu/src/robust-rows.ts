import { dotColumns, timesColumns } from "./column-products.js";
import type { Loss } from "./loss.js";
import type { PatternOperator } from "./pattern-operator.js";

/** The rows of K, by group. */
export interface RobustRows {
  /** `[2P, d]`: the blocks v_j. */
  readonly blocks: Float64Array;
  /** `[2P, n]`: ((2 D - I) X v_j)_k - t_j, which must be >= 0. */
  readonly slack: Float64Array;
  /** `[2P, d + 1]`: (eps o v_j, t_j) / mean(eps), which must lie in {||r||_1 <= t}. */
  readonly reach: Float64Array;
  /** `[n, d + 1]`: (eps o R_k, tau_k) / mean(eps), likewise. */
  readonly move: Float64Array;
  /** `[n]`: -y_k f_k + tau_k for hinge and bce, f_k for squared. */
  readonly fit: Float64Array;
  /** `[n]`: tau_k for squared, else unused. */
  readonly shift: Float64Array;
}

/** @internal */
export const rowNames = ["blocks", "slack", "reach", "move", "fit", "shift"] as const;

/** Radii below the rounding of any data need no larger one. */
const MOST_SCALE = 1e12;

/** @internal Zeros. */
export function emptyRows({ P, n, d }: PatternOperator): RobustRows {
  return {
    blocks: new Float64Array(2 * P * d),
    slack: new Float64Array(2 * P * n),
    reach: new Float64Array(2 * P * (d + 1)),
    move: new Float64Array(n * (d + 1)),
    fit: new Float64Array(n),
    shift: new Float64Array(n),
  };
}

/**
 * @internal The linear map K of the robust programme, which takes the blocks with the reaches t_j (`[2P, d + 1]`) and the
 * worst moves tau (`[n]`) to all that a proximal map acts on.
 */
export class RobustMap {
  /** 1 / mean of the radii that are not 0, or 1e12 if that is less: the scale of the rows `reach` and `move`. */
  readonly scale: number;
  private readonly block: Float64Array;
  private readonly row: Float64Array;
  private readonly difference: Float64Array;
  private readonly pulled: Float64Array;

  constructor(
    readonly operator: PatternOperator,
    readonly loss: Loss,
    readonly y: Float64Array,
    readonly eps: Float64Array,
  ) {
    const { P, n, d } = operator;
    const positive = eps.filter((value) => value > 0);
    const mean = positive.reduce((a, b) => a + b, 0) / positive.length;
    this.scale = positive.length > 0 ? Math.min(1 / mean, MOST_SCALE) : 1;
    this.block = new Float64Array(d);
    this.row = new Float64Array(n);
    this.difference = new Float64Array(P * d);
    this.pulled = new Float64Array(P * d);
  }

  /** `out = K (x, tau)` */
  apply(x: Float64Array, tau: Float64Array, out: RobustRows): void {
    const { operator, eps, scale, row, difference, loss, y } = this;
    const { P, n, d, sign, xt } = operator;
    for (let j = 0; j < 2 * P; j++) {
      const from = j * (d + 1);
      const t = x[from + d];
      timesColumns(xt, n, d, x, from, row);
      for (let k = 0, p = (j % P) * n, o = j * n; k < n; k++, p++, o++) out.slack[o] = sign[p] * row[k] - t;
      for (let c = 0; c < d; c++) {
        out.blocks[j * d + c] = x[from + c];
        out.reach[from + c] = scale * eps[c] * x[from + c];
      }
      out.reach[from + d] = scale * t;
    }
    for (let i = 0; i < P; i++) {
      for (let c = 0; c < d; c++) difference[i * d + c] = x[i * (d + 1) + c] - x[(P + i) * (d + 1) + c];
    }
    this.moves(out.move);
    operator.predict(difference, row);
    for (let k = 0; k < n; k++) {
      out.move[k * (d + 1) + d] = scale * tau[k];
      out.fit[k] = loss === "squared" ? row[k] : tau[k] - y[k] * row[k];
      out.shift[k] = loss === "squared" ? tau[k] : 0;
    }
  }

  /** scale eps_c sum_i d_ik difference_ic */
  private moves(out: Float64Array): void {
    const { operator, eps, scale, difference, row } = this;
    const { P, n, d, mask } = operator;
    for (let c = 0; c < d; c++) {
      if (eps[c] === 0) continue;
      row.fill(0);
      for (let i = 0; i < P; i++) {
        const value = difference[i * d + c];
        if (value !== 0) for (let k = 0, p = i * n; k < n; k++, p++) row[k] += mask[p] * value;
      }
      for (let k = 0; k < n; k++) out[k * (d + 1) + c] = scale * eps[c] * row[k];
    }
  }

  /** `(x, tau) = K^T rows` */
  transposed(rows: RobustRows, x: Float64Array, tau: Float64Array): void {
    const { operator, eps, scale, block, row, pulled, loss, y } = this;
    const { P, n, d, sign, xt } = operator;
    for (let k = 0; k < n; k++) row[k] = loss === "squared" ? rows.fit[k] : -y[k] * rows.fit[k];
    operator.transposed(row, pulled);
    this.addMoves(rows.move, pulled);
    for (let j = 0; j < 2 * P; j++) {
      const to = j * (d + 1);
      let total = 0;
      for (let k = 0, p = (j % P) * n, o = j * n; k < n; k++, p++, o++) {
        row[k] = sign[p] * rows.slack[o];
        total += rows.slack[o];
      }
      dotColumns(xt, n, d, row, block, 0);
      for (let c = 0; c < d; c++) {
        const shared = pulled[(j % P) * d + c];
        x[to + c] =
          rows.blocks[j * d + c] + block[c] + scale * eps[c] * rows.reach[to + c] + (j < P ? shared : -shared);
      }
      x[to + d] = scale * rows.reach[to + d] - total;
    }
    for (let k = 0; k < n; k++) {
      tau[k] = scale * rows.move[k * (d + 1) + d] + (loss === "squared" ? rows.shift[k] : rows.fit[k]);
    }
  }

  private addMoves(move: Float64Array, pulled: Float64Array): void {
    const { operator, eps, scale } = this;
    const { P, n, d, mask } = operator;
    for (let i = 0; i < P; i++) {
      for (let c = 0; c < d; c++) {
        if (eps[c] === 0) continue;
        let sum = 0;
        for (let k = 0, p = i * n; k < n; k++, p++) sum += mask[p] * move[k * (d + 1) + c];
        pulled[i * d + c] += scale * eps[c] * sum;
      }
    }
  }
}
