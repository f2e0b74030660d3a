import { type RunOptions, type RunState, runLoop, type Status } from "@offprint/solvers";
import { hostTensor, type Tensor, ValueError } from "@offprint/tensor-core";
import type { Members } from "./fleet.js";
import type { ClientAnswer, ClientSettings, Correction, Question, SharedTrajectory } from "./messages.js";
import type { SettledProblem } from "./problem.js";
import { clipped, fromUnit } from "./unit-box.js";

/** One round: what `onProgress` is told. */
export interface FederatedRecord {
  /** The round, from 1. */
  readonly iteration: number;
  /** Weighted mean of the clients' values after it. */
  readonly objective: number;
  /** Queries of all clients so far. */
  readonly queries: number;
  /** Values the server has asked for besides, to judge points by: one of each client for each point. */
  readonly checks: number;
  /** Whether the clients' mean point became the new one; the safeguard keeps the old one where it is worse. */
  readonly accepted: boolean;
  /** `[d]` the point. */
  readonly x: Float64Array;
}

/** What the server goes on from; a tree that survives `tree.toJson`. */
export interface FederatedState {
  /** `[d]` the point, in the unit box. */
  readonly x: Float64Array;
  /** Weighted mean of the values there. */
  readonly objective: number;
  /** Rounds done. */
  readonly round: number;
  /** Local steps of the round under way. */
  readonly step: number;
  /** Questions asked of each client. */
  readonly asked: number;
  /** Queries of all clients. */
  readonly queries: number;
  /** Values asked for besides. */
  readonly checks: number;
  /** Whether the last round's point was taken. */
  readonly accepted: boolean;
  /** What corrects each client's gradients in the round under way; null before there is something. */
  readonly corrections: Shared | null;
  /** The clients' states; null for those that keep their own. */
  readonly members: Members;
}

/** What the clients share. */
export type Shared =
  | { readonly kind: "features"; readonly weights: Float64Array }
  | { readonly kind: "posterior"; readonly trajectories: readonly SharedTrajectory[] }
  | { readonly kind: "constant"; readonly vectors: readonly Float64Array[] };

/** The state of a run. */
export type FederatedRunState = RunState<FederatedState, FederatedRecord>;

/** Options that all federated methods take. */
export interface FederatedOptions extends RunOptions<FederatedRecord, FederatedRunState> {
  /** R: rounds at most, an integer >= 1. Default 50. */
  readonly maxIterations?: number;
  /** T: local steps of a round, an integer >= 1. Default 10. */
  readonly localSteps?: number;
  /** Local optimiser, in parts of the box: `{ kind: "adam" | "sgd", learningRate, epsilon }`. Default adam, 0.01. */
  readonly optimizer?: ClientSettings["optimizer"];
  /** eta: how far the point moves to the clients' mean, > 0. Default 1: the mean itself. */
  readonly globalStep?: number;
  /** Keeps the old point where the new one is not better. Default true. */
  readonly safeguard?: boolean;
  /** Converged when the objective is at most this. Default never. */
  readonly target?: number;
  /** Ends before a round with which all clients' queries would be more than this. Default none. */
  readonly maxQueries?: number;
  /** Decides on everything random. Default 0. */
  readonly seed?: number | string;
}

/** What federated methods give. */
export interface FederatedResult {
  /** `[d]` the last point. */
  readonly x: Tensor;
  /** Weighted mean of the clients' values there. */
  readonly objective: number;
  /** How it ended: `"converged"` at the target. */
  readonly status: Status;
  /** Rounds done, those of resumed runs included. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly FederatedRecord[];
  /** Queries of all clients together. */
  readonly queries: number;
  /** Values asked for besides, to judge points by. */
  readonly checks: number;
  /** `[M]` the averaged weights of features, where there are some. */
  readonly weights: Tensor | null;
  /** What a further run resumes from. */
  readonly state: FederatedRunState;
}

/** @internal What makes one federated method different from another. */
export interface FederatedPlan {
  readonly owner: string;
  readonly problem: SettledProblem;
  readonly settings: ClientSettings;
  readonly limit: number;
  readonly globalStep: number;
  readonly safeguard: boolean;
  readonly target: number;
  readonly maxQueries: number;
  /** Queries of a round of one client. */
  readonly queriesPerRound: number;
  /** Weight of the correction in each local step of a round from 0. */
  readonly gammas: (round: number) => Float64Array;
  /** When clients look about at the server's point: before their local steps, after them, or never. */
  readonly reports: "before" | "after" | "never";
  /** What clients share, from their answers to the local steps and their reports. */
  readonly shared: (answers: readonly ClientAnswer[], reports: readonly ClientAnswer[]) => Shared | null;
  /** What is added besides, from the first round on. */
  readonly always: Correction | null;
}

/** @internal Runs the rounds. */
export async function federatedRun(plan: FederatedPlan, options: FederatedOptions): Promise<FederatedResult> {
  const { owner, problem, settings } = plan;
  const { fleet, shares, bounds, d } = problem;
  const total = (answers: readonly ClientAnswer[], name: "queries" | "checks") =>
    answers.reduce((sum, answer) => sum + answer[name], 0);
  const meanValue = (answers: readonly ClientAnswer[]) =>
    answers.reduce((sum, { value }, i) => sum + shares[i] * value!, 0);
  /** Asks all clients, and counts. */
  const ask = async (state: FederatedState, question: (client: number) => Question) => {
    const { members, answers } = await fleet.ask(state.members, question);
    const counts = { queries: total(answers, "queries"), checks: total(answers, "checks") };
    return { answers, after: { ...state, ...counts, members, asked: state.asked + 1 } };
  };

  const first = async (): Promise<FederatedState> => {
    const nothing = { round: 0, step: 0, asked: 0, queries: 0, checks: 0, accepted: true, corrections: null };
    const before = { ...nothing, x: settings.initial, objective: Infinity, members: shares.map(() => null) };
    const { answers, after } = await ask(before, () => ({ kind: "begin", id: 0, settings }));
    return { ...after, objective: meanValue(answers) };
  };

  const localSteps = async (state: FederatedState) => {
    const { x, round, step: from, asked: id } = state;
    const to = Math.min(settings.localSteps, from + fleet.stride);
    const gammas = plan.gammas(round);
    const { answers, after } = await ask(state, (client) => {
      const correction = plan.always ?? correctionOf(state.corrections, client, shares);
      return { kind: "local", id, round, x, from, to, gammas, correction };
    });
    return { answers, after: { ...after, step: to } };
  };

  const report = (state: FederatedState) => {
    const { asked: id, round, x } = state;
    return ask(state, () => ({ kind: "report", id, round, x }));
  };

  const step = async (before: FederatedState): Promise<FederatedState> => {
    let state = before;
    if (plan.reports === "before" && state.step === 0) {
      const { answers, after } = await report(state);
      state = { ...after, corrections: plan.shared([], answers) };
    }
    const { answers: ended, after } = await localSteps(state);
    if (after.step < settings.localSteps) return after;
    const { x, round } = after;
    const moved = x.map(
      (v, k) => v - plan.globalStep * ended.reduce((sum, { z }, i) => sum + shares[i] * (v - z![k]), 0),
    );
    const next = clipped(bounds, moved);
    const judged = await ask(after, () => ({ kind: "value", id: after.asked, x: next }));
    const objective = meanValue(judged.answers);
    const accepted = !plan.safeguard || objective < after.objective;
    const chosen = accepted ? { x: next, objective } : { x, objective: after.objective };
    const decided: FederatedState = { ...judged.after, ...chosen, accepted };
    const looked = plan.reports === "after" ? await report(decided) : { answers: [], after: decided };
    const corrections = plan.reports === "before" ? null : plan.shared(ended, looked.answers);
    return { ...looked.after, round: round + 1, step: 0, corrections };
  };

  if (options.resume?.inner?.members !== undefined) await fleet.restore(options.resume.inner.members);
  const { last, ...run } = await runLoop<FederatedState, FederatedRecord, "converged" | "limit">(
    {
      owner,
      limit: plan.limit,
      initial: first,
      step,
      record({ step: under, objective, queries, checks, accepted, x, round }) {
        if (under > 0) return undefined;
        return { iteration: round, objective, queries, checks, accepted, x: fromUnit(bounds, x) };
      },
      count: ({ round }) => round,
      finished({ objective, queries, step: under }) {
        if (under > 0) return undefined;
        if (objective <= plan.target) return "converged";
        return queries + fleet.size * plan.queriesPerRound > plan.maxQueries ? "limit" : undefined;
      },
      snapshot: async (state) => ({ ...state, members: await fleet.snapshot(state.members) }),
      check: (state) => checkState(owner, state, d, fleet.size),
    },
    options,
  );
  const { corrections, queries, checks, objective } = last;
  const weights = corrections?.kind === "features" ? vector(corrections.weights) : null;
  return { ...run, x: vector(fromUnit(bounds, last.x)), objective, queries, checks, weights };
}

function vector(x: Float64Array): Tensor {
  return hostTensor(x.slice(), [x.length], "float64");
}

function correctionOf(shared: Shared | null, client: number, shares: readonly number[]): Correction | null {
  if (shared === null) return null;
  if (shared.kind === "features") return shared;
  if (shared.kind === "posterior") return { ...shared, shares, own: client };
  return { kind: "constant", vector: shared.vectors[client] };
}

function checkState(owner: string, state: FederatedState, d: number, clients: number): void {
  const { x, members } = state;
  if (x?.length === d && members?.length === clients) return;
  throw new ValueError(
    `${owner}: resume is of ${x?.length} coordinates and ${members?.length} clients; this problem has ${d} and ${clients}`,
  );
}
