import type { AdmmState } from "./admm-state.js";
import { dotAll, squareTimesAll, timesAll } from "./column-products.js";
import { gramMatrix, type PatternOperator } from "./pattern-operator.js";

/**
 * @internal The updates that all ADMM variants share: group shrinkage for v, the nonnegative part for s, and the dual
 * variables. G^T s and G^T nu are carried along, so that an iteration multiplies by G and G^T once each.
 */
export class BlockSteps {
  private readonly gram: Float64Array;
  /** `[blocks at once, n]` */
  private readonly rows: Float64Array;
  /** `[2P, d]`: G^T s to come, and X^T X u. */
  private readonly fresh: Float64Array;
  private readonly product: Float64Array;

  constructor(
    private readonly operator: PatternOperator,
    private readonly beta: number,
    private readonly dualStep: number,
  ) {
    const { P, n, d } = operator;
    this.gram = gramMatrix(operator.design);
    this.rows = new Float64Array(operator.chunk * n);
    this.fresh = new Float64Array(2 * P * d);
    this.product = new Float64Array(2 * P * d);
  }

  /** Computes G^T s and G^T nu anew. */
  refresh({ s, nu, gs, gnu }: AdmmState): void {
    this.chunks((first, count, rows) => {
      const { n, d, P, sign, design } = this.operator;
      for (const [values, out] of [[s, gs] as const, [nu, gnu] as const]) {
        for (let o = 0, p = first * n; o < count * n; o++, p++) rows[o] = sign[p < P * n ? p : p - P * n] * values[p];
        dotAll(design, rows, count, out.subarray(first * d, (first + count) * d));
      }
    });
  }

  /** Visits the blocks v_1 ... w_P some at a time, with a buffer for their rows. */
  private chunks(visit: (first: number, count: number, rows: Float64Array) => void): void {
    const { P, n, chunk } = this.operator;
    for (let first = 0; first < 2 * P; first += chunk) {
      const count = Math.min(chunk, 2 * P - first);
      visit(first, count, this.rows.subarray(0, count * n));
    }
  }

  /**
   * Updates v, s and their dual variables from u; gives the squared norms of (u - v, G u - s) and of
   * rho ((v - v_old) + G^T (s - s_old)), to which F^T (q - q_old) is added where `pulled` has it for the v_i.
   */
  apply(state: AdmmState, pulled?: Float64Array): { primal: number; dual: number } {
    const { operator, gram, fresh, product } = this;
    const { P, d, design } = operator;
    squareTimesAll(gram, d, state.u, 2 * P, product);
    let primal = 0;
    this.chunks((first, count, rows) => {
      const [from, to] = [first * d, (first + count) * d];
      timesAll(design, state.u.subarray(from, to), count, rows);
      primal += this.constraintStep(state.s, state.nu, first, rows);
      dotAll(design, rows, count, fresh.subarray(from, to));
    });
    let dual = 0;
    const { u, v, lambda, gs, gnu } = state;
    const { dualStep: g } = this;
    const { rho } = state;
    const threshold = this.beta / rho;
    const half = P * d;
    for (let at = 0; at < u.length; at += d) {
      let squares = 0;
      for (let p = at; p < at + d; p++) squares += (u[p] + lambda[p]) ** 2;
      const norm = Math.sqrt(squares);
      const keep = norm > threshold ? 1 - threshold / norm : 0;
      for (let p = at; p < at + d; p++) {
        const next = keep * (u[p] + lambda[p]);
        const gap = u[p] - next;
        const shared = pulled === undefined ? 0 : p < half ? pulled[p] : -pulled[p - half];
        const change = next - v[p] + fresh[p] - gs[p] + shared;
        dual += (rho * change) ** 2;
        primal += gap * gap;
        v[p] = next;
        lambda[p] += g * gap;
        gnu[p] += g * (product[p] - fresh[p]);
        gs[p] = fresh[p];
      }
    }
    return { primal, dual };
  }

  /** s and nu of the blocks from `first` on; `rows` = X u becomes (2 D - I) s. Gives ||G u - s||^2. */
  private constraintStep(s: Float64Array, nu: Float64Array, first: number, rows: Float64Array): number {
    const { dualStep: g } = this;
    const { sign, n, P } = this.operator;
    let squares = 0;
    for (let o = 0, p = first * n; o < rows.length; o++, p++) {
      const side = sign[p < P * n ? p : p - P * n];
      const gu = side * rows[o];
      const target = gu + nu[p];
      const next = Math.max(target, 0);
      const gap = gu - next;
      s[p] = next;
      nu[p] += g * gap;
      squares += gap * gap;
      rows[o] = side * next;
    }
    return squares;
  }
}

/** @internal Sets another penalty; the scaled dual variables keep what they stand for. */
export function rescaleDuals(state: AdmmState, rho: number): void {
  const factor = state.rho / rho;
  for (const dual of [state.lambda, state.nu, state.mu]) for (let p = 0; p < dual.length; p++) dual[p] *= factor;
  state.rho = rho;
}
