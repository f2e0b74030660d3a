import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  jitSync,
  NonFiniteError,
  oneHot,
  type Rng,
  random,
  requireInteger,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { hammingDistance } from "../alphabet.js";
import type { TableFit } from "../fit-table.js";
import { forwardProxy } from "./proxy.js";

/** What is told of a round. */
export interface SearchRecord {
  /** From 1. */
  readonly step: number;
  /** Mean prediction of the sequences of this round, in standard deviations of the table. */
  readonly mean: number;
  /** The best prediction so far. */
  readonly best: number;
}

/** Sequences as numbers of letters, with what the proxy says of each. */
export interface Scored {
  /** `[n, L]`, int32. */
  readonly letters: Tensor;
  /** `[n]`, float64. */
  readonly predictions: Tensor;
}

/** Where a search stands. */
export interface SearchPoint<S = unknown> {
  /** The best different sequences so far, best first. */
  readonly elite: Scored;
  /** The search's own state. */
  readonly own: S;
  /** Of the last round; null before the first. */
  readonly told: Omit<SearchRecord, "step"> | null;
}

/** A state to go on from; a tree. */
export type SearchState<S = unknown> = RunState<SearchPoint<S>, SearchRecord>;

/** Options of every search. */
export interface SearchOptions<S = unknown> extends RunOptions<SearchRecord, SearchState<S>> {
  /** Sequences that are kept and given. Default 128. */
  readonly count?: number;
  /** Sequences of a round. Default 128. */
  readonly batchSize?: number;
  /** Rounds. Default 20. */
  readonly steps?: number;
  /** Decides all draws. Default 0. */
  readonly seed?: number | string;
}

/** What a search gives. */
export interface SearchResult<S = unknown> {
  /** The best different sequences that it saw, best first. */
  readonly sequences: string[];
  /** What the proxy predicts of each, in the table's units. */
  readonly predictions: Float64Array;
  /** Letters in which each differs from the nearest of the table's best. */
  readonly distances: number[];
  /** Rounds made. */
  readonly steps: number;
  /** How it ended. */
  readonly status: Status;
  /** A record for each round. */
  readonly history: readonly SearchRecord[];
  /** What `resume` goes on from. */
  readonly state: SearchState<S>;
}

/** The names of {@link SearchOptions}. */
export const searchNames = ["count", "batchSize", "steps", "seed", ...runOptionNames];

/** A search as data: where it begins, and what a round draws and learns. */
export interface Search<S> {
  /** The public function, for messages. */
  readonly owner: string;
  /** The names of its own options. */
  readonly names: readonly string[];
  /** Its first state, from the best of the table. */
  readonly initial: (best: Scored, rng: Rng) => S;
  /** Sequences of a round. */
  readonly draw: (own: S, elite: Scored, round: Round) => Int32Array;
  /** What is learned of them. */
  readonly learn: (own: S, drawn: Scored, round: Round) => S;
}

/** What a round has. */
export interface Round {
  /** Letters of a sequence. */
  readonly length: number;
  /** Letters that there are. */
  readonly width: number;
  /** Sequences to draw. */
  readonly batchSize: number;
  /** From 1. */
  readonly step: number;
  /** The round's own generator. */
  readonly rng: Rng;
}

/** Runs a search on the forward map of a fit. */
export async function searchLetters<S>(
  fit: TableFit,
  search: Search<S>,
  options: SearchOptions<S>,
): Promise<SearchResult<S>> {
  const { owner } = search;
  checkOptions(owner, options, [...search.names, ...searchNames]);
  const { count = 128, batchSize = 128, steps = 20, seed = 0 } = options;
  requireInteger(owner, "count", count, 1);
  requireInteger(owner, "batchSize", batchSize, 2);
  requireInteger(owner, "steps", steps, 0);
  const { alphabet } = fit.model;
  const known = tableLetters(fit, Math.max(count, 2));
  const [, length] = known.shape;
  const width = alphabet.length;
  const predict = jitSync((letters: Tensor) => forwardProxy(fit)(oneHot(letters, width, { dtype: "float64" })));
  const scored = (letters: Tensor): Scored => {
    const predictions = predict(letters);
    if (predictions.data().every(Number.isFinite)) return { letters, predictions };
    throw new NonFiniteError(`${owner}: a prediction is not finite; take a larger ridge`);
  };
  const { status, iterations, history, last, state } = await runLoop<SearchPoint<S>, SearchRecord, never>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial: () => {
        const best = scored(known);
        return {
          elite: eliteOf([best], count),
          own: search.initial(best, random.rng(`${seed}/initial`)),
          told: null,
        };
      },
      step({ elite, own }, step) {
        const round: Round = { length, width, batchSize, step, rng: random.rng(`${seed}/step/${step}`) };
        const letters = search.draw(own, elite, round);
        const drawn = scored(tensor(letters, { shape: [letters.length / length, length] }));
        const values = Float64Array.from(drawn.predictions.data());
        const next = eliteOf([elite, drawn], count);
        return {
          elite: next,
          own: search.learn(own, drawn, round),
          told: { mean: values.reduce((a, b) => a + b, 0) / values.length, best: next.predictions.data()[0] },
        };
      },
      record: ({ told }, step) => (told === null ? undefined : { step, ...told }),
      check({ elite }) {
        if (elite?.letters?.shape?.[1] === length) return;
        throw new ValueError(`${owner}: resume is a state of another search; give one of this table`);
      },
    },
    options,
  );
  const rows = last.elite.letters.data();
  const sequences = Array.from({ length: last.elite.letters.shape[0] }, (_, i) =>
    Array.from({ length }, (__, l) => alphabet[rows[i * length + l]]).join(""),
  );
  const starts = bestOf(fit, count);
  return {
    ...{ sequences, steps: iterations, status, history, state },
    predictions: Float64Array.from(last.elite.predictions.data(), (v) => fit.middle + fit.spread * v),
    distances: sequences.map((sequence) =>
      starts.reduce((least, start) => Math.min(least, hammingDistance(sequence, start)), length),
    ),
  };
}

/** The best sequences of the table. */
export function bestOf({ table }: TableFit, count: number): string[] {
  const order = [...table.sequences.keys()].sort((a, b) => table.scores[b] - table.scores[a]);
  return order.slice(0, count).map((i) => table.sequences[i]);
}

function tableLetters(fit: TableFit, count: number): Tensor {
  const { alphabet } = fit.model;
  const best = bestOf(fit, count).map((sequence) => Array.from(sequence, (letter) => alphabet.indexOf(letter)));
  return tensor(Int32Array.from(best.flat()), { shape: [best.length, best[0].length] });
}

/** The best different sequences of several sets, best first. */
function eliteOf(sets: readonly Scored[], count: number): Scored {
  const length = sets[0].letters.shape[1];
  const all = sets.flatMap(({ letters, predictions }) => {
    const [rows, values] = [letters.data(), predictions.data()];
    return Array.from(values, (value, i) => ({ value, row: Array.from(rows.subarray(i * length, (i + 1) * length)) }));
  });
  all.sort((a, b) => b.value - a.value);
  const seen = new Set<string>();
  const kept = all.filter(({ row }) => {
    const key = row.join();
    if (seen.has(key) || seen.size >= count) return false;
    return seen.add(key);
  });
  return {
    letters: tensor(Int32Array.from(kept.flatMap(({ row }) => row)), { shape: [kept.length, length] }),
    predictions: tensor(Float64Array.from(kept, ({ value }) => value)),
  };
}

/** Sequences of letters drawn independently, from probabilities `[L, V]`, or `[batch, L, V]` of their own. */
export function drawLetters(probabilities: Float64Array, { length, width, batchSize, rng }: Round): Int32Array {
  const u = rng.uniform([batchSize * length], { dtype: "float64" }).data();
  return Int32Array.from(u, (level, k) => {
    const from = (k * width) % probabilities.length;
    let letter = 0;
    for (let left = level - probabilities[from]; left > 0 && letter < width - 1; left -= probabilities[from + letter])
      letter++;
    return letter;
  });
}
