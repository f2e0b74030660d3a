import type { FeedForward } from "@offprint/networks";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { kinksOf } from "./activation-lines.js";
import { type Box, checkBox } from "./box.js";
import {
  type Branch,
  type BranchSettings,
  boundBranches,
  chosenSplits,
  type Heuristic,
  type Refresh,
  rootBranches,
  sidesOf,
} from "./branch.js";
import { type CheckedNetwork, checkNetwork } from "./checked-network.js";
import { checkSlopes, forwardBatch, type SlopeOptions } from "./forward-bounds.js";
import type { Target } from "./gradient-bounds.js";
import type { Relaxation } from "./gradient-lines.js";
import { provedEmpty } from "./leaf-feasibility.js";
import { outputRows, type RowOptions } from "./output-rows.js";
import { popHeap, pushHeap } from "./priority-queue.js";
import type { Precision } from "./rounding.js";
import { sampleBound } from "./sample-bound.js";

/** A record of branch and bound. */
export interface BranchRecord {
  /** Branches bounded up to now. */
  readonly domains: number;
  /** The bound: it holds, and never increases. */
  readonly value: number;
  /** Part of the bound that may be too much: `1 - lowerBound / value`. */
  readonly gap: number;
  /** Branches that wait. */
  readonly open: number;
}

/** Where branch and bound is. */
export interface BranchAndBoundState {
  /** Branches that wait, a heap with the largest bound in front. */
  readonly queue: readonly Branch[];
  /** Branches bounded. */
  readonly domains: number;
  /** Largest gradient that was seen. */
  readonly lowerBound: number;
}

/** What branch and bound goes on from. */
export type LocalLipschitzState = RunState<BranchAndBoundState, BranchRecord>;

/** Options of `localLipschitz`. */
export interface LocalLipschitzOptions extends RowOptions, RunOptions<BranchRecord, LocalLipschitzState> {
  /**
   * `"linf"`: |f_i(x) - f_i(y)| <= L max_j |x_j - y_j|, by the sum of the magnitudes of a gradient; `"l2"`: the Euclidean
   * norms of inputs. Default `"linf"`.
   */
  readonly norm?: "linf" | "l2";
  /** `"linear"` is the paper's; the others are what to compare with. Default `"linear"`. */
  readonly relaxation?: Relaxation;
  /** `"crown"`: linear bounds of the neurons; `"interval"`: interval arithmetic. Default `"crown"`. */
  readonly forward?: "crown" | "interval";
  /** Whether the slopes of the first bounds of the neurons are optimised. Default true. */
  readonly optimizeSlopes?: SlopeOptions | boolean;
  /** Branches bounded at most, those of a resumed run included; 0 for no branching. Default 2000. */
  readonly maxDomains?: number;
  /** Ends where the gap to a sampled lower bound is at most this part of the bound. Default 1e-3. */
  readonly tolerance?: number;
  /**
   * `"float32"`: products in half the memory and, for wide layers, half the time. The room for rounding grows with it, so
   * that the bound holds all the same: wider by about 1e-5 of the terms that cancel in it. Default `"float64"`.
   */
  readonly precision?: Precision;
  /** Branches taken at a time. Default 16. */
  readonly batchSize?: number;
  /** How the neuron to split at is chosen. Default `"area"`. */
  readonly heuristic?: Heuristic;
  /** What is bounded again in a branch. Default `"backward"`. */
  readonly refresh?: Refresh;
  /** Whether decided branches that no input reaches are found by linear programmes, which makes the result exact. Default false. */
  readonly leafFeasibility?: boolean;
  /** Random points of the lower bound. Default 100. */
  readonly points?: number;
  /** Seed of the points, and of random choices. Default 0. */
  readonly seed?: number | string;
}

/** What `localLipschitz` gives. */
export interface LocalLipschitz {
  /** The bound, for all inputs of the box, of the network's weights as they are: rounding errors are accounted for. */
  readonly value: number;
  /** Whether it is proved; it always is. */
  readonly certified: true;
  /** `[rows]` the bound of each row. */
  readonly perOutput: Float64Array;
  /** Largest norm of a gradient that was seen, to rounding; not above the bound. */
  readonly lowerBound: number;
  /** Part of the bound that may be too much. */
  readonly gap: number;
  /** Branches bounded. */
  readonly domains: number;
  /** `converged`: the gap is closed, or nothing is left to split. */
  readonly status: Status;
  /** One record for each batch. */
  readonly history: readonly BranchRecord[];
  /** What a further run resumes from. */
  readonly state: LocalLipschitzState;
}

interface Work {
  queue: Branch[];
  domains: number;
  lowerBound: number;
}

const owner = "localLipschitz";

const gapOf = (value: number, lowerBound: number): number => (value > 0 ? Math.max(0, 1 - lowerBound / value) : 0);

/** @internal How a search goes. */
export interface Search {
  readonly owner: string;
  readonly batchSize: number;
  readonly maxDomains: number;
  readonly leafFeasibility: boolean;
  /** Whether a bound is good enough. */
  readonly done: (value: number, lowerBound: number) => boolean;
}

const valueOf = ({ queue }: BranchAndBoundState): number => queue[0]?.value ?? Number.NEGATIVE_INFINITY;

/** Drops decided branches in front that no input reaches: they are not the answer, however large their bounds. */
async function dropEmpty(queue: Branch[], { network, box }: BranchSettings): Promise<void> {
  while (queue.length > 0 && queue[0].splits.length === 0 && (await provedEmpty(network, box, queue[0])))
    popHeap(queue);
}

/** @internal Branch and bound on the largest bound of all branches of all rows. */
export async function branchAndBound(
  settings: BranchSettings,
  start: () => Work,
  { owner, batchSize, maxDomains, leafFeasibility, done }: Search,
  options: RunOptions<BranchRecord, LocalLipschitzState>,
) {
  let own: Work | undefined;
  return runLoop<BranchAndBoundState, BranchRecord, "converged" | "limit">(
    {
      owner,
      limit: Number.POSITIVE_INFINITY,
      async initial() {
        own = start();
        if (leafFeasibility) await dropEmpty(own.queue, settings);
        return own;
      },
      async step(state) {
        // A state that was given stays as it is.
        if (own === undefined || state !== own) own = { ...state, queue: [...state.queue] };
        const batch: Branch[] = [];
        while (batch.length < batchSize && (own.queue[0]?.splits.length ?? 0) > 0) {
          if (own.domains + 2 * (batch.length + 1) > maxDomains) break;
          batch.push(popHeap(own.queue)!);
        }
        const splits = chosenSplits(settings, batch);
        const sides = batch.flatMap((branch, k) => sidesOf(branch, splits[k]));
        own.domains += sides.length;
        for (const side of boundBranches(settings, sides, settings.refresh)) {
          if (side !== undefined) pushHeap(own.queue, side);
        }
        if (leafFeasibility) await dropEmpty(own.queue, settings);
        return own;
      },
      count: ({ domains }) => domains,
      record: (state) => ({
        domains: state.domains,
        value: valueOf(state),
        gap: gapOf(valueOf(state), state.lowerBound),
        open: state.queue.length,
      }),
      finished(state) {
        const decided = (state.queue[0]?.splits.length ?? 0) === 0;
        if (decided || done(valueOf(state), state.lowerBound)) return "converged";
        return state.domains + 2 > maxDomains ? "limit" : undefined;
      },
      snapshot: (state) => ({ ...state, queue: [...state.queue] }),
      check: ({ queue }) => checkQueue(owner, queue, settings),
    },
    options,
  );
}

function checkQueue(owner: string, queue: readonly Branch[], { network, rows }: BranchSettings): void {
  const neurons = network.widths.reduce((sum, n) => sum + n, 0);
  if (queue.every(({ row, decided }) => row < rows.count && decided.length === neurons)) return;
  throw new ValueError(`${owner}: resume is of another network or other outputs; give those that it was made with`);
}

/** @internal What can be split, and whether it may be asked for. */
export function checkLeaves(owner: string, { activations }: CheckedNetwork, leafFeasibility: boolean): void {
  if (!leafFeasibility || activations.every((each) => !kinksOf(each).includes(undefined))) return;
  throw new UnsupportedError(
    `${owner}: leafFeasibility needs activations that are linear on both sides of 0, such as relu; leave it out`,
  );
}

/** @internal Options that searches share. @throws ValueError */
export function checkSearch(
  owner: string,
  options: Pick<LocalLipschitzOptions, "batchSize" | "heuristic" | "maxDomains" | "refresh" | "relaxation" | "forward">,
): void {
  const { batchSize = 16, heuristic, maxDomains = 2000, refresh, relaxation, forward } = options;
  requireInteger(owner, "batchSize", batchSize, 1);
  requireInteger(owner, "maxDomains", maxDomains, 0);
  requireChoice(owner, "heuristic", heuristic, ["area", "babsr", "filtering", "random"]);
  requireChoice(owner, "refresh", refresh, ["g0", "backward", "both"]);
  requireChoice(owner, "relaxation", relaxation, ["linear", "recurjac", "interval"]);
  requireChoice(owner, "forward", forward, ["crown", "interval"]);
}

const optionNames = [
  ...[
    "norm",
    "relaxation",
    "forward",
    "optimizeSlopes",
    "maxDomains",
    "tolerance",
    "precision",
    "batchSize",
    "heuristic",
    "refresh",
  ],
  ...["leafFeasibility", "points", "seed", "outputs", "combinations", ...runOptionNames],
];

/**
 * A bound of how fast the outputs of a network change within a box of inputs, and branch and bound that tightens it: it
 * holds whenever it is stopped.
 *
 * @throws ShapeError for a box of another size; UnsupportedError for activations that are no scalar functions by name;
 * ValueError for options out of range
 * @see https://arxiv.org/abs/2210.07394
 * @example
 * const { value, gap } = await localLipschitz(network, boxAround(image, 2 / 255, { min: 0, max: 1 }));
 */
export async function localLipschitz(
  network: FeedForward,
  box: Box,
  options: LocalLipschitzOptions = {},
): Promise<LocalLipschitz> {
  checkOptions(owner, options, optionNames);
  checkSearch(owner, options);
  const { norm = "linf", relaxation = "linear", forward = "crown", maxDomains = 2000, tolerance = 1e-3 } = options;
  const {
    precision = "float64",
    batchSize = 16,
    heuristic = "area",
    refresh = "backward",
    leafFeasibility = false,
    points = 100,
    seed = 0,
  } = options;
  requireChoice(owner, "norm", norm, ["linf", "l2"]);
  requireChoice(owner, "precision", precision, ["float64", "float32"]);
  requireNonNegative(owner, "tolerance", tolerance);
  requireInteger(owner, "points", points, 0);
  const slopes = checkSlopes(owner, options.optimizeSlopes ?? true);
  const checked = { ...checkNetwork(owner, network), precision };
  checkLeaves(owner, checked, leafFeasibility);
  const inside = checkBox(owner, box, checked.inputs);
  const rows = outputRows(owner, checked, options);
  const target: Target = { kind: norm === "linf" ? "l1" : "l2" };
  const settings: BranchSettings = {
    network: checked,
    box: inside,
    rows,
    target,
    relaxation,
    heuristic,
    refresh,
    seed,
  };
  const start = (): Work => {
    const interval = forward === "interval";
    const { lower, upper } = forwardBatch(checked, inside, 1, { interval, ...(slopes !== undefined && { slopes }) });
    const queue: Branch[] = [];
    for (const root of rootBranches(settings, lower, upper)) pushHeap(queue, root);
    const { outputs, combinations } = options;
    const seen = sampleBound(network, box, {
      ...{ points, seed, norm: target.kind === "l2" ? "l2" : "l1" },
      ...(outputs !== undefined && { outputs }),
      ...(combinations !== undefined && { combinations }),
    });
    return { queue, domains: rows.count, lowerBound: Math.max(...seen) };
  };
  // RecurJac and intervals have no coefficients to choose splits by: they are bounds of the whole box.
  const most = relaxation === "linear" ? maxDomains : 0;
  const done = (value: number, lowerBound: number) => gapOf(value, lowerBound) <= tolerance;
  const search: Search = { owner, batchSize, maxDomains: most, leafFeasibility, done };
  const { last, iterations: _, ...run } = await branchAndBound(settings, start, search, options);
  const value = Math.max(0, valueOf(last));
  const perOutput = new Float64Array(rows.count);
  for (const branch of last.queue) perOutput[branch.row] = Math.max(perOutput[branch.row], branch.value);
  // Gradients that vanish are seen with the rounding of what they are differences of.
  const lowerBound = Math.min(last.lowerBound, value);
  const { domains } = last;
  return { value, certified: true, perOutput, lowerBound, gap: gapOf(value, lowerBound), domains, ...run };
}
