import { type RunOptions, type RunState, requireStateLike, runLoop, type Status } from "@offprint/solvers";
import {
  cast,
  checkOptions,
  concatenate,
  NonFiniteError,
  requireObject,
  ShapeError,
  slice,
  squeeze,
  stack,
  type Tensor,
  tree,
  ValueError,
  vmap,
  zeros,
} from "@offprint/tensor-core";
import type { AttentionWeights } from "./attention.js";
import { compiledRuns, type DescentData, descent, type TrainedWeights } from "./descent.js";
import { type AttentionExamples, type ReadExamples, readExamples } from "./examples.js";
import { type Head, type ReadHead, readHead } from "./heads.js";
import {
  type AttentionLayer,
  layerOf,
  optionNames,
  readSettings,
  requireSlope,
  requireTrainable,
  startOf,
  type TrainAttentionOptions,
} from "./train-attention.js";

/** The state of many trainings after some steps; lists have an entry for each set. */
export interface AttentionsRecord {
  /** Steps made. */
  readonly step: number;
  /** Mean losses. */
  readonly loss: readonly number[];
  /** ||W||_F. */
  readonly norm: readonly number[];
  /** The least attention that a selected token has in any example of a set. */
  readonly concentration: readonly number[];
}

/** Where many trainings stand, as a tree. */
export interface AttentionsState {
  /** W `[sets, d, d]`, or K and Q `[sets, d, m]`. */
  readonly weights: TrainedWeights;
  /** Steps made. */
  readonly steps: number;
  /** The last record's figures; null before the first. */
  readonly figures: Omit<AttentionsRecord, "step"> | null;
}

/** Options of `trainAttentions`: those of `trainAttention`, for all sets. */
export interface TrainAttentionsOptions
  extends Omit<TrainAttentionOptions, "head" | "initial" | keyof RunOptions<never, never>>,
    RunOptions<AttentionsRecord, RunState<AttentionsState, AttentionsRecord>> {
  /** One head for all sets, or one for each: of one kind and size. */
  readonly head: Head | readonly Head[];
  /** Weights to begin from, one for each set. Default as `trainAttention` with the seed `"<seed> <number of the set>"`. */
  readonly initial?: readonly AttentionWeights[] | "zero";
}

/** Layers that were trained side by side. */
export interface TrainedAttentions {
  /** One for each set. */
  readonly layers: readonly AttentionLayer[];
  /** How it ended. */
  readonly status: Exclude<Status, "converged">;
  /** Steps made. */
  readonly steps: number;
  /** The records. */
  readonly history: readonly AttentionsRecord[];
  /** To go on from, with `resume`. */
  readonly state: RunState<AttentionsState, AttentionsRecord>;
}

const owner = "trainAttentions";

/**
 * `trainAttention` for many sets of examples of one size, all in one compiled program with the sets on a leading axis:
 * for experiments over random data. Each set is trained as it would be alone; shorter tokens are masked.
 *
 * @throws ShapeError, ValueError where sets or heads differ in their sizes; NonFiniteError, with the last good state, where
 * one diverges.
 * @example
 * const { layers } = await trainAttentions(sets, { head: sets.map((_, i) => ({ kind: "linear", v: heads[i] })) });
 */
export async function trainAttentions(
  sets: readonly AttentionExamples[],
  options: TrainAttentionsOptions,
): Promise<TrainedAttentions> {
  requireObject(owner, "sets", sets, "a list of AttentionExamples");
  requireObject(owner, "options", options, "options with a head");
  checkOptions(owner, options, optionNames);
  const { parameters, loss, learningRate, normalized, steps, seed, recordEvery } = readSettings(owner, options);
  const read = readSets(sets);
  for (const [i, each] of read.entries()) requireTrainable(`${owner}: set ${i}`, each, { normalized, learningRate });
  const { dimension: d } = read[0];
  const length = Math.max(...read.map((each) => each.length));
  const heads = readHeads(options.head, read.length, d);
  const { step: once, figures: figuresOf } = descent({
    ...{ owner, predict: heads[0].predict, loss, learningRate, normalized },
  });
  const data: DescentData = {
    tokens: stack(read.map((each) => padded(each.tokens, length))),
    queries: stack(read.map(({ queries }) => queries)),
    labels: stack(read.map(({ labels }) => labels)),
    mask: cast(stack(read.map(({ mask }) => padded(cast(mask, "float64"), length))), "bool"),
    v: stack(heads.map(({ v }) => v)),
  };
  const several = compiledRuns(
    (weights) => vmap(once)(weights, data),
    (weights) => vmap(figuresOf)(weights, data),
  );
  const initial = (): TrainedWeights => {
    const starts = read.map((each, i) => {
      const own = options.initial === "zero" ? options.initial : options.initial?.[i];
      const start = {
        ...(options.rank !== undefined && { rank: options.rank }),
        ...(own !== undefined && { initial: own }),
      };
      return startOf(owner, each, parameters, start, `${seed} ${i}`);
    });
    return tree.map((...all: Tensor[]) => stack(all), starts[0], ...starts.slice(1)) as TrainedWeights;
  };
  if (Array.isArray(options.initial) && options.initial.length !== read.length) {
    throw new ValueError(
      `${owner}: ${options.initial.length} initial weights for ${read.length} sets; give one for each`,
    );
  }
  const run = await runLoop<AttentionsState, AttentionsRecord, never>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial() {
        const weights = initial();
        if (options.initial === undefined) {
          const first = vmap(figuresOf)(weights, data);
          const [losses, concentrations] = [first.loss.data(), first.concentration.data()];
          for (const i of read.keys())
            requireSlope(`${owner}: set ${i}`, loss, { loss: losses[i], concentration: concentrations[i] });
        }
        return { weights, steps: 0, figures: null };
      },
      async step({ weights, steps: done }) {
        const made = Math.min(recordEvery, steps - done);
        const { last, figures: found } = await several(made)(weights);
        const values = (x: Tensor) => Array.from(x.data());
        const figures = {
          loss: values(found.loss),
          norm: values(found.norm),
          concentration: values(found.concentration),
        };
        const lost = figures.loss.findIndex((value, i) => !Number.isFinite(value + figures.norm[i]));
        if (lost >= 0) {
          throw new NonFiniteError(`the weights of set ${lost} left the range of numbers; lower learningRate`);
        }
        return { weights: last, steps: done + made, figures };
      },
      count: ({ steps: done }) => done,
      record: ({ figures }, step) => (figures === null ? undefined : { step, ...figures }),
      check: (state) => requireStateLike(owner, state, { weights: initial(), steps: 0 }),
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  const layers = read.map((each, i) => {
    const own = tree.map((x: Tensor) => squeeze(slice(x, [{ start: i, stop: i + 1 }]), 0), last.weights);
    return layerOf(own as TrainedWeights, each);
  });
  return { layers, status, steps: iterations, history, state };
}

/** Checked sets of one size; only the number of tokens may differ. */
function readSets(sets: readonly AttentionExamples[]): ReadExamples[] {
  if (!Array.isArray(sets) || sets.length === 0) {
    throw new ValueError(`${owner}: there are no sets; give a list of examples`);
  }
  const read = sets.map((each, i) => readExamples(`${owner}: set ${i}`, each));
  const [{ count, dimension }] = read;
  for (const [i, each] of read.entries()) {
    if (each.count === count && each.dimension === dimension) continue;
    throw new ShapeError(
      `${owner}: set ${i} has ${each.count} examples in ${each.dimension} dimensions, and set 0 ${count} in ${dimension}; give sets of one size`,
    );
  }
  return read;
}

function readHeads(head: Head | readonly Head[], count: number, dimension: number): ReadHead[] {
  const given = Array.isArray(head) ? (head as readonly Head[]) : new Array<Head>(count).fill(head as Head);
  if (given.length !== count) {
    throw new ValueError(`${owner}: ${given.length} heads for ${count} sets; give one for each, or one for all`);
  }
  const read = given.map((each) => readHead(owner, each, dimension));
  const other = read.findIndex(({ kind }) => kind !== read[0].kind);
  if (other > 0) {
    throw new ValueError(`${owner}: head ${other} is of another kind or size than head 0; give heads of one kind`);
  }
  return read;
}

/** Zeros behind the second axis. */
function padded(x: Tensor, length: number): Tensor {
  const [n, own, ...rest] = x.shape;
  return own === length ? x : concatenate([x, zeros([n, length - own, ...rest], "float64")], 1);
}
