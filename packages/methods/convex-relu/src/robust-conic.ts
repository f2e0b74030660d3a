import { type ConicOptions, type ConicResult, solveConic } from "@offprint/conic";
import { sparse } from "@offprint/tensor-core";
import { type Loss, sigmoid, softplus } from "./loss.js";
import type { PatternOperator } from "./pattern-operator.js";
import type { RobustDuals } from "./robust-duals.js";

/** @internal What the conic solver gives for the robust programme. */
interface ConicSolution {
  /** `[2P, d]` */
  readonly blocks: Float64Array;
  readonly duals: RobustDuals;
  readonly iterations: number;
  readonly solved: boolean;
}

/** Most quadratic models of the logistic loss. */
const MODELS = 40;

/**
 * @internal The robust programme as a second-order cone programme. The logistic loss is replaced by its second-order
 * model at the last solution, again and again (Newton's method); where that does not lower the objective, by the parabola
 * through the same tangent that lies above it everywhere, of curvature tanh(q) / q (Jaakkola and Jordan 2000).
 */
export class RobustConic {
  /** Places of the variables: blocks, their norms, |eps-coordinates| of blocks, of R, and the losses' arguments. */
  private readonly at: { norms: number; reach: number; move: number; fit: number; size: number };
  private readonly moved: number[];
  private readonly A: sparse.CsrMatrix;
  private readonly b: Float64Array;
  private readonly linear: number;
  /** First rows of the groups. */
  private readonly rows: { slack: number; reach: number; move: number; fit: number };

  constructor(
    private readonly operator: PatternOperator,
    private readonly loss: Loss,
    y: Float64Array,
    private readonly beta: number,
    private readonly eps: Float64Array,
  ) {
    const { P, n, d, design, mask, sign } = operator;
    this.moved = Array.from(eps.keys()).filter((c) => eps[c] > 0);
    const e = this.moved.length;
    const norms = 2 * P * d;
    const reach = norms + 2 * P;
    const move = reach + 2 * P * e;
    const fit = move + n * e;
    this.at = { norms, reach, move, fit, size: fit + n };
    const rowIndex: number[] = [];
    const columnIndex: number[] = [];
    const values: number[] = [];
    const b: number[] = [];
    const put = (column: number, value: number): void => {
      if (value === 0) return;
      rowIndex.push(b.length);
      columnIndex.push(column);
      values.push(value);
    };
    // ||eps o v_j||_1 <= ((2 D - I) X v_j)_k
    for (let j = 0; j < 2 * P; j++) {
      for (let k = 0; k < n; k++) {
        const s = sign[(j % P) * n + k];
        for (let c = 0; c < d; c++) put(j * d + c, -s * design.rows[k * d + c]);
        for (let q = 0; q < e; q++) put(reach + j * e + q, eps[this.moved[q]]);
        b.push(0);
      }
    }
    const reachRow = b.length;
    for (let j = 0; j < 2 * P; j++) {
      for (let q = 0; q < e; q++) {
        for (const side of [1, -1]) {
          put(j * d + this.moved[q], side);
          put(reach + j * e + q, -1);
          b.push(0);
        }
      }
    }
    const moveRow = b.length;
    for (let k = 0; k < n; k++) {
      for (let q = 0; q < e; q++) {
        for (const side of [1, -1]) {
          for (let i = 0; i < P; i++) {
            if (mask[i * n + k] === 0) continue;
            put(i * d + this.moved[q], side);
            put((P + i) * d + this.moved[q], -side);
          }
          put(move + k * e + q, -1);
          b.push(0);
        }
      }
    }
    const fitRow = b.length;
    // squared: +-(f - y) + tau <= h; hinge: 1 - y f + tau <= h and 0 <= h; bce: -y f + tau <= h
    for (let k = 0; k < n; k++) {
      for (const side of loss === "squared" ? [1, -1] : [-y[k]]) {
        for (let i = 0; i < P; i++) {
          if (mask[i * n + k] === 0) continue;
          for (let c = 0; c < d; c++) {
            put(i * d + c, side * design.rows[k * d + c]);
            put((P + i) * d + c, -side * design.rows[k * d + c]);
          }
        }
        for (let q = 0; q < e; q++) put(move + k * e + q, eps[this.moved[q]]);
        put(fit + k, -1);
        b.push(loss === "squared" ? side * y[k] : loss === "hinge" ? -1 : 0);
      }
    }
    if (loss === "hinge") {
      for (let k = 0; k < n; k++) {
        put(fit + k, -1);
        b.push(0);
      }
    }
    this.linear = b.length;
    for (let j = 0; j < 2 * P; j++) {
      put(norms + j, -1);
      b.push(0);
      for (let c = 0; c < d; c++) {
        put(j * d + c, -1);
        b.push(0);
      }
    }
    this.b = Float64Array.from(b);
    this.A = sparse.fromTriplets(b.length, this.at.size, rowIndex, columnIndex, values);
    this.rows = { slack: 0, reach: reachRow, move: moveRow, fit: fitRow };
  }

  /** Solves to the tolerance; `iterations` and `maxIterations` count those of the conic solver. */
  async solve(tolerance: number, maxIterations: number, signal?: AbortSignal): Promise<ConicSolution> {
    const { loss, at, operator } = this;
    if (loss !== "bce") {
      const result = await this.solveModel(new Float64Array(operator.n), false, { tolerance, maxIterations, signal });
      return this.solution(result, result.iterations, result.status === "converged");
    }
    let point = new Float64Array(operator.n);
    let best: ConicResult | undefined;
    let value = Infinity;
    let iterations = 0;
    let above = false;
    for (let round = 0; round < MODELS && iterations < maxIterations; round++) {
      const options = { tolerance, maxIterations: maxIterations - iterations, signal };
      const result = await this.solveModel(point, above, options);
      iterations += result.iterations;
      const next = result.x.slice(at.fit);
      const reached = this.logisticObjective(result.x);
      if (reached > value && !above) {
        above = true;
        continue;
      }
      let change = 0;
      for (let k = 0; k < next.length; k++) change = Math.max(change, Math.abs(next[k] - point[k]));
      const solved = result.status === "converged";
      best = result;
      if (!solved || change < 100 * tolerance || value - reached < tolerance * Math.abs(reached))
        return this.solution(result, iterations, solved);
      above = false;
      value = reached;
      point = next;
    }
    return this.solution(best as ConicResult, iterations, false);
  }

  private logisticObjective(x: Float64Array): number {
    let sum = 0;
    for (let j = 0; j < 2 * this.operator.P; j++) sum += this.beta * x[this.at.norms + j];
    for (let k = 0; k < this.operator.n; k++) sum += softplus(2 * x[this.at.fit + k]);
    return sum;
  }

  /** The programme with the loss replaced by its model at `point`. */
  private solveModel(point: Float64Array, above: boolean, options: ConicOptions): Promise<ConicResult> {
    const { loss, at, beta, operator } = this;
    const { P, d } = operator;
    const c = new Float64Array(at.size);
    const quadratic = new Float64Array(at.size);
    c.fill(beta, at.norms, at.norms + 2 * P);
    for (let k = 0; k < operator.n; k++) {
      const q = point[k];
      const s = sigmoid(2 * q);
      const newton = Math.max(4 * s * (1 - s), 1e-4);
      const curvature =
        loss === "hinge" ? 0 : loss === "squared" ? 1 : above ? Math.tanh(q || 1e-9) / (q || 1e-9) : newton;
      quadratic[at.fit + k] = curvature;
      c[at.fit + k] = loss === "hinge" ? 1 : loss === "squared" ? 0 : 2 * s - curvature * q;
    }
    return solveConic(
      {
        ...(loss !== "hinge" && { P: sparse.diagonal(quadratic) }),
        A: this.A,
        b: this.b,
        c,
        cones: { l: this.linear, q: new Array<number>(2 * P).fill(d + 1) },
      },
      options,
    );
  }

  private solution({ x, y }: ConicResult, iterations: number, solved: boolean): ConicSolution {
    const { P, d } = this.operator;
    return { blocks: x.slice(0, 2 * P * d), duals: this.duals(y), iterations, solved };
  }

  private duals(dual: Float64Array): RobustDuals {
    const { operator, rows, moved, eps, loss } = this;
    const { P, n, d } = operator;
    const e = moved.length;
    const per = loss === "squared" ? 2 : 1;
    const slope = new Float64Array(n);
    const size = new Float64Array(n);
    const theta = new Float64Array(n * d);
    const turn = new Float64Array(2 * P * d);
    for (let k = 0; k < n; k++) {
      const up = dual[rows.fit + per * k];
      const down = per === 2 ? dual[rows.fit + 2 * k + 1] : 0;
      slope[k] = up - down;
      size[k] = up + down;
      for (const [q, c] of moved.entries()) {
        const row = rows.move + 2 * (k * e + q);
        theta[k * d + c] = (dual[row] - dual[row + 1]) / eps[c];
      }
    }
    for (let j = 0; j < 2 * P; j++) {
      for (const [q, c] of moved.entries()) {
        const row = rows.reach + 2 * (j * e + q);
        turn[j * d + c] = -(dual[row] - dual[row + 1]) / eps[c];
      }
    }
    return { slope, size, theta, multipliers: dual.slice(rows.slack, rows.slack + 2 * P * n), turn };
  }
}
