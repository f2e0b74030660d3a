import { linalg, tensor } from "@offprint/tensor-core";
import { CholeskySolver } from "./cholesky-solver.js";
import { columnsOf, type Factor, squareTimes, squareTimesAll } from "./column-products.js";
import { differenceGram, gramMatrix, type PatternOperator } from "./pattern-operator.js";

/**
 * @internal The u-step: `(I + F^T F / c + G^T G) u = r + F^T h`.
 *
 * G^T G is block diagonal with blocks X^T X, so B = I + G^T G has one d x d block K. F only sees differences v_i - w_i.
 * With e = h - F u / c the system reads B u = r + F^T e, and e solves
 * `(c I + 2 Q) e = c h - F B^{-1} r`, Q = sum_i D_i X K^{-1} X^T D_i = (X K^{-1} X^T) o (how many patterns have k and l active).
 * That is one n x n factor whatever the number of patterns; where P d < n the P d x P d system of the differences is
 * factored instead. `solve` minimises `1/2 ||F u - c h||^2 / c + 1/2 ||u||^2 + 1/2 ||G u||^2 - r^T u`.
 */
export class NormalSystem {
  /** e = h - F u / c `[n]` of the last solve, so that F u = c (h - e). */
  readonly e: Float64Array;
  private readonly K: Float64Array;
  private readonly pair: Float64Array;
  /** K^{-1} `[d, d]`. */
  private readonly inverse: Float64Array;
  /** X K^{-1}. */
  private readonly scaled: Factor;
  private readonly bySamples: boolean;
  private readonly base: Float64Array;
  private readonly difference: Float64Array;
  private readonly pulled: Float64Array;
  private c = Number.NaN;
  private factor: CholeskySolver | undefined;

  constructor(private readonly operator: PatternOperator) {
    const { n, d, P, design } = operator;
    this.K = gramMatrix(design);
    for (let a = 0; a < d; a++) this.K[a * d + a] += 1;
    this.inverse = linalg.inverse(tensor(this.K, { shape: [d, d] })).data() as Float64Array;
    const scaledRows = new Float64Array(n * d);
    for (let k = 0; k < n; k++) squareTimes(this.inverse, d, design.rows, k * d, scaledRows, k * d);
    this.scaled = { n, d, rows: scaledRows, columns: columnsOf(scaledRows, n, d) };
    this.e = new Float64Array(n);
    this.difference = new Float64Array(P * d);
    this.pulled = new Float64Array(P * d);
    this.bySamples = n <= P * d;
    this.base = this.bySamples ? this.sampleMatrix(scaledRows) : differenceGram(operator).map((value) => 2 * value);
    this.pair = new Float64Array(2 * P * d);
  }

  /** 2 Q */
  private sampleMatrix(scaledRows: Float64Array): Float64Array {
    const { n, d, design } = this.operator;
    const out = this.operator.overlaps();
    for (let k = 0; k < n; k++) {
      for (let l = 0; l < n; l++) {
        let sum = 0;
        for (let c = 0; c < d; c++) sum += scaledRows[k * d + c] * design.rows[l * d + c];
        out[k * n + l] *= 2 * sum;
      }
    }
    return out;
  }

  /** Takes another c > 0; factors again where it differs. */
  prepare(c: number): void {
    if (c === this.c) return;
    this.c = c;
    const { n, d, P } = this.operator;
    if (this.bySamples) {
      const matrix = this.base.slice();
      for (let k = 0; k < n; k++) matrix[k * n + k] += c;
      this.factor = new CholeskySolver(matrix, n);
      return;
    }
    const size = P * d;
    const matrix = this.base.map((value) => value / c);
    for (let i = 0; i < P; i++) {
      for (let p = 0; p < d * d; p++) matrix[(i * d + Math.floor(p / d)) * size + i * d + (p % d)] += this.K[p];
    }
    this.factor = new CholeskySolver(matrix, size);
  }

  /** Overwrites `u` `[2P, d]` by the minimiser for the linear term `r` `[2P, d]` and h `[n]`. */
  solve(r: Float64Array, h: Float64Array, u: Float64Array): void {
    const { operator, e, c, inverse, difference, pulled, pair } = this;
    const { n, d, P } = operator;
    const half = P * d;
    operator.differences(r, difference);
    if (this.bySamples) {
      operator.predict(difference, e, this.scaled);
      for (let k = 0; k < n; k++) e[k] = c * h[k] - e[k];
      this.factor?.solve(e);
    } else {
      operator.transposed(h, pulled);
      for (let p = 0; p < half; p++) difference[p] += 2 * pulled[p];
      this.factor?.solve(difference);
      operator.predict(difference, e);
      for (let k = 0; k < n; k++) e[k] = h[k] - e[k] / c;
    }
    operator.transposed(e, pulled);
    for (let p = 0; p < half; p++) {
      pair[p] = r[p] + pulled[p];
      pair[half + p] = r[half + p] - pulled[p];
    }
    squareTimesAll(inverse, d, pair, 2 * P, u);
  }
}
