import {
  add,
  checkOptions,
  div,
  jitSync,
  matmul,
  mul,
  NonFiniteError,
  random,
  requireChoice,
  requireNonNegative,
  requireObject,
  slice,
  type Tensor,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { encodeSequences } from "./alphabet.js";
import { type BackwardTable, tableOf } from "./bidirectional-loss.js";
import { fitForward } from "./forward-map.js";
import { kmerRelax, straightThrough } from "./relaxation.js";
import { isKernel, type KernelModel, type RelaxedModel, requireModel } from "./relaxed-model.js";
import { solveRidge } from "./ridge-solve.js";
import { trainedHead } from "./trained-head.js";

/** A table of measured sequences. */
export interface OfflineTable {
  /** Of one length. */
  readonly sequences: readonly string[];
  /** What was measured of each. */
  readonly scores: ArrayLike<number>;
}

/** Options of {@link fitTable}. */
export interface FitTableOptions {
  /** Penalty of the forward map over the mean diagonal of the kernel, >= 0. Default 1e-6, as in the paper. */
  readonly ridge?: number;
  /** How the five heads of the auxiliary score are fitted: ridge regressions of resampled rows, or Adam from five draws. Default `ridge`. */
  readonly heads?: "ridge" | "adam";
  /** Decides the resampled rows and first weights of the heads. Default 0. */
  readonly seed?: number | string;
}

/** Tensors that a step of design needs of the table and the model. */
export interface FittedTensors {
  /** Of the language model; null for none. */
  readonly parameters: unknown;
  /** w `[d]`, or a `[N]` of a kernel: features or kernels times it are predictions. */
  readonly forward: Tensor;
  /** The same of the auxiliary score, in the table's units. */
  readonly head: Tensor;
  /** Mean of the scores, a scalar. */
  readonly middle: Tensor;
  /** The table as the backward loss sees it. */
  readonly table: BackwardTable | { readonly rows: Tensor; readonly y: Tensor };
}

/** Both maps of a table through a model: everything of a design that does not depend on the designs. */
export interface TableFit {
  /** The model. */
  readonly model: RelaxedModel | KernelModel;
  /** The table. */
  readonly table: OfflineTable;
  /** Mean of the scores. */
  readonly middle: number;
  /** Their standard deviation, unbiased. */
  readonly spread: number;
  /** The penalty in use; larger than asked for where a factorisation failed. */
  readonly ridge: number;
  /** What a reader should know: too few or too many rows for so many features, a penalty that had to grow. */
  readonly notes: readonly string[];
  /** For the compiled step. */
  readonly tensors: FittedTensors;
}

const owner = "fitTable";
/** Rows whose features are computed at once. */
const ROWS = 256;
/** Penalty of the auxiliary heads over the mean diagonal. */
const HEAD_RIDGE = 1e-3;
const HEADS = 5;

/**
 * Fits the forward map, the backward map's table and the auxiliary score; {@link designWith} designs from it as often as wanted.
 * @throws ValueError for tables, models and options that are none; NonFiniteError where the model's features are not finite.
 */
export function fitTable(
  table: OfflineTable,
  model: RelaxedModel | KernelModel,
  options: FitTableOptions = {},
): TableFit {
  checkOptions(owner, options, ["ridge", "heads", "seed"]);
  const { ridge = 1e-6, heads = "ridge", seed = 0 } = options;
  requireNonNegative(owner, "ridge", ridge);
  requireChoice(owner, "heads", heads, ["ridge", "adam"]);
  requireModel(owner, model);
  const { y, middle, spread, rows } = readTable(owner, table, model.alphabet);
  const common = { model, table, middle, spread };
  // The unstandardised output: its scale matters for eta.
  const inUnits = (head: Tensor) => mul(head, spread);
  if (isKernel(model)) {
    if (heads === "adam") {
      throw new ValueError(`${owner}: heads "adam" train on features, which a kernel has none of; leave heads out`);
    }
    const system = jitSync((a: Tensor) => model.kernel(a, a))(rows);
    requireFiniteFeatures(system);
    const { solution, ridge: used } = solveRidge(owner, system, y, { ridge });
    const head = inUnits(kernelHead(system, y, seed));
    return {
      ...{ ...common, ridge: used, notes: grown(ridge, used) },
      tensors: {
        parameters: null,
        forward: solution,
        head,
        middle: tensor(middle, { dtype: "float64" }),
        table: { rows, y },
      },
    };
  }
  const phi = featuresOf(model, rows);
  const map = fitForward(phi, y, { ridge });
  const head = inUnits(heads === "ridge" ? resampledHead(phi, y, seed) : trainedHead(phi, y, HEADS, seed));
  const [n, d] = phi.shape;
  const unsure =
    n / d >= 0.5 && n / d <= 2 && map.ridge < 1e-3
      ? [
          `${n} rows for ${d} features: with a ridge of ${map.ridge} predictions between the rows may explode; a ridge of 1e-2 mends it`,
        ]
      : [];
  return {
    ...{ ...common, ridge: map.ridge, notes: [...unsure, ...grown(ridge, map.ridge)] },
    tensors: {
      parameters: model.parameters ?? null,
      forward: map.weights,
      head,
      middle: tensor(middle, { dtype: "float64" }),
      table: tableOf(map.phi, y),
    },
  };
}

function grown(ridge: number, used: number): string[] {
  return used > ridge ? [`the kernel could not be factorised with a ridge of ${ridge}; it is ${used}`] : [];
}

/** @throws ValueError for what is no fit of a table */
export function requireFit(owner: string, fit: TableFit): void {
  requireObject(owner, "fit", fit, "a TableFit");
  if (fit.model === undefined || fit.tensors === undefined) {
    throw new ValueError(`${owner}: fit has no model and tensors; give what fitTable gave`);
  }
}

/** Scores of mean zero and deviation one, and the sequences as one-hot rows. */
export function readTable(owner: string, table: OfflineTable, alphabet: readonly string[]) {
  requireObject(owner, "table", table, "{ sequences, scores }");
  const { sequences, scores } = table;
  const n = sequences?.length;
  if (!(n >= 2) || scores?.length !== n) {
    throw new ValueError(
      `${owner}: the table has ${n} sequences and ${scores?.length} scores; give one score for each, two at least`,
    );
  }
  const raw = Float64Array.from(scores);
  const middle = raw.reduce((a, b) => a + b) / n;
  const spread = Math.sqrt(raw.reduce((total, v) => total + (v - middle) ** 2, 0) / (n - 1));
  // Equal scores may leave a spread of rounding.
  if (raw.every((v) => v === raw[0]) || !(spread > 0 && spread < Number.POSITIVE_INFINITY))
    throw new ValueError(`${owner}: the scores are all ${raw[0]}, or not finite; there is nothing to learn from`);
  const y = tensor(raw.map((v) => (v - middle) / spread));
  return { y, middle, spread, rows: encodeSequences(owner, sequences, alphabet) };
}

/** The rows that a model reads of logits, or of one-hot rows: letters, or words of letters, with the gradient of the softmax. */
export function relaxation(model: RelaxedModel | KernelModel): (logits: Tensor) => Tensor {
  const kmer = isKernel(model) ? 1 : (model.kmer ?? 1);
  return kmer === 1 ? straightThrough : (logits) => kmerRelax(logits, kmer);
}

/** Features `[N, d]` of one-hot rows `[N, L, V]`, in parts of one size. @throws NonFiniteError */
function featuresOf(model: RelaxedModel, rows: Tensor): Tensor {
  const relaxed = relaxation(model);
  const parameters = model.parameters ?? null;
  const features = jitSync((x: Tensor, p: unknown) => model.features(relaxed(x), p));
  const [n] = rows.shape;
  const size = Math.min(n, ROWS);
  const values: Float64Array[] = [];
  let d = 0;
  for (let from = 0; from < n; from += size) {
    // The last part begins early, so that all have one size.
    const start = Math.min(from, n - size);
    const part = features(slice(rows, [{ start, stop: start + size }]), parameters);
    d = part.shape[1];
    values.push(Float64Array.from(part.data()).subarray((from - start) * d));
  }
  const phi = new Float64Array(n * d);
  let at = 0;
  for (const part of values) {
    phi.set(part, at);
    at += part.length;
  }
  const all = tensor(phi).reshape([n, d]);
  requireFiniteFeatures(all);
  return all;
}

function requireFiniteFeatures(features: Tensor): void {
  if (features.data().every(Number.isFinite)) return;
  throw new NonFiniteError(`${owner}: the model's features of the table are not finite; is it the right model?`);
}

/** Rows drawn with replacement, for head k. */
function drawn(n: number, seed: number | string, k: number): Tensor {
  return random.rng(`${seed}/head/${k}`).randint([n], { high: n });
}

/** The mean of ridge regressions on rows drawn with replacement. */
function resampledHead(phi: Tensor, y: Tensor, seed: number | string): Tensor {
  const heads = Array.from({ length: HEADS }, (_, k) => {
    const rows = drawn(y.size, seed, k);
    return fitForward(take(phi, rows), take(y, rows), { ridge: HEAD_RIDGE }).weights;
  });
  return div(heads.reduce(add), HEADS);
}

/** The same through a kernel: weights `[N]` of the rows. */
function kernelHead(system: Tensor, y: Tensor, seed: number | string): Tensor {
  const n = y.size;
  const total = new Float64Array(n);
  for (let k = 0; k < HEADS; k++) {
    const rows = drawn(n, seed, k);
    const own = take(take(system, rows), rows, { axis: 1 });
    const { solution } = solveRidge(owner, own, take(y, rows), { ridge: HEAD_RIDGE });
    const [places, values] = [rows.data(), solution.data()];
    for (let i = 0; i < n; i++) total[places[i]] += values[i] / HEADS;
  }
  return tensor(total);
}

/** Predictions of sequences in the table's units, by the forward map. */
export function predictScores(fit: TableFit, sequences: readonly string[]): Float64Array {
  requireFit("predictScores", fit);
  requireObject("predictScores", "sequences", sequences, "an array of texts");
  const { model, tensors, middle, spread } = fit;
  const rows = encodeSequences("predictScores", sequences, model.alphabet);
  const columns =
    isKernel(model) && "rows" in tensors.table
      ? model.kernel(rows, tensors.table.rows)
      : featuresOf(model as RelaxedModel, rows);
  return Float64Array.from(matmul(columns, tensors.forward).data(), (v) => middle + spread * v);
}
