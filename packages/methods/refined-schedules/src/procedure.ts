import { adam, adamw, applyUpdates, type GradientTransformation, type Schedule, sgd } from "@offprint/optim";
import { figureOf } from "@offprint/solvers";
import { asTensor, NonFiniteError, type TensorLike, ValueError } from "@offprint/tensor-core";
import { multiplierSchedule } from "./multiplier-schedule.js";
import { gradientNormsOf } from "./norm-recorder.js";
import { nextPlace } from "./peak-search.js";
import { type RefinedSchedule, refineSchedule } from "./refine.js";
import { schedules } from "./schedules.js";
import type {
  RefineRecord,
  Run,
  RunNorms,
  TrainAndRefineOptions,
  TrainAndRefineResult,
  TrainingProblem,
} from "./train-and-refine.js";

/** A run that has ended, as a tree. */
export type EndedRun<P> = Omit<Run<P>, "multipliers">;

/** A run at work, as a tree. */
export interface OpenRun<P> {
  /** Its place among the peaks that are tried. */
  readonly place: number;
  /** Peak learning rate. */
  readonly learningRate: number;
  /** The present iterate. */
  readonly params: P;
  /** The optimizer's state. */
  readonly optimizerState: unknown;
  /** Training steps made. */
  readonly done: number;
  /** Losses and norms of the steps made. */
  readonly losses: Float64Array;
  /** Norms of the steps made. */
  readonly norms: RunNorms;
  /** Batches that its score has seen, and the sum of their losses. */
  readonly scored: { readonly batches: number; readonly sum: number };
}

/** Where the procedure stands, as a tree. */
export interface ProcedurePoint<P> {
  /** The best run of every round that has ended; the first is that with linear decay. */
  readonly rounds: readonly EndedRun<P>[];
  /** The peaks tried in the present round. */
  readonly tried: readonly { readonly place: number; readonly score: number }[];
  /** The best run of the present round. */
  readonly best: EndedRun<P> | null;
  /** The run at work. */
  readonly open: OpenRun<P> | null;
  /** The record of the run that the last step ended. */
  readonly ended: RefineRecord | null;
  /** Runs that have ended. */
  readonly runs: number;
}

type Optimizer = (learningRate: Schedule) => GradientTransformation;

function optimizerOf(choice: TrainAndRefineOptions<unknown>["optimizer"]): Optimizer {
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

/** Part H a batch at a time: every move is a pure function of a point, so that it can be stopped anywhere. */
export class Procedure<P> {
  private readonly optimizer: Optimizer;
  private readonly refined = new Map<number, RefinedSchedule>();
  /** The optimizer of the run at work, kept while that is the same. */
  private made: { readonly key: string; readonly optimizer: GradientTransformation } | undefined;

  constructor(
    private readonly problem: TrainingProblem<P>,
    private readonly options: TrainAndRefineOptions<P>,
  ) {
    this.optimizer = optimizerOf(options.optimizer);
  }

  start(): ProcedurePoint<P> {
    return { rounds: [], tried: [], best: null, open: null, ended: null, runs: 0 };
  }

  finished({ rounds }: ProcedurePoint<P>): boolean {
    return rounds.length > (this.options.rounds ?? 1);
  }

  /** One batch: of training, or of the score of a run whose training is over. */
  async step(point: ProcedurePoint<P>): Promise<ProcedurePoint<P>> {
    const open = point.open ?? this.openRun(point);
    const { steps, evaluate } = this.options;
    if (open.done < steps) {
      const trained = await this.trained(point, open);
      if (trained === undefined) return this.endRun(point, open, Infinity);
      if (trained.done < steps || evaluate === undefined) return { ...point, open: trained, ended: null };
      const score = await figureOf("trainAndRefine", "evaluate", evaluate(trained.params));
      return this.endRun(point, trained, score);
    }
    const batches = Math.ceil(steps / 10);
    const { loss } = await this.problem.lossAndGradients(open.params, steps + open.scored.batches);
    const scored = { batches: open.scored.batches + 1, sum: open.scored.sum + itemOf(loss) };
    if (scored.batches < batches) return { ...point, open: { ...open, scored }, ended: null };
    return this.endRun(point, open, scored.sum / batches);
  }

  /** The run after one more training step, or nothing where it diverges. */
  private async trained(point: ProcedurePoint<P>, open: OpenRun<P>): Promise<OpenRun<P> | undefined> {
    const { done, params } = open;
    const { loss, gradients } = await this.problem.lossAndGradients(params, done);
    const value = itemOf(loss);
    const { l1, l2 } = gradientNormsOf(gradients);
    if (!Number.isFinite(value) || !Number.isFinite(l2)) return undefined;
    // Entries from `done` on belong to nobody: a snapshot leaves them out.
    open.losses[done] = value;
    open.norms.l1[done] = l1;
    open.norms.l2[done] = l2;
    const optimizer = this.optimizerOf(point, open.learningRate);
    const { updates, state } = optimizer.update(gradients, open.optimizerState, params);
    return { ...open, params: applyUpdates(params, updates), optimizerState: state, done: done + 1 };
  }

  private openRun(point: ProcedurePoint<P>): OpenRun<P> {
    const { steps } = this.options;
    const { initial } = this.problem;
    const place = this.nextPlace(point) as number;
    const learningRate = this.rateAt(point, place);
    return {
      place,
      learningRate,
      params: initial,
      optimizerState: this.optimizerOf(point, learningRate).init(initial),
      done: 0,
      losses: new Float64Array(steps),
      norms: { l1: new Float64Array(steps), l2: new Float64Array(steps) },
      scored: { batches: 0, sum: 0 },
    };
  }

  private endRun(point: ProcedurePoint<P>, open: OpenRun<P>, given: number): ProcedurePoint<P> {
    const score = Number.isNaN(given) ? Infinity : given;
    const { place, learningRate, params, done, losses, norms } = open;
    const run: EndedRun<P> = {
      learningRate,
      params,
      losses: losses.slice(0, done),
      norms: { l1: norms.l1.slice(0, done), l2: norms.l2.slice(0, done) },
      score,
    };
    const round = point.rounds.length;
    const runs = point.runs + 1;
    const phase = round === 0 ? "linear" : "refined";
    const tried = [...point.tried, { place, score }];
    const best = point.best === null || score < point.best.score ? run : point.best;
    const after = {
      ...point,
      tried,
      best,
      open: null,
      ended: { runs, phase, round, learningRate, score },
      runs,
    } as const;
    if (this.nextPlace(after) !== undefined) return after;
    if (round === 0 && best.score === Infinity) {
      throw new NonFiniteError("every linear-decay run diverged; give a smaller learningRate");
    }
    return { ...after, rounds: [...point.rounds, best], tried: [], best: null };
  }

  /** Peaks to be tried in order, or the next place of the search. */
  private nextPlace({ rounds, tried }: ProcedurePoint<P>): number | undefined {
    const list = rounds.length === 0 ? this.baseRates() : this.options.learningRateFactors;
    if (list === undefined) return nextPlace(tried);
    return tried.length < list.length ? tried.length : undefined;
  }

  private rateAt({ rounds }: ProcedurePoint<P>, place: number): number {
    if (rounds.length === 0) return this.baseRates()[place];
    const previous = rounds[rounds.length - 1].learningRate;
    const { learningRateFactors } = this.options;
    if (learningRateFactors !== undefined) return learningRateFactors[place] * previous;
    // The theory tells the ratio to linear decay; later schedules begin at the peak before.
    const ratio = rounds.length === 1 ? this.scheduleOf(rounds, 1).learningRateRatio : 1;
    return ratio * previous * 2 ** (place / 2);
  }

  private baseRates(): readonly number[] {
    const { learningRate } = this.options;
    return typeof learningRate === "number" ? [learningRate] : learningRate;
  }

  /** The refined schedule of a round, from the norms of the round before. */
  private scheduleOf(rounds: readonly EndedRun<P>[], round: number): RefinedSchedule {
    const known = this.refined.get(round);
    if (known !== undefined) return known;
    const { optimizer, tau, power, floor } = this.options;
    const norm = this.options.norm ?? (optimizer === "adam" || optimizer === "adamw" ? "l1" : "l2");
    const made = refineSchedule(rounds[round - 1].norms[norm], {
      norm,
      ...(tau === undefined ? {} : { tau }),
      ...(power === undefined ? {} : { power }),
      ...(floor === undefined ? {} : { floor }),
    });
    this.refined.set(round, made);
    return made;
  }

  private multipliersOf(rounds: readonly EndedRun<P>[], round: number): Float64Array {
    return round === 0 ? schedules.linear(this.options.steps) : this.scheduleOf(rounds, round).multipliers;
  }

  private optimizerOf({ rounds }: ProcedurePoint<P>, learningRate: number): GradientTransformation {
    const key = `${rounds.length} ${learningRate}`;
    if (this.made?.key !== key) {
      const schedule = multiplierSchedule(this.multipliersOf(rounds, rounds.length), learningRate);
      this.made = { key, optimizer: this.optimizer(schedule) };
    }
    return this.made.optimizer;
  }

  /** A point that later steps do not change. */
  snapshot(point: ProcedurePoint<P>): ProcedurePoint<P> {
    const { open } = point;
    if (open === null) return point;
    const { steps } = this.options;
    const kept = (values: Float64Array): Float64Array => {
      const copy = new Float64Array(steps);
      copy.set(values.subarray(0, open.done));
      return copy;
    };
    const norms = { l1: kept(open.norms.l1), l2: kept(open.norms.l2) };
    return { ...point, open: { ...open, losses: kept(open.losses), norms } };
  }

  /** @throws ValueError for what is no point of this procedure. */
  check(point: ProcedurePoint<P>): void {
    const { rounds, tried, open } = point;
    const { steps } = this.options;
    if (Array.isArray(rounds) && Array.isArray(tried) && (open === null || open?.losses?.length === steps)) return;
    throw new ValueError(
      `trainAndRefine: resume is not where runs of ${steps} steps stand; give the \`state\` of a result or of a checkpoint`,
    );
  }

  results(
    point: ProcedurePoint<P>,
  ): Pick<TrainAndRefineResult<P>, "params" | "base" | "refined" | "schedule" | "rounds"> {
    const { best } = point;
    const present = best === null || best.score === Infinity ? [] : [best];
    const all = [...point.rounds, ...present];
    const runs = all.map((run, round) => ({ ...run, multipliers: this.multipliersOf(all, round) }));
    const [base, ...others] = runs;
    const rounds = others.map((run, k) => ({ schedule: this.scheduleOf(all, k + 1), run }));
    return {
      params: runs.length === 0 ? this.problem.initial : runs[runs.length - 1].params,
      base,
      refined: rounds[rounds.length - 1]?.run,
      schedule: point.rounds.length === 0 ? undefined : this.scheduleOf(all, Math.max(1, all.length - 1)),
      rounds,
    };
  }
}
