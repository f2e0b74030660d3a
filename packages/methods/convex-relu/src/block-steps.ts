import type { AdmmState } from "./admm-state.js";
import { blockNorm, dotColumns, squareTimes, timesColumns } from "./column-products.js";
import { gramMatrix, type PatternOperator } from "./pattern-operator.js";

/**
 * @internal The updates that all ADMM variants share: group shrinkage for v, the nonnegative part for s, and the dual
 * variables. G^T s and G^T nu are carried along, so that an iteration multiplies by G and G^T once each.
 */
export class BlockSteps {
  /** G^T s `[2P, d]`. */
  readonly gs: Float64Array;
  /** G^T nu `[2P, d]`. */
  readonly gnu: Float64Array;
  private readonly gram: Float64Array;
  private readonly row: Float64Array;
  private readonly block: Float64Array;

  constructor(
    private readonly operator: PatternOperator,
    private readonly beta: number,
    private readonly dualStep: number,
  ) {
    const { P, n, d } = operator;
    this.gs = new Float64Array(2 * P * d);
    this.gnu = new Float64Array(2 * P * d);
    this.gram = gramMatrix(operator.design);
    this.row = new Float64Array(n);
    this.block = new Float64Array(3 * d);
  }

  /** Computes G^T s and G^T nu anew. */
  refresh({ s, nu }: AdmmState): void {
    const { operator, row } = this;
    const { P, n, d, sign, xt } = operator;
    for (let j = 0; j < 2 * P; j++) {
      for (const [values, out] of [[s, this.gs] as const, [nu, this.gnu] as const]) {
        for (let k = 0, p = (j % P) * n; k < n; k++, p++) row[k] = sign[p] * values[j * n + k];
        dotColumns(xt, n, d, row, out, j * d);
      }
    }
  }

  /**
   * Updates v, s and their dual variables from u, block by block; gives the squared norms of (u - v, G u - s) and of
   * (v - v_old) + G^T (s - s_old), to which F^T (q - q_old) is added where `pulled` has it for the v_i.
   */
  apply(state: AdmmState, pulled?: Float64Array): { primal: number; dual: number } {
    const { operator, gs, gnu, gram, row, block, dualStep: g } = this;
    const { P, n, d, sign, xt } = operator;
    const { u, v, s, lambda, nu } = state;
    const threshold = this.beta / state.rho;
    const half = P * d;
    let [primal, dual] = [0, 0];
    for (let j = 0; j < 2 * P; j++) {
      const at = j * d;
      for (let c = 0; c < d; c++) block[c] = u[at + c] + lambda[at + c];
      const norm = blockNorm(block, 0, d);
      const keep = norm > threshold ? 1 - threshold / norm : 0;
      timesColumns(xt, n, d, u, at, row);
      // row becomes (2 D - I) s, of which G^T s is made.
      for (let k = 0, p = (j % P) * n, o = j * n; k < n; k++, p++, o++) {
        const gu = sign[p] * row[k];
        const next = gu + nu[o] > 0 ? gu + nu[o] : 0;
        const gap = gu - next;
        s[o] = next;
        nu[o] += g * gap;
        primal += gap * gap;
        row[k] = sign[p] * next;
      }
      dotColumns(xt, n, d, row, block, d);
      squareTimes(gram, d, u, at, block, 2 * d);
      for (let c = 0; c < d; c++) {
        const p = at + c;
        const next = keep * block[c];
        const gap = u[p] - next;
        const change = next - v[p] + block[d + c] - gs[p] + (pulled === undefined ? 0 : p < half ? pulled[p] : -pulled[p - half]);
        dual += change * change;
        primal += gap * gap;
        v[p] = next;
        lambda[p] += g * gap;
        gnu[p] += g * (block[2 * d + c] - block[d + c]);
        gs[p] = block[d + c];
      }
    }
    return { primal, dual };
  }
}

/** @internal Sets another penalty; the scaled dual variables keep what they stand for. */
export function rescaleDuals(state: AdmmState, rho: number): void {
  const factor = state.rho / rho;
  for (const dual of [state.lambda, state.nu, state.mu]) for (let p = 0; p < dual.length; p++) dual[p] *= factor;
  state.rho = rho;
}
