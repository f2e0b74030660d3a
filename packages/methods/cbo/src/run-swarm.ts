import { hostTensor, type Tensor, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { CompiledSwarm } from "./compiled-swarm.js";
import { emptyWeighing, requireDecided, weigh } from "./consensus-point.js";
import { HostSwarm } from "./host-swarm.js";
import type { BestParticle, SwarmOptions, SwarmResult, SwarmState, SwarmStatus } from "./swarm-options.js";
import type { StepRecord, Swarm, SwarmPlan } from "./swarm-plan.js";

/** A consensus that moves by no more than this is at rest. */
const AT_REST = 1e-5;
/** Random numbers of one compiled run. */
const NOISE_PER_RUN = 250_000;
const FEW_PARTICLES = 5;
/** Among so many first steps. */
const EARLY = 10;

/** @internal Carries a plan out and keeps its history. */
export async function runSwarm(plan: SwarmPlan, options: SwarmOptions, warnings: string[]): Promise<SwarmResult> {
  const { evaluations: spent = 0 } = options.resume ?? {};
  const cost = costOf(plan);
  const affordable = stepsWithin(plan, cost, spent, options.maxEvaluations);
  const chronicle = new Chronicle(plan, options);
  const swarm = swarmOf(plan, options);
  let status: SwarmStatus = affordable < plan.steps ? "budget" : "completed";
  let particles: Tensor;
  try {
    let k = plan.first;
    let ended = false;
    while (!ended && k <= affordable) {
      if (options.signal?.aborted && k > plan.first) {
        status = "aborted";
        break;
      }
      const records = await swarm.run(k, affordable - k + 1);
      for (const record of records) {
        const end = chronicle.add(record);
        if (end === undefined) continue;
        status = end;
        ended = true;
        break;
      }
      k += records.length;
      if ((await options.onProgress?.(chronicle.progress())) === "stop" && !ended && k <= affordable) {
        status = "stopped";
        ended = true;
      }
    }
    particles = await swarm.particlesAt(chronicle.step);
  } finally {
    await swarm.release();
  }
  const swarmEvaluations = spent + cost.first + (chronicle.step - plan.first) * cost.step;
  if (plan.batches !== undefined) await chronicle.consult(particles);
  return chronicle.result(particles, status, swarmEvaluations + cost.answer, warnings);
}

interface Cost {
  /** Evaluations of the first step. */
  readonly first: number;
  /** Of each further one. */
  readonly step: number;
  /** Of the final answer. */
  readonly answer: number;
}

function costOf({ n, d, batches, descent, problem }: SwarmPlan): Cost {
  const deciding = batches?.size ?? n;
  const differences = descent === 0 ? 0 : n * (problem.evaluator.traceable === undefined ? 2 * d : 1);
  return { first: deciding, step: deciding + differences, answer: batches === undefined ? 1 : n + 1 };
}

/** The last step that the evaluations suffice for. */
function stepsWithin({ owner, first, steps }: SwarmPlan, cost: Cost, spent: number, budget = Infinity): number {
  const left = budget - spent - cost.answer - cost.first;
  if (left < 0) {
    throw new ValueError(
      `${owner}: maxEvaluations is ${budget}; the first step alone takes ${spent + cost.first + cost.answer}`,
    );
  }
  return Math.min(steps, first + Math.floor(left / cost.step));
}

function swarmOf(plan: SwarmPlan, { backend, stepsPerRun }: SwarmOptions): Swarm {
  const { traceable } = plan.problem.evaluator;
  if (backend === undefined) return new HostSwarm(plan);
  if (traceable === undefined) {
    throw new UnsupportedError(
      `${plan.owner}: a backend compiles objectives in operations of tensors (a function, or pointwise); leave backend ` +
        "out for perParticle and batch",
    );
  }
  const suitable = Math.max(1, Math.min(64, Math.floor(NOISE_PER_RUN / (plan.n * plan.d))));
  const length = stepsPerRun ?? evenRuns(plan.steps - plan.first + 1, suitable);
  return new CompiledSwarm(plan, { backend, stepsPerRun: length }, traceable);
}

/** Steps a run so that the last run is about as long as the others. */
function evenRuns(steps: number, most: number): number {
  return Math.ceil(steps / Math.ceil(steps / most));
}

/** Collects records, and decides when a run is over. */
class Chronicle {
  private readonly path: Float64Array[] = [];
  private readonly energy: number[] = [];
  private readonly spread: number[] = [];
  private readonly nEff: number[] = [];
  private readonly least: number[] = [];
  private best: { x: Float64Array; objective: number };
  private consensus: Float64Array;
  private stalled: number;
  /** The last step recorded. */
  step: number;

  constructor(
    private readonly plan: SwarmPlan,
    private readonly options: SwarmOptions,
  ) {
    const { resume } = options;
    this.best = resume
      ? { x: Float64Array.from(resume.best.x.data()), objective: resume.best.objective }
      : { x: new Float64Array(plan.d), objective: Infinity };
    this.consensus = resume ? Float64Array.from(resume.consensus.data()) : new Float64Array(plan.d).fill(Number.NaN);
    this.stalled = resume?.stalled ?? 0;
    this.step = plan.first;
  }

  /** @returns how the run ends here, if it does */
  add(record: StepRecord): SwarmStatus | undefined {
    const { tolerance, patience, recordPath = true } = this.options;
    const { owner, first, n, batches } = this.plan;
    const { k, least, spread } = record;
    if (k === first || least === -Infinity) requireDecided(owner, record, batches?.size ?? n, ` at step ${k}`);
    if (!Number.isFinite(spread) || !Number.isFinite(least)) return "diverged";
    if (least < this.best.objective) this.best = { x: record.best, objective: least };
    this.step = k;
    if (recordPath) this.path.push(record.consensus);
    this.energy.push(record.energy);
    this.spread.push(spread);
    this.nEff.push(record.nEff);
    this.least.push(this.best.objective);
    const before = this.consensus;
    this.consensus = record.consensus;
    // The step that a state stands at has been counted already.
    if (k > first) {
      const moved = record.consensus.some((x, j) => Math.abs(x - before[j]) > AT_REST);
      this.stalled = moved ? 0 : this.stalled + 1;
    }
    if (tolerance !== undefined && record.radius < tolerance) return "converged";
    if (patience !== undefined && this.stalled >= patience) return "stalled";
    return undefined;
  }

  progress() {
    const last = this.energy.length - 1;
    const { consensus, step, plan } = this;
    const [energy, spread, nEff] = [this.energy[last], this.spread[last], this.nEff[last]];
    return { step, steps: plan.steps, consensus, energy, spread, nEff };
  }

  /** Lets all particles decide on the last consensus, after batches have decided on the steps. */
  async consult(particles: Tensor): Promise<void> {
    const { plan, step } = this;
    const energies = await plan.problem.evaluator.evaluate(particles);
    const all = weigh(energies, particles.data(), plan.alphaAt(step), emptyWeighing(plan.d));
    if (!Number.isFinite(all.least)) return;
    this.consensus = all.point;
    if (this.path.length > 0) this.path[this.path.length - 1] = all.point;
    const last = this.energy.length - 1;
    [this.energy[last], this.nEff[last]] = [all.energy, all.nEff];
    if (all.least >= this.best.objective) return;
    const row = particles.data().subarray(all.best * plan.d, (all.best + 1) * plan.d);
    this.best = { x: Float64Array.from(row), objective: all.least };
    this.least[last] = all.least;
  }

  async result(particles: Tensor, status: SwarmStatus, evaluations: number, warnings: string[]): Promise<SwarmResult> {
    const { plan, step, path, stalled } = this;
    const { d, first, problem } = plan;
    const vector = (x: Float64Array) => hostTensor(x, [d], "float64");
    const point = hostTensor(this.consensus.slice(), [1, d], "float64");
    const [objective] = Array.from(await problem.evaluator.evaluate(asDType(point, plan.dtype)));
    const best: BestParticle = { x: vector(this.best.x), objective: this.best.objective };
    const values = new Float64Array(path.length * d);
    path.forEach((x, k) => {
      values.set(x, k * d);
    });
    const history = {
      consensus: hostTensor(values, [path.length, d], "float64"),
      energy: Float64Array.from(this.energy),
      spread: Float64Array.from(this.spread),
      nEff: Float64Array.from(this.nEff),
      best: Float64Array.from(this.least),
    };
    this.warn(status, history.nEff, warnings);
    const consensus = vector(this.consensus);
    const state: SwarmState = { step, particles, evaluations, best, stalled, consensus };
    const iterations = step - first;
    return {
      x: consensus,
      objective,
      status,
      iterations,
      history,
      best,
      particles,
      evaluations,
      warnings,
      state,
    };
  }

  private warn(status: SwarmStatus, nEff: Float64Array, warnings: string[]): void {
    if (this.plan.first === 0 && this.plan.alphaAt(0) < Infinity) {
      const early = Math.min(...nEff.subarray(0, EARLY));
      if (early < FEW_PARTICLES) {
        warnings.push(
          `in the first steps no more than ${early.toPrecision(2)} particles decided; lower alpha or take more particles`,
        );
      }
    }
    if (status === "diverged") {
      warnings.push(
        "the particles left the range of numbers, or the places where the objective is finite; lower sigma, or give bounds",
      );
    }
  }
}

function asDType(x: Tensor, dtype: "float32" | "float64"): Tensor {
  return dtype === "float64" ? x : hostTensor(Float32Array.from(x.data()), x.shape, dtype);
}
