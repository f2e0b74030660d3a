import {
  asTensor,
  cast,
  checkOptions,
  ones,
  requireChoice,
  requireObject,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type AttentionExamples, readExamples } from "./examples.js";

/** Options of `positionExamples`. */
export interface PositionOptions {
  /** Whether a position sees itself and earlier ones only. Default true. */
  readonly causal?: boolean;
  /** `[n, T]`, true where there is a token: other positions neither ask nor are seen. Default everywhere. */
  readonly mask?: TensorLike;
}

/** Examples with all that they may have but `queryIndex`. */
export type FullExamples = Readonly<Record<"tokens" | "queries" | "labels" | "mask", Tensor>>;

/**
 * Sequences in which every position asks: each becomes an example that sees its sequence, causally the tokens up to
 * itself. So the SVM has the constraints of all queries together.
 *
 * @param tokens `[n, T, d]`.
 * @param labels `[n, T]`, a label for each position; where there is no token it does not matter.
 * @throws ShapeError unless the shapes fit; ValueError where the mask leaves no position.
 * @example
 * const examples = positionExamples(sequences, nextLabels); // n T examples
 */
export function positionExamples(tokens: TensorLike, labels: TensorLike, options: PositionOptions = {}): FullExamples {
  const owner = "positionExamples";
  checkOptions(owner, options, ["causal", "mask"]);
  const { causal = true } = options;
  requireChoice(owner, "causal", causal, [true, false]);
  const x = asTensor(tokens, "float64");
  const y = asTensor(labels, "float64");
  if (x.rank !== 3 || y.shape.join() !== x.shape.slice(0, 2).join()) {
    throw new ShapeError(`${owner}: tokens has shape [${x.shape}] and labels [${y.shape}]; give [n, T, d] and [n, T]`);
  }
  const [n, length, d] = x.shape;
  const given = options.mask === undefined ? ones([n, length]) : cast(asTensor(options.mask), "bool");
  if (given.shape.join() !== `${n},${length}`) {
    throw new ShapeError(`${owner}: mask has shape [${given.shape}]; it must be [${n}, ${length}]`);
  }
  const [values, all, there] = [x.data(), y.data(), given.data()];
  const asking = Array.from({ length: n * length }, (_, row) => row).filter((row) => there[row] !== 0);
  if (asking.length === 0) throw new ValueError(`${owner}: the mask leaves no position`);
  const count = asking.length;
  const each = new Float64Array(count * length * d);
  const queries = new Float64Array(count * d);
  const mask = new Float64Array(count * length);
  for (const [k, row] of asking.entries()) {
    const [first, place] = [row - (row % length), row % length];
    each.set(values.subarray(first * d, (first + length) * d), k * length * d);
    queries.set(values.subarray(row * d, (row + 1) * d), k * d);
    const seen = causal ? place + 1 : length;
    for (let t = 0; t < seen; t++) mask[k * length + t] = there[first + t];
  }
  return {
    tokens: tensor(each, { shape: [count, length, d] }),
    queries: tensor(queries, { shape: [count, d] }),
    labels: tensor(Float64Array.from(asking, (row) => all[row])),
    mask: cast(tensor(mask, { shape: [count, length] }), "bool"),
  };
}

/**
 * The same examples without tokens that stand in an example again: equal tokens get equal attention, so that no weights tell
 * them apart. What attention gives all of them then goes to the first.
 *
 * @throws ShapeError, ValueError for what is no examples, and where every example has one different token only.
 * @example
 * const { w } = await attentionSvm(withoutRepeats(examples), tokens);
 */
export function withoutRepeats(examples: AttentionExamples): FullExamples {
  requireObject("withoutRepeats", "examples", examples, "AttentionExamples");
  const { tokens, queries, labels, mask, count, length, dimension } = readExamples("withoutRepeats", examples);
  const [values, seen] = [tokens.data(), Float64Array.from(mask.data())];
  for (let i = 0; i < count; i++) {
    const known = new Set<string>();
    for (let row = i * length; row < (i + 1) * length; row++) {
      if (seen[row] === 0) continue;
      const token = values.subarray(row * dimension, (row + 1) * dimension).join();
      if (known.has(token)) seen[row] = 0;
      known.add(token);
    }
  }
  const kept = { tokens, queries, labels, mask: cast(tensor(seen, { shape: [count, length] }), "bool") };
  readExamples("withoutRepeats", kept);
  return kept;
}
