import { checkOptions, requireInteger, requireObject, ValueError } from "@offprint/tensor-core";
import { type BatchTest, grown, needsInnerProducts, requiredBatchSize, requireTest } from "./batch-test.js";
import type { GradientStats } from "./gradient-stats.js";

/** How the batch size changes: by a test, or by one of the baselines. */
export type BatchRule =
  | BatchTest
  | {
      /** The batch size stays. */
      readonly kind: "constant";
    }
  | {
      /** Stage-wise ramp-up: each size for its share of the sample budget. */
      readonly kind: "stages";
      /** Batch sizes; the first one replaces `initialBatch`. */
      readonly sizes: readonly number[];
      /** Share of the budget of each, > 0. Default equal. */
      readonly shares?: readonly number[];
    }
  | {
      /** Linear ramp-up: grows by the increment at every step. */
      readonly kind: "linear";
      /** Samples, an integer >= 1. 256 in the paper's comparison. */
      readonly increment: number;
    };

/** Options of `batchController`. */
export interface BatchControllerOptions {
  /** b_1, an integer >= 2; 8 or more is safer, as the variance of two samples is noise. */
  initialBatch: number;
  /** b_max >= b_1. */
  maxBatch: number;
  /** A test, or a baseline. */
  test: BatchRule;
  /** Tests at every m-th step only, an integer >= 1. Default 1. */
  testInterval?: number;
  /** Samples to be processed in all; `stages` needs it. */
  maxSamples?: number;
}

/** Names of {@link BatchControllerOptions}. */
export const batchOptionNames = [
  "initialBatch",
  "maxBatch",
  "test",
  "testInterval",
  "maxSamples",
] as const satisfies readonly (keyof BatchControllerOptions)[];

/** Where the batch size stands: plain data, to be saved and gone on from. */
export interface BatchState {
  /** b: samples of the next step. */
  readonly batchSize: number;
  /** Steps made. */
  readonly step: number;
  /** Samples processed. */
  readonly samples: number;
}

/** Chooses batch sizes for any training loop, optimizer and source of data. */
export interface BatchController {
  /** Before the first step. */
  readonly initial: BatchState;
  /** What the next step must measure: nothing, moments, or inner products with the mean gradient too. */
  needs(state: BatchState): "inner-products" | "moments" | "nothing";
  /**
   * After a step with the state's batch size.
   *
   * @param stats of that step's batch, wherever `needs` asks for them.
   * @returns the next state, and the size that the test asked for, before rounding and capping (NaN without a test).
   */
  next(state: BatchState, stats?: GradientStats): { readonly state: BatchState; readonly requested: number };
}

/**
 * The batch sizes of AdAdaGrad, apart from any training loop.
 *
 * @throws ValueError for an option out of range.
 * @see https://arxiv.org/abs/2402.11215
 */
export function batchController(options: BatchControllerOptions): BatchController {
  const caller = "batchController";
  checkOptions(caller, options, batchOptionNames, ["initialBatch", "maxBatch", "test"]);
  const { initialBatch, maxBatch, test, testInterval = 1, maxSamples } = options;
  if (typeof test?.kind !== "string") {
    throw new ValueError(`${caller}: test is ${String(test)}; give one such as { kind: "norm", eta: 0.5 }`);
  }
  requireInteger(caller, "initialBatch", initialBatch, 2);
  requireInteger(caller, "maxBatch", maxBatch, initialBatch);
  requireInteger(caller, "testInterval", testInterval, 1);
  const named = `${caller}: the ${test.kind} rule`;
  if (test.kind === "linear") {
    checkOptions(named, test, ["kind", "increment"], ["increment"]);
    requireInteger(caller, "increment", test.increment, 1);
  } else if (test.kind === "stages") {
    checkOptions(named, test, ["kind", "sizes", "shares"], ["sizes"]);
    requireStages(caller, test.sizes, test.shares, maxSamples);
  } else if (test.kind === "constant") checkOptions(named, test, ["kind"]);
  else requireTest(caller, test);
  const first = test.kind === "stages" ? test.sizes[0] : initialBatch;
  const moved = (state: BatchState, batchSize: number, requested: number) => ({
    state: { batchSize, step: state.step + 1, samples: state.samples + state.batchSize },
    requested,
  });
  const needs = (state: BatchState) => {
    const baseline = test.kind === "constant" || test.kind === "linear" || test.kind === "stages";
    if (baseline || state.batchSize >= maxBatch || state.step % testInterval !== 0) return "nothing";
    return needsInnerProducts(test) ? "inner-products" : "moments";
  };
  return {
    initial: { batchSize: Math.min(first, maxBatch), step: 0, samples: 0 },
    needs,
    next(state, stats) {
      requireObject(caller, "state", state, "{ batchSize, step, samples }, at first `initial`");
      const { batchSize } = state;
      if (test.kind === "constant") return moved(state, batchSize, Number.NaN);
      if (test.kind === "linear") return moved(state, Math.min(maxBatch, batchSize + test.increment), Number.NaN);
      if (test.kind === "stages") {
        const size = stageSize(test.sizes, test.shares, (state.samples + batchSize) / (maxSamples as number));
        return moved(state, Math.min(maxBatch, size), Number.NaN);
      }
      if (needs(state) === "nothing") return moved(state, batchSize, Number.NaN);
      if (stats === undefined)
        throw new ValueError(`${caller}: the ${test.kind} test needs the statistics of step ${state.step}`);
      const requested = requiredBatchSize(stats, test);
      return moved(state, grown(batchSize, requested, maxBatch), requested);
    },
  };
}

function requireStages(
  caller: string,
  sizes: readonly number[],
  shares: readonly number[] | undefined,
  maxSamples: number | undefined,
): void {
  if (sizes.length === 0) throw new ValueError(`${caller}: stages has no sizes; give at least one`);
  for (const size of sizes) requireInteger(caller, "a size of stages", size, 2);
  if (shares !== undefined && (shares.length !== sizes.length || shares.some((share) => !(share > 0)))) {
    throw new ValueError(
      `${caller}: shares are ${shares.join(", ")}; give ${sizes.length} numbers > 0, one for each size`,
    );
  }
  if (maxSamples === undefined) throw new ValueError(`${caller}: stages needs maxSamples, which it shares out`);
}

/** The size of the stage that a fraction of the budget falls into. */
function stageSize(sizes: readonly number[], shares: readonly number[] | undefined, part: number): number {
  const weights = shares ?? sizes.map(() => 1);
  const total = weights.reduce((a, b) => a + b, 0);
  let until = 0;
  for (const [i, weight] of weights.entries()) {
    until += weight / total;
    if (part < until - 1e-12) return sizes[i];
  }
  return sizes[sizes.length - 1];
}
