import { linalg, tensor } from "@offprint/tensor-core";
import { CholeskySolver } from "./cholesky-solver.js";
import { dotColumns, squareTimes } from "./column-products.js";
import { differenceGram, gramMatrix } from "./pattern-operator.js";
import type { RobustMap } from "./robust-rows.js";

/**
 * @internal Solves K^T K (x, tau) = right side. v_i and w_i enter through their sums, with one small matrix per pattern,
 * and their differences, with one matrix of order P (d + 1) once tau is eliminated.
 */
export class RobustSystem {
  private readonly sums: Float64Array[];
  private readonly differences: CholeskySolver;
  /** Diagonal entry of K^T K for every tau. */
  private readonly tauWeight: number;
  private readonly sum: Float64Array;
  private readonly half: Float64Array;
  private readonly difference: Float64Array;
  private readonly pulled: Float64Array;
  private readonly row: Float64Array;

  constructor(private readonly map: RobustMap) {
    const { P, n, d } = map.operator;
    this.tauWeight = map.scale ** 2 + 1;
    const gram = gramMatrix(map.operator.design);
    const own = Array.from({ length: P }, (_, i) => ownMatrix(map, gram, i));
    this.sums = own.map((matrix) => linalg.inverse(tensor(matrix, { shape: [d + 1, d + 1] })).data() as Float64Array);
    this.differences = new CholeskySolver(this.differenceMatrix(own), P * (d + 1));
    this.sum = new Float64Array(d + 1);
    this.half = new Float64Array(d + 1);
    this.difference = new Float64Array(P * (d + 1));
    this.pulled = new Float64Array(P * d);
    this.row = new Float64Array(n);
  }

  /** The blocks' own matrices on the diagonal, and twice what the rows `move` and `fit` add. */
  private differenceMatrix(own: readonly Float64Array[]): Float64Array {
    const { operator, eps, scale, loss } = this.map;
    const { P, n, d } = operator;
    const size = P * (d + 1);
    const out = new Float64Array(size * size);
    const fit = differenceGram(operator);
    const counts = differenceGram(operator, new Float64Array(n).fill(1), 1);
    const weight = 2 * (loss === "squared" ? 1 : 1 - 1 / this.tauWeight);
    for (let i = 0; i < P; i++) {
      for (let j = 0; j < P; j++) {
        for (let a = 0; a < d; a++) {
          const to = (i * (d + 1) + a) * size + j * (d + 1);
          const from = (i * d + a) * P * d + j * d;
          for (let b = 0; b < d; b++) out[to + b] = weight * fit[from + b];
          out[to + a] += 2 * (eps[a] * scale) ** 2 * counts[i * P + j];
        }
      }
      for (let a = 0; a <= d; a++) {
        for (let b = 0; b <= d; b++) out[(i * (d + 1) + a) * size + i * (d + 1) + b] += own[i][a * (d + 1) + b];
      }
    }
    return out;
  }

  /** Overwrites x `[2P, d + 1]` and tau `[n]`, which hold the right side, by the solution. */
  solve(x: Float64Array, tau: Float64Array): void {
    const { map, sum, half, difference, pulled, row, tauWeight } = this;
    const { operator, y, loss } = map;
    const { P, n, d } = operator;
    const size = d + 1;
    const coupled = loss !== "squared";
    for (let p = 0; p < P * size; p++) difference[p] = x[p] - x[P * size + p];
    if (coupled) {
      for (let k = 0; k < n; k++) row[k] = (2 * y[k] * tau[k]) / tauWeight;
      operator.transposed(row, pulled);
      for (let i = 0; i < P; i++) for (let c = 0; c < d; c++) difference[i * size + c] += pulled[i * d + c];
    }
    this.differences.solve(difference);
    for (let i = 0; i < P; i++) {
      const at = i * size;
      for (let c = 0; c < size; c++) half[c] = x[at + c] + x[P * size + at + c];
      squareTimes(this.sums[i], size, half, 0, sum, 0);
      for (let c = 0; c < size; c++) {
        x[at + c] = (sum[c] + difference[at + c]) / 2;
        x[P * size + at + c] = (sum[c] - difference[at + c]) / 2;
      }
    }
    if (coupled) {
      for (let i = 0; i < P; i++) for (let c = 0; c < d; c++) pulled[i * d + c] = difference[i * size + c];
      operator.predict(pulled, row);
    }
    for (let k = 0; k < n; k++) tau[k] = (tau[k] + (coupled ? y[k] * row[k] : 0)) / tauWeight;
  }
}

/** [[I + X^T X + (s eps)^2, -X^T (2 D_i - I) 1], [., n + s^2]], s the scale of the rows. */
function ownMatrix({ operator, eps, scale }: RobustMap, gram: Float64Array, i: number): Float64Array {
  const { n, d, sign, xt } = operator;
  const size = d + 1;
  const out = new Float64Array(size * size);
  const coupling = new Float64Array(d);
  dotColumns(xt, n, d, Float64Array.from(sign.subarray(i * n, (i + 1) * n)), coupling, 0);
  for (let a = 0; a < d; a++) {
    for (let b = 0; b < d; b++) out[a * size + b] = gram[a * d + b];
    out[a * size + a] += 1 + (eps[a] * scale) ** 2;
    out[a * size + d] = -coupling[a];
    out[d * size + a] = -coupling[a];
  }
  out[d * size + d] = n + scale ** 2;
  return out;
}
