import { random } from "@offprint/tensor-core";
import { HardThresholding } from "../hard-thresholding.js";
import type { Separable } from "../separable.js";
import type { Workspace } from "../workspace.js";
import { sweepOrders } from "./fixed-rules.js";
import { greedyForest } from "./forest-block.js";
import type { DependencyGraph } from "./graph.js";
import { descendingOrder, largest } from "./order.js";

/** The block that a rule takes at iteration k, of all sets of `tau` variables. */
export type VariableRule = (k: number) => Int32Array;

/** The rules that do not look at the gradient. */
export function plainVariableRule(
  rule: "random" | "cyclic" | "perm" | "lipschitz",
  space: Workspace,
  tau: number,
): VariableRule {
  const { n, seed } = space;
  const perSweep = Math.ceil(n / tau);
  const part = (order: (place: number) => number, k: number): Int32Array => {
    const from = (k % perSweep) * tau;
    return Int32Array.from({ length: Math.min(tau, n - from) }, (_, p) => order(from + p)).sort();
  };
  if (rule === "cyclic") return (k) => part((place) => place, k);
  if (rule === "perm") {
    const orderOf = sweepOrders(seed, n);
    return (k) => {
      const order = orderOf(Math.floor(k / perSweep));
      return part((place) => order[place], k);
    };
  }
  return (k) => {
    const weights = rule === "lipschitz" ? { weights: space.lipschitz } : {};
    const chosen = random.rng(`${seed}/block/${k}`).choice(n, { shape: [tau], replace: false, ...weights });
    return (chosen.data() as Int32Array).slice().sort();
  };
}

/** The greedy rules: one pass over all variables. */
export function greedyVariableRule(
  rule: "gs" | "gsl" | "gsd" | "gsq",
  space: Workspace,
  tau: number,
  thresholding: "refined" | "plain",
): VariableRule {
  const { n, lipschitz } = space;
  const scores = new Float64Array(n);
  if (rule === "gsq") {
    const search = new HardThresholding(space.thresholdingModel(), thresholding);
    return () => search.block(space.state.gradient(), tau);
  }
  const D = rule === "gs" ? undefined : rule === "gsd" ? lipschitz : space.absoluteRowSums();
  return () => {
    const g = space.state.gradient();
    for (let i = 0; i < n; i++) scores[i] = D ? (g[i] * g[i]) / D[i] : Math.abs(g[i]);
    return largest(scores, tau);
  };
}

/** Where nothing says how large blocks are, they begin with so many variables at most, */
const FIRST = 30;
/** grow with the variables that are free, for each of these so many, */
const PER_FREE = 2;
/** and end here: an exact step on more takes too long, as its time grows with the cube. */
const MOST = 500;

/**
 * The greedy rule with h: the `tau` variables that promise most, without those that are to stay where they are pinned. Without
 * a tau blocks grow with the support, to which they add as many candidates.
 */
export function compositeRule(space: Workspace, tau: number | undefined): VariableRule {
  const { n, separable, state } = space;
  const scores = new Float64Array(n);
  return () => {
    const { x } = state;
    const g = state.gradient();
    let count = 0;
    let free = 0;
    for (let i = 0; i < n; i++) {
      scores[i] = compositeDecrease(space, i, g[i]) || withoutDecrease(separable, i, x[i], g[i]);
      if (scores[i] > 0) count++;
      if (!separable.pinned(i, x[i])) free++;
    }
    const most = tau ?? Math.min(MOST, Math.max(FIRST, PER_FREE * free));
    return largest(scores, tau === n ? n : Math.min(most, Math.max(1, count)));
  };
}

/** Where no variable has a reason to move, the working support fills the block, and then what may soon have a reason. */
const FREE = 2 * Number.MIN_VALUE;
const NEARLY = Number.MIN_VALUE;
/** A gradient of this part of a kink's weight may soon lift its variable off the kink, when the others have moved. */
const SOON = 0.9;

/** How a variable ranks that would not move: free, nearly so, or (0) not worth its place. Bounds have no scale for nearly. */
function withoutDecrease(separable: Separable, i: number, x: number, g: number): number {
  if (!separable.pinned(i, x)) return FREE;
  const weight = separable.weight[i];
  return weight === 0 || Math.abs(g) > SOON * weight ? NEARLY : 0;
}

/** A maximal forest, by the gradient or in random order. */
export function forestRule(rule: "gs" | "gsd" | "random", space: Workspace, graph: DependencyGraph): VariableRule {
  const { n, lipschitz, seed } = space;
  if (rule === "random") {
    const orderOf = sweepOrders(seed, n);
    return (k) => greedyForest(orderOf(k), graph);
  }
  const scores = new Float64Array(n);
  return () => {
    const g = space.state.gradient();
    for (let i = 0; i < n; i++) scores[i] = Math.abs(g[i]) / (rule === "gs" ? 1 : Math.sqrt(lipschitz[i]));
    rankSolved(scores, g, graph);
    return greedyForest(descendingOrder(scores), graph);
  };
}

/** Below this part of the largest score a gradient is zero up to rounding. */
const SOLVED = 1e-8;

/**
 * The variables of an exact step have no gradient left, and in what order they come decides much of the next forest: those
 * come first whose neighbours have the largest gradients, for they will have to move with them.
 */
function rankSolved(scores: Float64Array, g: Float64Array, { indptr, indices, values }: DependencyGraph): void {
  const limit = SOLVED * scores.reduce((most, s) => Math.max(most, s), 0);
  const solved: number[] = [];
  let most = 0;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] > limit) continue;
    let pull = 0;
    for (let p = indptr[i]; p < indptr[i + 1]; p++) if (indices[p] !== i) pull += Math.abs(values[p] * g[indices[p]]);
    solved.push(i);
    scores[i] = pull;
    most = Math.max(most, pull);
  }
  const scale = most > 0 ? limit / most : 0;
  for (const i of solved) scores[i] *= scale;
}

/** -min_d { g_i d + L_i/2 d^2 + h_i(x_i + d) - h_i(x_i) }, >= 0. */
export function compositeDecrease({ state: { x }, lipschitz, separable }: Workspace, i: number, g: number): number {
  const L = lipschitz[i];
  const to = separable.prox(i, x[i] - g / L, 1 / L);
  const d = to - x[i];
  if (d === 0) return 0;
  return Math.max(0, -(d * (g + 0.5 * L * d)) - separable.rise(i, x[i], d));
}
