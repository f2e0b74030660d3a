import type { FeedForward } from "@offprint/networks";
import { checkRunOptions, type RunOptions, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  hostTensor,
  refuseIdle,
  requireFinite,
  requireInteger,
  ShapeError,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type Box, checkBox, floatsOf } from "./box.js";
import { type BranchSettings, type Heuristic, type Refresh, rootBranches } from "./branch.js";
import { branchAndBound } from "./branch-and-bound.js";
import { checkNetwork } from "./checked-network.js";
import { checkSlopes, forwardBatch, type SlopeOptions } from "./forward-bounds.js";
import { checkSearch } from "./local-lipschitz.js";
import { outputRows, requireNumbers } from "./output-rows.js";
import { pushHeap } from "./priority-queue.js";

/** What is known of an output as a function of one input. */
export interface FeatureVerdict {
  /** The input. */
  readonly feature: number;
  /** Proved, or not decided. */
  readonly verdict: "increasing" | "decreasing" | "unknown";
  /** The derivative is nowhere in the box below this. */
  readonly lower: number;
  /** Nor above this. */
  readonly upper: number;
}

/** Options of `monotonicity`. */
export interface MonotonicityOptions extends Pick<RunOptions<FeatureVerdict, never>, "onProgress" | "signal"> {
  /** Inputs to look at. Default all. */
  readonly features?: readonly number[];
  /** The output. Default 0. */
  readonly output?: number;
  /** Range in which the input varies while the others stay at x0: `[from, to]`. Default [0, 1]. */
  readonly range?: readonly [number, number];
  /** A box in which all inputs vary, in place of `range`. */
  readonly box?: Box;
  /** Branches bounded for each sign, at most; 0 for no branching. Default 200. */
  readonly maxDomains?: number;
  /** Default 16. */
  readonly batchSize?: number;
  /** Default `"area"`. */
  readonly heuristic?: Heuristic;
  /** Default `"backward"`. */
  readonly refresh?: Refresh;
  /** Default true. */
  readonly optimizeSlopes?: SlopeOptions | boolean;
}

/** What `monotonicity` gives. */
export interface Monotonicity {
  /** One for each feature that was looked at. */
  readonly features: readonly FeatureVerdict[];
  /** `limit` where all were. */
  readonly status: Exclude<Status, "converged">;
}

/**
 * Proves that an output increases, or decreases, in an input: with the others fixed at x0 and this one anywhere in a range,
 * or with all in a box. Branch and bound on the sign of the derivative.
 *
 * @throws IndexError, ShapeError, ValueError for options that do not fit
 */
export async function monotonicity(
  network: FeedForward,
  x0: TensorLike,
  options: MonotonicityOptions = {},
): Promise<Monotonicity> {
  const owner = "monotonicity";
  checkOptions(owner, options, [
    ...["features", "output", "range", "box", "maxDomains", "batchSize", "heuristic", "refresh", "optimizeSlopes"],
    ...runOptionNames.slice(0, 2),
  ]);
  checkSearch(owner, options);
  checkRunOptions(owner, options);
  const { output = 0, range = [0, 1], maxDomains = 200, batchSize = 16 } = options;
  const { heuristic = "area", refresh = "backward", onProgress, signal } = options;
  const checked = checkNetwork(owner, network);
  const x = floatsOf(owner, "x0", x0);
  if (x.length !== checked.inputs) {
    throw new ShapeError(`${owner}: x0 has ${x.length} values and the network ${checked.inputs} inputs`);
  }
  requireFinite(owner, "x0", hostTensor(x, [x.length], "float64"));
  if (options.box !== undefined) refuseIdle(owner, "a box", options, ["range"]);
  requireNumbers(owner, "range", range);
  const [from, to] = range;
  if (range.length !== 2 || !(from <= to && Number.isFinite(to - from))) {
    throw new ValueError(`${owner}: range is [${Array.from(range).join(", ")}]; give [from, to], finite and ascending`);
  }
  if (options.features !== undefined) requireNumbers(owner, "features", options.features);
  requireInteger(owner, "output", output, 0, checked.outputs - 1);
  const slopes = checkSlopes(owner, options.optimizeSlopes ?? true);
  const rows = outputRows(owner, checked, { outputs: [output] });
  const found: FeatureVerdict[] = [];
  for (const feature of options.features ?? Array.from(x.keys())) {
    requireInteger(owner, "features", feature, 0, checked.inputs - 1);
    if (signal?.aborted) return { features: found, status: "aborted" };
    const along = (value: number) => x.map((each, j) => (j === feature ? value : each));
    const inside = checkBox(owner, options.box ?? { lower: along(from), upper: along(to) }, checked.inputs);
    const { lower, upper } = forwardBatch(checked, inside, 1, { ...(slopes !== undefined && { slopes }) });
    /** The largest value of sign times the derivative. */
    const largest = async (sign: 1 | -1): Promise<number> => {
      const vector = new Float64Array(checked.inputs);
      vector[feature] = sign;
      const settings: BranchSettings = {
        ...{ network: checked, box: inside, rows, heuristic, refresh },
        ...{ relaxation: "linear", seed: 0, target: { kind: "direction", vector } },
      };
      const start = () => {
        const queue: ReturnType<typeof rootBranches> = [];
        for (const root of rootBranches(settings, lower, upper)) pushHeap(queue, root);
        return { queue, domains: rows.count, lowerBound: 0 };
      };
      const done = (value: number) => value <= 0;
      const search = { owner, batchSize, maxDomains, leafFeasibility: false, done };
      const { last } = await branchAndBound(settings, start, search, { ...(signal !== undefined && { signal }) });
      return last.queue[0]?.value ?? Number.NEGATIVE_INFINITY;
    };
    const [most, least] = [await largest(1), -(await largest(-1))];
    const verdict = least >= 0 ? "increasing" : most <= 0 ? "decreasing" : "unknown";
    const record: FeatureVerdict = { feature, verdict, lower: least, upper: most };
    found.push(record);
    if ((await onProgress?.(record)) === "stop") return { features: found, status: "stopped" };
  }
  return { features: found, status: signal?.aborted ? "aborted" : "limit" };
}
