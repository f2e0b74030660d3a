import { adam, adamw, applyUpdates, type GradientTransformation, type Schedule, sgd } from "@offprint/optim";
import { AbortedError, asTensor, type TensorLike, ValueError } from "@offprint/tensor-core";
import { requireStepCount } from "./argument-checks.js";
import { multiplierSchedule } from "./multiplier-schedule.js";
import { GradientNormRecorder } from "./norm-recorder.js";
import { type RefinedSchedule, type RefineOptions, refineSchedule } from "./refine.js";
import { schedules } from "./schedules.js";

/** What is trained. */
export interface TrainingProblem<P> {
  /** Initial parameters, a tree of tensors. */
  readonly params: P;
  /** Loss and raw gradient of the batch of a step (from 0); a given step always means the same batch. */
  lossAndGradients(params: P, step: number): LossAndGradients<P> | Promise<LossAndGradients<P>>;
}

/** Loss of a batch and its gradient. */
export interface LossAndGradients<P> {
  /** A number or a scalar tensor. */
  readonly loss: TensorLike;
  /** Like the parameters. */
  readonly gradients: P;
}

/** One run. */
export interface Run<P> {
  /** Peak learning rate. */
  readonly learningRate: number;
  /** Multipliers of the peak, `[T]`. */
  readonly multipliers: Float64Array;
  /** The last iterate. */
  readonly params: P;
  /** Loss of each step's batch, `[steps]`; shorter than T where the run diverged. */
  readonly losses: Float64Array;
  /** Gradient norms of each step. */
  readonly norms: GradientNormRecorder;
  /** What `evaluate` gave for the last iterate; Infinity where the run diverged. */
  readonly score: number;
}

/** Where a whole procedure stands. */
export interface RefineProgress {
  /** Runs finished. */
  readonly runs: number;
  /** `"linear"`, or `"refined"` with the round from 1. */
  readonly phase: "linear" | "refined";
  /** Round of refinement, from 1; 0 for the linear-decay runs. */
  readonly round: number;
  /** Peak learning rate of the run that has just ended. */
  readonly learningRate: number;
  /** Its score. */
  readonly score: number;
}

/** Options of `trainAndRefine`. */
export interface TrainAndRefineOptions<P> extends Pick<RefineOptions, "tau" | "norm" | "power" | "floor"> {
  /**
   * `"adam"` and `"adamw"` have beta1 0.9 and beta2 0.95; or a function that makes the optimizer with a schedule. Norms
   * default to `"l2"` for `"sgd"` and a function, `"l1"` for the others.
   */
  readonly optimizer: "sgd" | "adam" | "adamw" | ((learningRate: Schedule) => GradientTransformation);
  /** Peak learning rate of the linear-decay run; of several, the best by score. */
  readonly learningRate: number | readonly number[];
  /** T, the steps of each run. */
  readonly steps: number;
  /** Rounds of refinement, >= 1. Default 1, as in the paper. */
  readonly rounds?: number;
  /**
   * Factors on the previous peak that are tried with a refined schedule. Default `2^(k/2)`, k = -2..2, around the ratio of
   * the theoretical peaks, extended while the best is at an edge; [1] keeps the peak.
   */
  readonly learningRateFactors?: readonly number[];
  /** What the peaks are tuned by, lower is better. Default the mean loss at the last iterate over T/10 further batches. */
  readonly evaluate?: (params: P) => number | Promise<number>;
  /** Called after each run and awaited. */
  readonly onProgress?: (progress: RefineProgress) => unknown;
  /** Ends the procedure before the next step. */
  readonly signal?: AbortSignal;
}

/** The runs that count, and the schedule between them. */
export interface TrainAndRefineResult<P> {
  /** The best linear-decay run. */
  readonly base: Run<P>;
  /** The best run with the last refined schedule. */
  readonly refined: Run<P>;
  /** The last refined schedule. */
  readonly schedule: RefinedSchedule;
  /** Every schedule and its best run, a round each. */
  readonly rounds: readonly { readonly schedule: RefinedSchedule; readonly run: Run<P> }[];
}

/** How far the search for a peak goes beyond its first five factors, on either side. */
const MOST_EXTENSIONS = 12;

type Optimizer = (learningRate: Schedule) => GradientTransformation;

function optimizerOf(choice: TrainAndRefineOptions<any>["optimizer"]): Optimizer {
  if (typeof choice === "function") return choice;
  const beta = { beta1: 0.9, beta2: 0.95 };
  if (choice === "sgd") return (learningRate) => sgd({ learningRate });
  if (choice === "adam") return (learningRate) => adam({ learningRate, ...beta });
  if (choice === "adamw") return (learningRate) => adamw({ learningRate, ...beta });
  throw new ValueError(`trainAndRefine: there is no optimizer "${choice}"; give "sgd", "adam", "adamw" or a function`);
}

function itemOf(loss: TensorLike): number {
  return typeof loss === "number" ? loss : asTensor(loss).item();
}

/** Everything the runs of one call share. */
class Procedure<P> {
  private readonly problem: TrainingProblem<P>;
  private readonly options: TrainAndRefineOptions<P>;
  private readonly optimizer: Optimizer;
  private runs = 0;

  constructor(problem: TrainingProblem<P>, options: TrainAndRefineOptions<P>) {
    this.problem = problem;
    this.options = options;
    this.optimizer = optimizerOf(options.optimizer);
  }

  async run(multipliers: Float64Array, learningRate: number, round: number): Promise<Run<P>> {
    const { steps, onProgress } = this.options;
    const optimizer = this.optimizer(multiplierSchedule(multipliers, learningRate));
    const norms = new GradientNormRecorder();
    const losses: number[] = [];
    let params = this.problem.params;
    let state = optimizer.init(params as any);
    let diverged = false;
    for (let step = 0; step < steps && !diverged; step++) {
      this.requireRunning();
      const { loss, gradients } = await this.problem.lossAndGradients(params, step);
      losses.push(itemOf(loss));
      diverged = !Number.isFinite(losses[step]) || !Number.isFinite(norms.record(gradients).l2);
      if (diverged) break;
      const update = optimizer.update(gradients as any, state, params as any);
      params = applyUpdates(params, update.updates);
      state = update.state;
    }
    const evaluated = diverged ? Infinity : await this.score(params);
    const score = Number.isNaN(evaluated) ? Infinity : evaluated;
    this.runs += 1;
    const phase = round === 0 ? "linear" : "refined";
    await onProgress?.({ runs: this.runs, phase, round, learningRate, score });
    return { learningRate, multipliers, params, losses: Float64Array.from(losses), norms, score };
  }

  private async score(params: P): Promise<number> {
    const { evaluate, steps } = this.options;
    if (evaluate) return evaluate(params);
    const batches = Math.ceil(steps / 10);
    let sum = 0;
    for (let i = 0; i < batches; i++) sum += itemOf((await this.problem.lossAndGradients(params, steps + i)).loss);
    return sum / batches;
  }

  /** The best run over some peaks. */
  async best(multipliers: Float64Array, rates: readonly number[], round: number): Promise<Run<P>> {
    const runs: Run<P>[] = [];
    for (const rate of rates) runs.push(await this.run(multipliers, rate, round));
    return bestOf(runs);
  }

  /** The best run around a start, on a grid of half octaves that grows while its best is at an edge (part H). */
  async search(multipliers: Float64Array, start: number, round: number): Promise<Run<P>> {
    const rate = (k: number) => start * 2 ** (k / 2);
    const runs = new Map<number, Run<P>>();
    for (let k = -2; k <= 2; k++) runs.set(k, await this.run(multipliers, rate(k), round));
    for (let extension = 0; extension < 2 * MOST_EXTENSIONS; extension++) {
      const places = [...runs.keys()].sort((a, b) => a - b);
      const best = bestOf([...runs.values()]);
      const at = places.find((k) => runs.get(k) === best)!;
      // A run that diverges ends the search on its side.
      const next = at === places[0] ? at - 1 : at === places[places.length - 1] ? at + 1 : undefined;
      if (next === undefined || Math.abs(next) > 2 + MOST_EXTENSIONS) return best;
      runs.set(next, await this.run(multipliers, rate(next), round));
    }
    return bestOf([...runs.values()]);
  }

  private requireRunning(): void {
    if (this.options.signal?.aborted) throw new AbortedError("trainAndRefine: stopped by its signal");
  }
}

function bestOf<P>(runs: readonly Run<P>[]): Run<P> {
  return runs.reduce((a, b) => (b.score < a.score ? b : a));
}

/**
 * The whole procedure on the user's problem (part H): train with linear decay at each peak learning rate and take the best;
 * refine its gradient norms into a schedule; tune the peak for that schedule. Results are those of last iterates.
 *
 * @throws ValueError for options out of range, for linear-decay runs that all diverge, and where norms do not allow
 * refinement; AbortedError.
 * @example
 * ```ts
 * import { trainAndRefine } from "@offprint/refined-schedules";
 * import { square, sub, sum, type Tensor, tensor, valueAndGrad } from "@offprint/tensor-core";
 *
 * const target = tensor([1, 2]);
 * const lossOf = valueAndGrad((x: Tensor) => sum(square(sub(x, target))));
 * const { refined } = await trainAndRefine(
 *   {
 *     params: tensor([0, 0]),
 *     lossAndGradients(x: Tensor) {
 *       const [loss, gradients] = lossOf(x);
 *       return { loss, gradients };
 *     },
 *   },
 *   { optimizer: "sgd", learningRate: 0.1, steps: 50 },
 * );
 * console.log(refined.score);
 * ```
 */
export async function trainAndRefine<P>(
  problem: TrainingProblem<P>,
  options: TrainAndRefineOptions<P>,
): Promise<TrainAndRefineResult<P>> {
  const { learningRate, steps, rounds = 1, learningRateFactors, optimizer } = options;
  requireStepCount("trainAndRefine", steps, "steps");
  requireStepCount("trainAndRefine", rounds, "rounds");
  const rates = typeof learningRate === "number" ? [learningRate] : learningRate;
  if (rates.length === 0 || !rates.every((rate) => rate > 0 && rate < Infinity)) {
    throw new ValueError(
      `trainAndRefine: learningRate is ${String(learningRate)}; give one or more finite numbers > 0`,
    );
  }
  const norm = options.norm ?? (optimizer === "adam" || optimizer === "adamw" ? "l1" : "l2");
  const procedure = new Procedure(problem, options);
  const base = await procedure.best(schedules.linear(steps), rates, 0);
  if (base.score === Infinity) {
    throw new ValueError("trainAndRefine: every linear-decay run diverged; give a smaller learningRate");
  }
  const { tau, power, floor } = options;
  const results: { schedule: RefinedSchedule; run: Run<P> }[] = [];
  let previous = base;
  for (let round = 1; round <= rounds; round++) {
    const refineOptions = Object.fromEntries(Object.entries({ tau, power, floor }).filter(([, v]) => v !== undefined));
    const schedule = refineSchedule(previous.norms[norm](), { ...refineOptions, norm });
    const ratio = round === 1 ? schedule.learningRateRatio : 1;
    const { multipliers } = schedule;
    const run = learningRateFactors
      ? await procedure.best(
          multipliers,
          learningRateFactors.map((factor) => factor * previous.learningRate),
          round,
        )
      : await procedure.search(multipliers, ratio * previous.learningRate, round);
    results.push({ schedule, run });
    previous = run;
  }
  const last = results[results.length - 1];
  return { base, refined: last.run, schedule: last.schedule, rounds: results };
}
