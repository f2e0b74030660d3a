import type { Cluster, Team } from "@offprint/cluster";
import { runLoop } from "@offprint/solvers";
import { requireObject } from "@offprint/tensor-core";
import { type ClusterProblem, samplesOf, shareOf } from "./cluster-problem.js";
import { conductRound, relativePatience } from "./conduct-round.js";
import type { WorkOrder, WorkResult } from "./gradient-worker.js";
import { Master } from "./master.js";
import { checkMasterState, firstState, type MasterState, type RoundRecord } from "./master-state.js";
import { place, type Scheme } from "./scheme.js";
import { type ClusterTrainingOptions, type ClusterTrainingResult, checkTraining } from "./training-options.js";

const owner = "trainOnCluster";

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
  requireObject("trainOnCluster", "cluster", cluster, "{ team }");
  requireObject("trainOnCluster", "scheme", scheme, "a Scheme");
  requireObject("trainOnCluster", "problem", problem, "{ job, models, optimizer, data }");
  requireObject("trainOnCluster", "options", options, "{ steps }");
  checkTraining(owner, scheme, problem, options);
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
  const samples = samplesOf(owner, data);
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
      renewed: (worker) => master.renewed(state, assigned, worker),
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
        initial: () => firstState(models, optimizer, steps),
        step,
        count: ({ rounds }) => rounds,
        record: ({ last }) => (interrupted ? undefined : (last ?? undefined)),
        finished: (state) => (state.steps >= steps ? "limit" : undefined),
        check: (state) => checkMasterState(owner, state, scheme, models.length),
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
