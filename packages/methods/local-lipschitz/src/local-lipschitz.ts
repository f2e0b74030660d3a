import type { FeedForward } from "@offprint/networks";
import { type RunOptions, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  refuseIdle,
  requireChoice,
  requireInteger,
  requireNonNegative,
  UnsupportedError,
} from "@offprint/tensor-core";
import { kinksOf } from "./activation-lines.js";
import { type Box, checkBox } from "./box.js";
import { type Branch, type BranchSettings, type Heuristic, type Refresh, rootBranches } from "./branch.js";
import {
  type BranchRecord,
  branchAndBound,
  gapOf,
  type LocalLipschitzState,
  type Search,
  valueOf,
} from "./branch-and-bound.js";
import { type CheckedNetwork, checkNetwork } from "./checked-network.js";
import { checkSlopes, forwardBatch, refuseIdleSlopes, type SlopeOptions } from "./forward-bounds.js";
import type { Target } from "./gradient-bounds.js";
import type { Relaxation } from "./gradient-lines.js";
import { outputRows, type RowOptions } from "./output-rows.js";
import { pushHeap } from "./priority-queue.js";
import type { Precision } from "./rounding.js";
import { sampleBound } from "./sample-bound.js";

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
  /** `[rows]` the bound of each row; branching tightens the largest first, so that others may be wider than they need be. */
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

const owner = "localLipschitz";

/** @internal What can be split, and whether it may be asked for. */
export function checkLeaves(owner: string, { activations }: CheckedNetwork, leafFeasibility: boolean): void {
  if (!leafFeasibility || activations.every((each) => !kinksOf(each).includes(undefined))) return;
  throw new UnsupportedError(
    `${owner}: leafFeasibility needs activations that are linear on both sides of 0, such as relu; leave it out`,
  );
}

/** @internal Options that searches share. @throws ValueError for what is out of range, or would do nothing */
export function checkSearch(
  owner: string,
  options: Pick<LocalLipschitzOptions, "relaxation" | "forward" | "optimizeSlopes" | (typeof ofBranching)[number]>,
): void {
  const { batchSize = 16, heuristic, maxDomains = 2000, refresh, relaxation, forward, leafFeasibility } = options;
  requireInteger(owner, "batchSize", batchSize, 1);
  requireInteger(owner, "maxDomains", maxDomains, 0);
  requireChoice(owner, "heuristic", heuristic, ["area", "babsr", "filtering", "random"]);
  requireChoice(owner, "refresh", refresh, ["g0", "backward", "both"]);
  requireChoice(owner, "relaxation", relaxation, ["linear", "recurjac", "interval"]);
  requireChoice(owner, "forward", forward, ["crown", "interval"]);
  requireChoice(owner, "leafFeasibility", leafFeasibility, [true, false]);
  if (forward === "interval") refuseIdleSlopes(owner, 'forward "interval"', options.optimizeSlopes);
  if (relaxation !== undefined && relaxation !== "linear" && maxDomains > 0) {
    refuseIdle(owner, `relaxation "${relaxation}", which is never branched`, options, ofBranching);
  }
}

/** Options of branch and bound alone. */
const ofBranching = ["maxDomains", "batchSize", "heuristic", "refresh", "leafFeasibility"] as const;

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
  const start = () => {
    const interval = forward === "interval";
    const { lower, upper } = forwardBatch(checked, inside, 1, { interval, ...(slopes !== undefined && { slopes }) });
    const queue: Branch[] = [];
    for (const root of rootBranches(settings, lower, upper)) pushHeap(queue, root);
    const { outputs, combinations } = options;
    const seen = sampleBound(network, box, {
      ...{ points, seed, norm },
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
