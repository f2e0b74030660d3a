import type { Cluster, JobReference, Team } from "@offprint/cluster";
import { applyUpdates, type GradientTransformation } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  div,
  isTensor,
  NonFiniteError,
  requireChoice,
  requireInteger,
  requireNonNegative,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import type { WaitOut } from "./close-round.js";
import { conductRound, type Patience, relativePatience } from "./conduct-round.js";
import type { ChunkSource, WorkerShare, WorkOrder, WorkResult } from "./gradient-worker.js";
import { combine, type JobResults, noResults, type TaskResult, withResults } from "./job-results.js";
import { unravelGradient } from "./ravel-gradient.js";
import { roundKinds } from "./round-grid.js";
import {
  type Assignment,
  begin,
  decodable,
  jobOf,
  type Placement,
  place,
  type Range,
  recordRound,
  roundsOf,
  type Scheme,
  type SchemeState,
  workOf,
} from "./scheme.js";

/** What is trained. */
export interface ClusterProblem<P, D = unknown, C = unknown> {
  /** What a `gradientWorker` is exported as: `"package#name"`, or a module of this machine. */
  readonly job: JobReference;
  /** M >= T + 1 models that are trained side by side, by their first parameters: trees of float tensors. */
  readonly models: readonly P[];
  /** Makes steps of gradients. */
  readonly optimizer: GradientTransformation;
  /**
   * The samples: a tree of tensors with one sample per place of axis 0. A number where workers load them themselves
   * (`load` of the worker's model).
   */
  readonly data: D | number;
  /** Plain data that all workers are given. */
  readonly config?: C;
  /** Whether the loss is the mean over the samples, or their sum. Default `"mean"`. */
  readonly reduction?: "mean" | "sum";
}

/** A step that a round has made. */
export interface ModelUpdate {
  /** t: the job whose gradient it was. */
  readonly job: number;
  /** The model. */
  readonly model: number;
  /** Its loss before the step. */
  readonly objective: number;
}

/** What `onProgress` is told of a round. */
export interface RoundRecord {
  /** From 1. */
  readonly round: number;
  /** The steps that its results completed. */
  readonly updates: readonly ModelUpdate[];
  /** Who was let go. */
  readonly stragglers: readonly number[];
  /** Who was slow and waited for. */
  readonly waitedFor: readonly number[];
  /** `[n]` what each worker did: places in `gridKinds`. */
  readonly kinds: readonly number[];
}

interface ModelState<P> {
  readonly params: P;
  readonly optimizer: unknown;
}

interface OpenJob<P> {
  /** Number within the stretch. */
  readonly job: number;
  /** The weights that its gradient is taken at. */
  readonly params: P;
  readonly results: JobResults;
}

/** Where the master is. */
export interface MasterState<P> {
  /** Rounds behind it. */
  readonly rounds: number;
  /** Steps made. */
  readonly steps: number;
  /** First job of this stretch: a run that goes on after its end begins a new one. */
  readonly first: number;
  /** The scheme. */
  readonly scheme: SchemeState;
  /** The models with the states of their optimizers. */
  readonly models: readonly ModelState<P>[];
  /** Jobs under way. */
  readonly open: readonly OpenJob<P>[];
  /** The record of the last round. */
  readonly last: RoundRecord | null;
}

/** What a training goes on from. */
export type ClusterTrainingState<P> = RunState<MasterState<P>, RoundRecord>;

/** Options of `trainOnCluster`. */
export interface ClusterTrainingOptions<P> extends RunOptions<RoundRecord, ClusterTrainingState<P>> {
  /** J: steps of all models together, those of a resumed run included. */
  readonly steps: number;
  /** mu: who takes more than (1 + mu) times as long as the first one is slow. Default 1. */
  readonly mu?: number;
  /** Another rule for when the others count as slow, in place of `mu`. */
  readonly patience?: Patience;
  /** Whom to wait for when the slow ones would be too many. Default `"minimal"`. */
  readonly waitOut?: WaitOut;
  /** Whether lost workers are made anew. Default true; false leaves them away: they straggle for ever. */
  readonly restart?: boolean;
  /** Allows fewer than T + 1 models: their gradients are then of earlier weights. Default false. */
  readonly allowStale?: boolean;
  /** Told whenever a worker has answered; a clock there records the delays for `selectParameters`. */
  readonly onAnswer?: (answer: { readonly round: number; readonly worker: number }) => void;
}

/** What `trainOnCluster` gives. */
export interface ClusterTrainingResult<P> {
  /** The parameters of each model. */
  readonly models: P[];
  /** How it ended. */
  readonly status: Exclude<Status, "converged">;
  /** Steps made, of all models together. */
  readonly steps: number;
  /** Rounds. */
  readonly iterations: number;
  /** One record for each round. */
  readonly history: RoundRecord[];
  /** What a further run resumes from. */
  readonly state: ClusterTrainingState<P>;
}

const owner = "trainOnCluster";
const optionNames = ["steps", "mu", "patience", "waitOut", "restart", "allowStale", "onAnswer", ...runOptionNames];

function samplesOf(data: unknown): number {
  if (typeof data === "number") {
    requireInteger(owner, "data", data, 1);
    return data;
  }
  const counts = new Set(tree.leaves<TensorLike>(data).map((leaf) => asTensor(leaf).shape[0] ?? 0));
  const [samples = 0] = counts;
  if (counts.size === 1 && samples > 0) return samples;
  throw new ShapeError(
    `${owner}: data has leaves of ${[...counts].join(" and ") || "no"} samples; give tensors with one sample per place of axis 0`,
  );
}

function check<P>(
  scheme: Scheme,
  { models, optimizer, reduction }: ClusterProblem<P>,
  options: ClusterTrainingOptions<P>,
) {
  checkOptions(owner, options, optionNames);
  const { steps, mu = 1, patience, waitOut, allowStale = false, onAnswer } = options;
  requireInteger(owner, "steps", steps, 0);
  requireNonNegative(owner, "mu", mu);
  requireChoice(owner, "waitOut", waitOut, ["minimal", "all"]);
  requireChoice(owner, "reduction", reduction, ["mean", "sum"]);
  for (const [name, value] of Object.entries({ patience, onAnswer })) {
    if (value !== undefined && typeof value !== "function") {
      throw new ValueError(`${owner}: ${name} is ${typeof value}; it must be a function`);
    }
  }
  if (typeof optimizer?.update !== "function") {
    throw new ValueError(
      `${owner}: optimizer must be { init, update }, such as sgd({ learningRate: 0.1 }) of @offprint/optim`,
    );
  }
  if (models.length === 0) throw new ValueError(`${owner}: models is empty; give the parameters of one or more`);
  if (models.length <= scheme.delay && !allowStale) {
    throw new ValueError(
      `${owner}: models has ${models.length} of them; ${scheme.name} finishes a gradient ${scheme.delay} rounds later, so ` +
        `give ${scheme.delay + 1} or more, or set allowStale`,
    );
  }
  for (const [model, params] of models.entries()) {
    for (const leaf of tree.leaves<TensorLike>(params)) {
      const values = isTensor(leaf) ? leaf.data() : asTensor(leaf).data();
      if (!values.every(Number.isFinite)) {
        throw new NonFiniteError(`${owner}: models[${model}] has a parameter that is not finite; give finite ones`);
      }
    }
  }
}

function chunkOf<D>(data: D | number, { from, to }: Range): ChunkSource<D> | null {
  if (from === to) return null;
  if (typeof data === "number") return { from, to };
  return { data: tree.map((leaf: Tensor) => slice(leaf, [{ start: from, stop: to }]), data) };
}

/** What a worker is made of. */
function shareOf<C, D>(
  scheme: Scheme,
  placement: Placement,
  data: D | number,
  config: C,
  worker: number,
): WorkerShare<C, D> {
  const { chunks, factors } = scheme.code()?.row(worker) ?? { chunks: [], factors: [] };
  return {
    worker,
    config,
    own: placement.own[worker].map((range) => chunkOf(data, range)),
    coded: placement.coded.map((group) => chunks.map((chunk) => chunkOf(data, group[chunk]))),
    factors,
  };
}

/** The master: everything that it does in a round but the asking. */
class Master<P> {
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

  /** The state after a round, with the steps that it has completed. */
  closed(
    state: MasterState<P>,
    assigned: readonly Assignment[],
    orders: readonly (WorkOrder<P> | undefined)[],
    {
      answers,
      stragglers,
      waitedFor,
    }: {
      readonly answers: ReadonlyMap<number, WorkResult>;
      readonly stragglers: readonly number[];
      readonly waitedFor: readonly number[];
    },
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

/**
 * Trains models on a cluster some of whose workers are slow or lost, with exact gradients: job t is a step of model t mod
 * M, and redundant work, of which the scheme says how much, makes up for what stragglers do not return.
 *
 * @param cluster one of `@offprint/cluster`: threads or many machines
 * @throws StragglerError where more workers are lost than the scheme makes up for; JobError where the user's model throws;
 * NonFiniteError where a loss is no longer finite; ValueError for options out of range
 * @example
 * const { models } = await trainOnCluster(
 *   await cluster({ kind: "threads" }),
 *   mSgc({ workers: 8, burst: 2, window: 4, lambda: 3 }),
 *   { job: "my-jobs#regression", models: initial, optimizer: sgd({ learningRate: 0.5 }), data: { x, y } },
 *   { steps: 400 },
 * );
 */
export async function trainOnCluster<P, D = unknown, C = unknown>(
  cluster: Pick<Cluster, "team">,
  scheme: Scheme,
  problem: ClusterProblem<P, D, C>,
  options: ClusterTrainingOptions<P>,
): Promise<ClusterTrainingResult<P>> {
  check(scheme, problem, options);
  const { models, optimizer, data, config } = problem;
  const {
    steps,
    mu = 1,
    patience = relativePatience(mu),
    waitOut = "minimal",
    restart = true,
    signal,
    onAnswer,
  } = options;
  const samples = samplesOf(data);
  const placement = place(scheme, samples);
  const master = new Master(scheme, placement, problem, samples);
  let opening: Promise<Team<WorkOrder<P>, WorkResult>> | undefined;
  const team = () => {
    opening ??= cluster.team(problem.job, {
      size: scheme.workers,
      initial: (worker) => shareOf(scheme, placement, data, config, worker),
      restart,
    });
    return opening;
  };
  let interrupted = false;
  const step = async (before: MasterState<P>): Promise<MasterState<P>> => {
    const state = master.opened(before, steps);
    const assigned = scheme.assign(state.scheme);
    const orders = master.orders(state, assigned);
    const outcome = await conductRound(await team(), {
      round: state.rounds,
      orders,
      admits: scheme.admits(state.scheme, assigned),
      waitOut,
      patience,
      restart,
      signal,
      onAnswer: (worker) => onAnswer?.({ round: state.rounds, worker }),
    });
    interrupted = outcome === undefined;
    return outcome === undefined ? before : master.closed(state, assigned, orders, outcome);
  };
  try {
    const { last, ...run } = await runLoop<MasterState<P>, RoundRecord, "limit">(
      {
        owner,
        limit: Number.POSITIVE_INFINITY,
        initial: () => ({
          rounds: 0,
          steps: 0,
          first: 0,
          scheme: begin(Math.max(1, steps)),
          models: models.map((params) => ({ params, optimizer: optimizer.init(params) })),
          open: [],
          last: null,
        }),
        step,
        count: ({ rounds }) => rounds,
        record: ({ last }) => (interrupted ? undefined : (last ?? undefined)),
        finished: (state) => (state.steps >= steps ? "limit" : undefined),
        check: (state) => checkState(state, scheme, models.length),
      },
      options,
    );
    return { ...run, models: last.models.map(({ params }) => params), steps: last.steps };
  } finally {
    await opening?.then(
      (opened) => opened.close(),
      () => undefined,
    );
  }
}

function checkState<P>({ models, scheme: { active } }: MasterState<P>, scheme: Scheme, count: number): void {
  const wrong = active.some(
    ({ own, coded }) => own.length !== scheme.workers || coded.length !== scheme.layout.groups * scheme.workers,
  );
  if (models.length === count && !wrong) return;
  throw new ValueError(
    `${owner}: resume is of ${models.length} models${wrong ? " and another scheme" : ""}; give the models and the scheme that it was made with`,
  );
}
