import { type RunOptions, type RunState, runLoop } from "@offprint/solvers";
import { ValueError } from "@offprint/tensor-core";
import { type Branch, type BranchSettings, boundBranches, chosenSplits, sidesOf } from "./branch.js";
import { provedEmpty } from "./leaf-feasibility.js";
import { popHeap, pushHeap } from "./priority-queue.js";
import { problemMark } from "./problem-mark.js";

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
  /** What is bounded, in few letters: a network, a box, rows and a norm. A run of another problem refuses the state. */
  readonly problem: string;
  /** Branches that wait, a heap with the largest bound in front. */
  readonly queue: readonly Branch[];
  /** Branches bounded. */
  readonly domains: number;
  /** Largest gradient that was seen. */
  readonly lowerBound: number;
}

/** What branch and bound goes on from. */
export type LocalLipschitzState = RunState<BranchAndBoundState, BranchRecord>;

/** A state of which a step may change the queue. */
interface Work {
  readonly problem: string;
  queue: Branch[];
  domains: number;
  lowerBound: number;
}

/** @internal Part of a bound that may be too much. */
export const gapOf = (value: number, lowerBound: number): number =>
  value > 0 ? Math.max(0, 1 - lowerBound / value) : 0;

/** @internal How a search goes. */
export interface Search {
  readonly owner: string;
  readonly batchSize: number;
  readonly maxDomains: number;
  readonly leafFeasibility: boolean;
  /** Whether a bound is good enough. */
  readonly done: (value: number, lowerBound: number) => boolean;
}

/** @internal The largest bound of all branches. */
export const valueOf = ({ queue }: BranchAndBoundState): number => queue[0]?.value ?? Number.NEGATIVE_INFINITY;

/** Drops decided branches in front that no input reaches: they are not the answer, however large their bounds. */
async function dropEmpty(queue: Branch[], { network, box }: BranchSettings): Promise<void> {
  while (queue.length > 0 && queue[0].splits.length === 0 && (await provedEmpty(network, box, queue[0])))
    popHeap(queue);
}

/** @internal Branch and bound on the largest bound of all branches of all rows. */
export async function branchAndBound(
  settings: BranchSettings,
  start: () => Omit<Work, "problem">,
  { owner, batchSize, maxDomains, leafFeasibility, done }: Search,
  options: RunOptions<BranchRecord, LocalLipschitzState>,
) {
  const problem = problemMark(settings.network, settings.box, settings.rows, settings.target);
  let own: Work | undefined;
  return runLoop<BranchAndBoundState, BranchRecord, "converged" | "limit">(
    {
      owner,
      limit: Number.POSITIVE_INFINITY,
      async initial() {
        own = { ...start(), problem };
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
      check: (state) => checkState(owner, state, settings, problem),
    },
    options,
  );
}

/** @throws ValueError for a state whose bounds are not those of this problem, or that is not whole */
function checkState(
  owner: string,
  state: Partial<BranchAndBoundState>,
  { network: { inputs, widths }, rows }: BranchSettings,
  problem: string,
): void {
  if (state.problem !== problem) {
    throw new ValueError(
      `${owner}: resume is of another network, box, norm or other outputs; give those that it was made with`,
    );
  }
  const neurons = widths.reduce((sum, n) => sum + n, 0);
  const gradients = widths.length === 0 ? inputs : inputs + neurons - widths[widths.length - 1];
  const { queue, domains, lowerBound } = state;
  const whole = ({ row, value, decided, lower, upper, gradientLower, gradientUpper, splits }: Branch) =>
    Number.isInteger(row) &&
    row >= 0 &&
    row < rows.count &&
    [decided, lower, upper].every((each) => each?.length === neurons && each.every(Number.isFinite)) &&
    [gradientLower, gradientUpper].every((each) => each?.length === gradients && each.every(Number.isFinite)) &&
    Number.isFinite(value) &&
    Array.isArray(splits) &&
    splits.every((neuron) => decided[neuron] === 0);
  // Each row has a branch that may hold its largest gradient.
  const complete =
    Array.isArray(queue) && queue.every(whole) && new Set(queue.map(({ row }) => row)).size === rows.count;
  if (complete && Number.isSafeInteger(domains) && Number.isFinite(lowerBound)) return;
  throw new ValueError(`${owner}: resume is damaged: its branches are not whole; give a state as it was saved`);
}
