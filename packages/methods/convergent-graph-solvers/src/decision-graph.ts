import { Graph } from "@offprint/graph";
import {
  checkOptions,
  NonFiniteError,
  type Rng,
  requireInteger,
  requireObject,
  requirePositive,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { GraphSample } from "./batches.js";

/** States whose values are sought: `V_i = max over edges e into i of (reward_e + discount V_source(e))`. */
export interface DecisionGraph {
  /** Every state has at least one edge into it. */
  readonly graph: Graph;
  /** `[edges]` */
  readonly rewards: Float64Array;
  /** In [0, 1). */
  readonly discount: number;
}

/** Options of {@link randomDecisionGraph}. */
export interface DecisionGraphOptions {
  /** Number of states, >= 2. */
  readonly states: number;
  /** Edges into each state; their sources are drawn with replacement among the others. */
  readonly actions: number;
  /** Default 0.9. */
  readonly discount?: number;
  /** Source of the graph. */
  readonly rng: Rng;
}

/** A random decision graph with rewards uniform in [-1, 1). */
export function randomDecisionGraph(options: DecisionGraphOptions): DecisionGraph {
  const owner = "randomDecisionGraph";
  checkOptions(owner, options, ["states", "actions", "discount", "rng"], ["states", "actions", "rng"]);
  const { states, actions, discount = 0.9, rng } = options;
  requireInteger(owner, "states", states, 2);
  requireInteger(owner, "actions", actions, 1);
  requireDiscount(owner, discount);
  const edges = states * actions;
  const targets = Int32Array.from({ length: edges }, (_, e) => Math.floor(e / actions));
  const drawn = rng.randint([edges], { high: states - 1 }).data();
  const sources = Int32Array.from(targets, (target, e) => (drawn[e] < target ? drawn[e] : drawn[e] + 1));
  const rewards = rng.uniform([edges], { low: -1, high: 1, dtype: "float64" }).data() as Float64Array;
  return { graph: new Graph(states, sources, targets), rewards, discount };
}

function requireDiscount(owner: string, discount: number): void {
  if (discount >= 0 && discount < 1) return;
  throw new ValueError(`${owner}: discount is ${discount}; it must be at least 0 and below 1`);
}

/** `[states]` the best edge into every state for values V; the first of several. @throws ValueError for a state without. */
export function greedyPolicy(decisionGraph: DecisionGraph, values: ArrayLike<number>): Int32Array {
  requireObject("greedyPolicy", "decisionGraph", decisionGraph, "a DecisionGraph");
  requireObject("greedyPolicy", "values", values, "an array of numbers");
  const policy = new Int32Array(decisionGraph.graph.nodes);
  improve(decisionGraph, values, policy, new Float64Array(policy.length));
  return policy;
}

/** Writes the best edge into every state for some values, and what it gives. */
function improve(
  { graph, rewards, discount }: DecisionGraph,
  values: ArrayLike<number>,
  policy: Int32Array,
  next: Float64Array,
): void {
  const { indptr, neighbours, edges } = graph.incoming;
  for (let i = 0; i < policy.length; i++) {
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      const value = rewards[edges[p]] + discount * values[neighbours[p]];
      if (value > most) {
        best = edges[p];
        most = value;
      }
    }
    if (best < 0) throw new ValueError(`greedyPolicy: state ${i} has no action; give every state an edge into it`);
    policy[i] = best;
    next[i] = most;
  }
}

/** @throws ValueError, NonFiniteError for what has no values. */
function requireValues(owner: string, { rewards, discount }: DecisionGraph): void {
  requireDiscount(owner, discount);
  const wrong = rewards.findIndex((reward) => !Number.isFinite(reward));
  if (wrong >= 0) throw new ValueError(`${owner}: the reward of edge ${wrong} is ${rewards[wrong]}; it must be finite`);
  if (!Number.isFinite(largest(rewards) / (1 - discount))) {
    throw new NonFiniteError(`${owner}: values of rewards as large as ${largest(rewards)} overflow; scale the rewards`);
  }
}

function largest(values: Float64Array): number {
  return values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
}

/** What rounding may change in values of that size. */
const rounding = (size: number): number => 4 * 2 ** -52 * size;

/** The values by repeated maximisation, to a change of at most `tolerance` (default 1e-12, less where all rewards are below 0.5). */
export function valueIteration(decisions: DecisionGraph, tolerance?: number): Float64Array {
  requireObject("valueIteration", "decisions", decisions, "a DecisionGraph");
  requireValues("valueIteration", decisions);
  if (tolerance !== undefined) requirePositive("valueIteration", "tolerance", tolerance);
  const least = tolerance ?? 1e-12 * Math.min(1, 2 * largest(decisions.rewards));
  const policy = new Int32Array(decisions.graph.nodes);
  let values = new Float64Array(policy.length);
  let next = new Float64Array(policy.length);
  for (;;) {
    improve(decisions, values, policy, next);
    let change = 0;
    let size = 0;
    for (let i = 0; i < next.length; i++) {
      change = Math.max(change, Math.abs(next[i] - values[i]));
      size = Math.max(size, Math.abs(next[i]));
    }
    [values, next] = [next, values];
    // The last digits of values of size |V| are not to be had.
    if (change <= Math.max(least, rounding(size))) return values;
  }
}

/** The values by Howard's policy iteration: each policy is followed until its values stand still, then made greedy. */
export function policyIteration(decisions: DecisionGraph): Float64Array {
  requireObject("policyIteration", "decisions", decisions, "a DecisionGraph");
  requireValues("policyIteration", decisions);
  let policy = greedyPolicy(decisions, new Float64Array(decisions.graph.nodes));
  for (;;) {
    const values = followed(decisions, policy);
    const next = greedyPolicy(decisions, values);
    // A better edge is better by more than rounding, which adds up along the way.
    const least = rounding(Math.max(largest(values), largest(decisions.rewards))) / (1 - decisions.discount);
    const better = next.some((e, i) => gain(decisions, values, e, policy[i]) > least);
    if (!better) return values;
    policy = next;
  }
}

function gain({ graph, rewards, discount }: DecisionGraph, values: Float64Array, e: number, old: number): number {
  return rewards[e] + discount * values[graph.sources[e]] - rewards[old] - discount * values[graph.sources[old]];
}

function followed({ graph, rewards, discount }: DecisionGraph, policy: Int32Array): Float64Array {
  let values = new Float64Array(policy.length);
  for (;;) {
    const next = Float64Array.from(policy, (e) => rewards[e] + discount * values[graph.sources[e]]);
    const change = largest(next.map((v, i) => v - values[i]));
    values = next;
    if (change <= rounding(largest(values))) return values;
  }
}

/** The graph to learn from: nodes have a 1, edges their reward, targets are the values. */
export function decisionSample(decisions: DecisionGraph): GraphSample {
  requireObject("decisionSample", "decisions", decisions, "a DecisionGraph");
  const { graph, rewards } = decisions;
  return {
    graph,
    nodes: tensor(new Float64Array(graph.nodes).fill(1), { shape: [graph.nodes, 1] }),
    edges: tensor(rewards, { shape: [graph.edges, 1] }),
    targets: tensor(valueIteration(decisions), { shape: [graph.nodes, 1] }),
  };
}

/** Share of the states whose best edge by predicted values is one of the best by true ones. */
export function policyAccuracy(decisions: DecisionGraph, predicted: ArrayLike<number>): number {
  requireObject("policyAccuracy", "decisions", decisions, "a DecisionGraph");
  requireObject("policyAccuracy", "predicted", predicted, "an array of numbers");
  const values = valueIteration(decisions);
  const best = greedyPolicy(decisions, values);
  const chosen = greedyPolicy(decisions, predicted);
  const even = 1e-9 * largest(values);
  let right = 0;
  chosen.forEach((e, i) => {
    if (gain(decisions, values, best[i], e) <= even) right++;
  });
  return right / best.length;
}
