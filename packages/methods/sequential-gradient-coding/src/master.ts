import { applyUpdates, type GradientTransformation } from "@offprint/optim";
import { div, NonFiniteError, type Tensor, tree } from "@offprint/tensor-core";
import type { ClusterProblem } from "./cluster-problem.js";
import type { RoundOutcome } from "./conduct-round.js";
import type { WorkOrder, WorkResult } from "./gradient-worker.js";
import { combine, noResults, type TaskResult, withResults } from "./job-results.js";
import type { MasterState, ModelState, ModelUpdate, OpenJob } from "./master-state.js";
import { unravelGradient } from "./ravel-gradient.js";
import { roundKinds } from "./round-grid.js";
import {
  type Assignment,
  begin,
  decodable,
  jobOf,
  type Placement,
  recordRound,
  roundsOf,
  type Scheme,
  workOf,
} from "./scheme.js";

/** The master: everything that it does in a round but the asking. */
export class Master<P> {
  private readonly scheme: Scheme;
  private readonly placement: Placement;
  private readonly optimizer: GradientTransformation;
  private readonly samples: number;
  private readonly mean: boolean;
  /** Jobs whose weights a worker has, as its answers tell. */
  private readonly known: Set<number>[];

  constructor(scheme: Scheme, placement: Placement, problem: ClusterProblem<P>, samples: number) {
    this.scheme = scheme;
    this.placement = placement;
    this.optimizer = problem.optimizer;
    this.samples = samples;
    this.mean = (problem.reduction ?? "mean") === "mean";
    this.known = Array.from({ length: scheme.workers }, () => new Set());
  }

  /** Begins a new stretch where the last one is at its end, and the next job where there is one. */
  opened(state: MasterState<P>, steps: number): MasterState<P> {
    let { first, scheme, open } = state;
    if (scheme.round >= roundsOf(this.scheme, scheme.jobs)) {
      first += scheme.jobs;
      scheme = begin(steps - first, scheme.recent);
      for (const jobs of this.known) jobs.clear();
    }
    if (scheme.round < scheme.jobs) {
      const { params } = state.models[(first + scheme.round) % state.models.length];
      open = [...open, { job: scheme.round, params, results: noResults(this.scheme) }];
    }
    return { ...state, first, scheme, open };
  }

  orders({ scheme, open }: MasterState<P>, assigned: readonly Assignment[]): (WorkOrder<P> | undefined)[] {
    const work = workOf(this.scheme, assigned);
    return this.known.map((known, worker) => {
      const tasks = assigned
        .map(({ job, tasks }) => ({ job, task: tasks[worker] }))
        .filter(({ job, task }) => task >= 0 && open.some((each) => each.job === job));
      if (tasks.length === 0) return undefined;
      const weights = open
        .filter(({ job }) => !known.has(job) && tasks.some((each) => each.job === job))
        .map(({ job, params }) => ({ job, params }));
      return { round: scheme.round, tasks, work: work[worker], weights, oldest: open[0].job };
    });
  }

  /** The order for a worker that was lost: it has to be told everything again. */
  renewed(state: MasterState<P>, assigned: readonly Assignment[], worker: number): WorkOrder<P> | undefined {
    this.known[worker].clear();
    return this.orders(state, assigned)[worker];
  }

  /** The state after a round, with the steps that it has completed. */
  closed(
    state: MasterState<P>,
    assigned: readonly Assignment[],
    orders: readonly (WorkOrder<P> | undefined)[],
    { answers, stragglers, waitedFor }: RoundOutcome<WorkResult>,
  ): MasterState<P> {
    const byJob = new Map<number, TaskResult[]>();
    for (const [worker, order] of orders.entries()) {
      const answer = answers.get(worker);
      // Who has not answered may have been made anew, without any weights.
      if (answer === undefined) this.known[worker].clear();
      if (order === undefined || answer === undefined) continue;
      for (const { job } of order.weights) this.known[worker].add(job);
      for (const [k, { job, task }] of order.tasks.entries()) {
        const results = byJob.get(job) ?? [];
        results.push({ worker, task, vector: answer[k] });
        byJob.set(job, results);
      }
    }
    const scheme = recordRound(this.scheme, state.scheme, assigned, stragglers);
    const models = [...state.models];
    const open: OpenJob<P>[] = [];
    const updates: ModelUpdate[] = [];
    for (const { job, params, results: before } of state.open) {
      const results = withResults(this.scheme, this.placement, before, byJob.get(job) ?? []);
      const progress = jobOf(this.scheme, scheme, job);
      if (!decodable(this.scheme, progress)) {
        open.push({ job, params, results });
        continue;
      }
      const vector = combine(this.scheme, progress, results, this.samples);
      const number = state.first + job;
      const model = number % models.length;
      updates.push({ job: number, model, objective: this.improve(models, model, params, vector) });
    }
    const kinds = Array.from(
      roundKinds(this.scheme, state.scheme.round, assigned, { stragglers: [...stragglers], waitedFor: [...waitedFor] }),
    );
    const rounds = state.rounds + 1;
    const last = { round: rounds, updates, stragglers, waitedFor, kinds };
    return { rounds, steps: state.steps + updates.length, first: state.first, scheme, models, open, last };
  }

  /** Makes a step of a model, and gives its loss before. */
  private improve(models: ModelState<P>[], model: number, at: P, vector: Float64Array): number {
    const { value, gradient } = unravelGradient(vector, at);
    const scale = this.mean ? this.samples : 1;
    const objective = value / scale;
    if (!Number.isFinite(objective)) {
      throw new NonFiniteError(`the loss of model ${model} is ${objective}; take a smaller learning rate`);
    }
    const { params, optimizer } = models[model];
    const scaled = scale === 1 ? gradient : tree.map((leaf: Tensor) => div(leaf, scale), gradient);
    const { updates, state } = this.optimizer.update(scaled, optimizer, params);
    models[model] = { params: applyUpdates(params, updates as NoInfer<P>), optimizer: state };
    return objective;
  }
}
