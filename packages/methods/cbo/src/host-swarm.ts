import { hostTensor, type Tensor } from "@offprint/tensor-core";
import { emptyWeighing, type Weighing, weigh } from "./consensus-point.js";
import { type GradientEvaluator, gradientOf } from "./gradient.js";
import { type Floats, moved } from "./motion.js";
import { feasible } from "./problem.js";
import type { StepRecord, Swarm, SwarmPlan } from "./swarm-plan.js";

/** @internal Carries a plan out in memory, one step at a time: for objectives of every kind. */
export class HostSwarm implements Swarm {
  private values: Floats;
  private readonly weighing: Weighing;
  private readonly gradient: GradientEvaluator | undefined;

  constructor(private readonly plan: SwarmPlan) {
    this.values = plan.start.data() as Floats;
    this.weighing = emptyWeighing(plan.d);
    this.gradient = plan.descent === 0 ? undefined : gradientOf(plan.owner, plan.problem.evaluator, plan.d);
  }

  async run(k: number): Promise<StepRecord[]> {
    const { plan, weighing } = this;
    if (k > plan.first) await this.move(k);
    const rows = plan.batches?.rowsAt(k);
    const deciding = rows === undefined ? this.values : gathered(this.values, rows, plan.d);
    const count = rows?.length ?? plan.n;
    const result = plan.problem.evaluator.evaluate(this.tensorOf(deciding, count));
    const energies = result instanceof Promise ? await result : result;
    weigh(energies, deciding, plan.alphaAt(k), weighing);
    const { energy, nEff, least, best } = weighing;
    const consensus = weighing.point.slice();
    const { spread, radius } = distances(this.values, consensus);
    const particle = Float64Array.from(deciding.subarray(Math.max(best, 0) * plan.d, (Math.max(best, 0) + 1) * plan.d));
    return [{ k, consensus, energy, spread, radius, nEff, least, best: particle }];
  }

  async particlesAt(): Promise<Tensor> {
    return this.tensorOf(this.values, this.plan.n);
  }

  async release(): Promise<void> {}

  private async move(k: number): Promise<void> {
    const { plan } = this;
    const { batches } = plan;
    const moves = batches?.partial ? marked(batches.rowsAt(k - 1), plan.n) : undefined;
    this.values = moved(plan.motion, this.values, this.weighing.point, plan.normalsAt(k), plan.scaleAt(k), moves);
    if (this.gradient !== undefined) await this.descend(this.gradient, moves);
    const { box, project } = plan.problem;
    if (box === undefined && project === undefined) return;
    this.values = feasible(plan.problem, this.tensorOf(this.values, plan.n), plan.owner).data() as Floats;
  }

  private async descend(gradient: GradientEvaluator, moves: Uint8Array | undefined): Promise<void> {
    const { d, descent, n } = this.plan;
    const g = await gradient.at(this.tensorOf(this.values, n));
    const next = this.values.slice();
    for (let i = 0; i < next.length; i++) {
      if (moves === undefined || moves[Math.floor(i / d)] !== 0) next[i] -= descent * g[i];
    }
    this.values = next;
  }

  private tensorOf(values: Floats, n: number): Tensor {
    return hostTensor(values, [n, this.plan.d], this.plan.dtype);
  }
}

/** @internal 1 for the particles of the batch. */
export function marked(rows: Int32Array, n: number): Uint8Array {
  const out = new Uint8Array(n);
  for (const i of rows) out[i] = 1;
  return out;
}

function gathered(values: Floats, rows: Int32Array, d: number): Floats {
  const out = values.slice(0, rows.length * d);
  for (let r = 0; r < rows.length; r++) out.set(values.subarray(rows[r] * d, (rows[r] + 1) * d), r * d);
  return out;
}

function distances(values: Floats, point: Float64Array): { spread: number; radius: number } {
  const d = point.length;
  let [sum, largest] = [0, 0];
  for (let row = 0; row < values.length; row += d) {
    let square = 0;
    for (let j = 0; j < d; j++) {
      const u = values[row + j] - point[j];
      square += u * u;
    }
    sum += square;
    // A NaN must not pass unseen.
    if (!(square <= largest)) largest = square;
  }
  return { spread: Math.sqrt((sum * d) / values.length), radius: Math.sqrt(largest) };
}
