import { AffineMatrix, ConicModel, type ConicModelResult, type ConicOptions } from "@offprint/conic";
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
  private readonly model = new ConicModel();
  /** v_1 ... v_P, w_1 ... w_P, one a row. */
  private readonly blocks: AffineMatrix;
  /** ||v_j||_2 */
  private readonly norms: AffineMatrix;
  /** Argument of the loss of each sample. */
  private readonly fit: AffineMatrix;
  /** Columns that may be moved. */
  private readonly moved: readonly number[];

  constructor(
    private readonly operator: PatternOperator,
    private readonly loss: Loss,
    y: Float64Array,
    private readonly beta: number,
    private readonly eps: Float64Array,
  ) {
    const { P, n, d, design, mask, sign } = operator;
    const { model } = this;
    this.moved = Array.from(eps.keys()).filter((c) => eps[c] > 0);
    const e = this.moved.length;
    const X = Array.from({ length: n }, (_, k) => Array.from(design.rows.subarray(k * d, (k + 1) * d)));
    const D = Array.from({ length: n }, (_, k) => Array.from({ length: P }, (_, i) => mask[i * n + k]));

    this.blocks = model.variable("blocks", { rows: 2 * P, columns: d });
    this.norms = model.variable("norms", { rows: 2 * P, columns: 1 });
    this.fit = model.variable("fit", { rows: n, columns: 1 });
    model.secondOrder("norms", AffineMatrix.block([[this.norms, this.blocks]]));

    // R_k = sum_i d_ik (v_i - w_i), f_k = x_k^T R_k
    const R = this.blocks.leftTimes(D.map((row) => [...row, ...row.map((value) => -value)]));
    const f = R.entrywise(X).rightTimes(column(d));
    const { reach, worst } = this.moves(R);

    // (2 D_i - I) X v_j >= ||eps o v_j||_1
    const activations = Array.from({ length: 2 * P }, (_, j) => {
      const signed = X.map((row, k) => row.map((value) => sign[(j % P) * n + k] * value));
      const kept = this.blocks.row(j).transposed().leftTimes(signed);
      return e === 0 ? kept : kept.minus(reach.row(j).leftTimes(column(n)));
    });
    model.nonnegative("activations", AffineMatrix.stack(activations));

    const targets = AffineMatrix.constant(Array.from(y, (value) => [value]));
    const margins = f.entrywise(Array.from(y, (value) => [value]));
    if (loss === "squared") {
      // |f - y| + ||eps o R||_1 <= fit
      model.nonnegative("fit above", this.fit.minus(worst).minus(f).plus(targets));
      model.nonnegative("fit below", this.fit.minus(worst).plus(f).minus(targets));
    } else if (loss === "hinge") {
      // (1 - y f + ||eps o R||_1)_+ <= fit
      const ones = AffineMatrix.constant(column(n));
      model.nonnegative("fit above", this.fit.minus(worst).plus(margins).minus(ones));
      model.nonnegative("fit positive", this.fit);
    } else {
      // -y f + ||eps o R||_1 <= fit
      model.nonnegative("fit above", this.fit.minus(worst).plus(margins));
    }
  }

  /** ||eps o v_j||_1 of the blocks and ||eps o R_k||_1 of the samples, by variables above the magnitudes of what may move. */
  private moves(R: AffineMatrix): { reach: AffineMatrix; worst: AffineMatrix } {
    const { model, moved, eps } = this;
    const { P, n, d } = this.operator;
    const e = moved.length;
    if (e === 0) return { reach: AffineMatrix.zeros(2 * P, 1), worst: AffineMatrix.zeros(n, 1) };
    const chosen = Array.from({ length: d }, (_, c) => moved.map((own) => (own === c ? 1 : 0)));
    const radii = moved.map((c) => [eps[c]]);
    const blockSizes = model.variable("sizes of blocks", { rows: 2 * P, columns: e });
    const moveSizes = model.variable("sizes of R", { rows: n, columns: e });
    const magnitudes = (name: string, sizes: AffineMatrix, of: AffineMatrix): void => {
      model.nonnegative(`${name} above`, sizes.minus(of));
      model.nonnegative(`${name} below`, sizes.plus(of));
    };
    magnitudes("blocks", blockSizes, this.blocks.rightTimes(chosen));
    magnitudes("R", moveSizes, R.rightTimes(chosen));
    return { reach: blockSizes.rightTimes(radii), worst: moveSizes.rightTimes(radii) };
  }

  /** Solves to the tolerance; `iterations` and `maxIterations` count those of the conic solver. */
  async solve(tolerance: number, maxIterations: number, signal?: AbortSignal): Promise<ConicSolution> {
    const { loss, operator } = this;
    if (loss !== "bce") {
      const result = await this.solveModel(new Float64Array(operator.n), false, { tolerance, maxIterations, signal });
      return this.solution(result, result.iterations, result.status === "converged");
    }
    let point = new Float64Array(operator.n);
    let best: ConicModelResult | undefined;
    let value = Infinity;
    let iterations = 0;
    let above = false;
    for (let round = 0; round < MODELS && iterations < maxIterations; round++) {
      const options = { tolerance, maxIterations: maxIterations - iterations, signal };
      const result = await this.solveModel(point, above, options);
      iterations += result.iterations;
      const next = Float64Array.from(result.value(this.fit));
      const reached = this.logisticObjective(result);
      if (reached > value && !above) {
        above = true;
        continue;
      }
      const change = next.reduce((most, q, k) => Math.max(most, Math.abs(q - point[k])), 0);
      const solved = result.status === "converged";
      best = result;
      if (!solved || change < 100 * tolerance || value - reached < tolerance * Math.abs(reached)) {
        return this.solution(result, iterations, solved);
      }
      above = false;
      value = reached;
      point = next;
    }
    return this.solution(best as ConicModelResult, iterations, false);
  }

  private logisticObjective(result: ConicModelResult): number {
    const norms = result.value(this.norms).reduce((sum, norm) => sum + norm, 0);
    return result.value(this.fit).reduce((sum, q) => sum + softplus(2 * q), this.beta * norms);
  }

  /** The programme with the loss replaced by its model at `point`: slope q + curvature q^2 / 2. */
  private solveModel(point: Float64Array, above: boolean, options: ConicOptions): Promise<ConicModelResult> {
    const { loss, beta, model, fit, norms } = this;
    const slopes = Array.from(point, () => [loss === "hinge" ? 1 : 0]);
    const curvatures = Float64Array.from(point, () => (loss === "squared" ? 1 : 0));
    if (loss === "bce") {
      for (const [k, q] of point.entries()) {
        const s = sigmoid(2 * q);
        curvatures[k] = above ? Math.tanh(q || 1e-9) / (q || 1e-9) : Math.max(4 * s * (1 - s), 1e-4);
        slopes[k][0] = 2 * s - curvatures[k] * q;
      }
    }
    const linear = norms.sum().times(beta).plus(fit.entrywise(slopes).sum());
    if (loss === "hinge") model.minimise(linear);
    else model.minimise(linear, { of: fit, weights: curvatures });
    return model.solve(options);
  }

  private solution(result: ConicModelResult, iterations: number, solved: boolean): ConicSolution {
    return { blocks: result.value(this.blocks), duals: this.duals(result), iterations, solved };
  }

  private duals({ dual }: ConicModelResult): RobustDuals {
    const { moved, loss } = this;
    const { P, n, d } = this.operator;
    const up = dual("fit above");
    const down = loss === "squared" ? dual("fit below") : new Float64Array(n);
    const theta = new Float64Array(n * d);
    const turn = new Float64Array(2 * P * d);
    if (moved.length > 0) {
      this.spread(dual("R above"), dual("R below"), 1, theta);
      this.spread(dual("blocks above"), dual("blocks below"), -1, turn);
    }
    return {
      slope: up.map((value, k) => value - down[k]),
      size: up.map((value, k) => value + down[k]),
      theta,
      multipliers: dual("activations"),
      turn,
    };
  }

  /** Differences of the duals of |.| <= size, over the radii, in the columns that may be moved. */
  private spread(above: Float64Array, below: Float64Array, sign: number, to: Float64Array): void {
    const { moved, eps } = this;
    const { d } = this.operator;
    const e = moved.length;
    for (let p = 0; p < above.length; p++) {
      const c = moved[p % e];
      to[Math.floor(p / e) * d + c] = (sign * (above[p] - below[p])) / eps[c];
    }
  }
}

/** A column of ones. */
function column(length: number): number[][] {
  return Array.from({ length }, () => [1]);
}
