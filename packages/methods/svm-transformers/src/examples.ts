import {
  asTensor,
  cast,
  checkOptions,
  ones,
  requireFinite,
  requireInteger,
  ShapeError,
  slice,
  squeeze,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** Examples for one attention layer. */
export interface AttentionExamples {
  /** X, `[n, T, d]`: the tokens of each example. */
  readonly tokens: TensorLike;
  /** z, `[n, d]`: what each example asks with. Default the token at `queryIndex`: self-attention. */
  readonly queries?: TensorLike;
  /** Which token asks where there are no `queries`. Default 0. */
  readonly queryIndex?: number;
  /** Y, `[n]`: 1 and -1, or any numbers but 0. */
  readonly labels: TensorLike;
  /** `[n, T]`, true where there is a token. Default everywhere. */
  readonly mask?: TensorLike;
}

/** Checked examples, in float64. */
export interface ReadExamples {
  /** `[n, T, d]`. */
  readonly tokens: Tensor;
  /** `[n, d]`. */
  readonly queries: Tensor;
  /** `[n]`. */
  readonly labels: Tensor;
  /** `[n, T]`, bool. */
  readonly mask: Tensor;
  /** n. */
  readonly count: number;
  /** T. */
  readonly length: number;
  /** d. */
  readonly dimension: number;
}

/** @throws ShapeError, ValueError that name what does not fit. */
export function readExamples(owner: string, examples: AttentionExamples): ReadExamples {
  if (examples === null || typeof examples !== "object") {
    throw new ValueError(`${owner}: examples is ${String(examples)}; give { tokens, labels }`);
  }
  checkOptions(`${owner}: examples`, examples, ["tokens", "queries", "queryIndex", "labels", "mask"]);
  if (examples.tokens === undefined) throw new ValueError(`${owner}: tokens is missing; give [n, T, d] numbers`);
  if (examples.labels === undefined) throw new ValueError(`${owner}: labels is missing; give n numbers, 1 and -1`);
  const tokens = asTensor(examples.tokens, "float64");
  if (tokens.rank !== 3 || tokens.size === 0) {
    throw new ShapeError(
      `${owner}: tokens has shape [${tokens.shape}]; give [n, T, d], padded and with a mask where lengths differ`,
    );
  }
  const [count, length, dimension] = tokens.shape;
  const labels = asTensor(examples.labels, "float64");
  if (labels.shape.join() !== String(count)) {
    throw new ShapeError(`${owner}: labels has shape [${labels.shape}]; ${count} examples need [${count}]`);
  }
  let queries: Tensor;
  if (examples.queries === undefined) {
    const { queryIndex = 0 } = examples;
    requireInteger(owner, "queryIndex", queryIndex, 0, length - 1);
    queries = squeeze(slice(tokens, [null, { start: queryIndex, stop: queryIndex + 1 }]), 1);
  } else {
    queries = asTensor(examples.queries, "float64");
    if (queries.shape.join() !== `${count},${dimension}`) {
      throw new ShapeError(`${owner}: queries has shape [${queries.shape}]; it must be [${count}, ${dimension}]`);
    }
  }
  const mask =
    examples.mask === undefined ? cast(ones([count, length]), "bool") : cast(asTensor(examples.mask), "bool");
  if (mask.shape.join() !== `${count},${length}`) {
    throw new ShapeError(`${owner}: mask has shape [${mask.shape}]; it must be [${count}, ${length}]`);
  }
  requireFinite(owner, "tokens", tokens);
  requireFinite(owner, "queries", queries);
  requireFinite(owner, "labels", labels);
  const zero = labels.data().indexOf(0);
  if (zero >= 0) throw new ValueError(`${owner}: label ${zero} is 0; labels are 1 and -1, or other numbers but 0`);
  const seen = mask.data();
  let choices = 0;
  for (let i = 0; i < count; i++) {
    let tokensSeen = 0;
    for (let t = 0; t < length; t++) tokensSeen += seen[i * length + t];
    if (tokensSeen === 0) throw new ValueError(`${owner}: example ${i} has no token left by the mask`);
    if (tokensSeen > 1) choices++;
  }
  if (choices === 0) throw new ValueError(`${owner}: every example has one token only; there is nothing to select`);
  return { tokens, queries, labels, mask, count, length, dimension };
}

/**
 * Sequences in which every position asks: position k of a sequence becomes an example that sees tokens 0 to k.
 *
 * @param tokens `[n, T, d]`.
 * @param labels `[n, T]`, a label for each position.
 * @throws ShapeError unless the shapes fit.
 * @example
 * const examples = causalExamples(sequences, nextLabels); // n T examples
 */
export function causalExamples(
  tokens: TensorLike,
  labels: TensorLike,
): Required<Omit<AttentionExamples, "queryIndex">> {
  const x = asTensor(tokens, "float64");
  const y = asTensor(labels, "float64");
  if (x.rank !== 3 || y.shape.join() !== x.shape.slice(0, 2).join()) {
    throw new ShapeError(
      `causalExamples: tokens has shape [${x.shape}] and labels [${y.shape}]; give [n, T, d] and [n, T]`,
    );
  }
  const [n, length, d] = x.shape;
  const values = x.data();
  const each = new Float64Array(n * length * length * d);
  const mask = new Float64Array(n * length * length);
  for (let i = 0; i < n; i++) {
    const sequence = values.subarray(i * length * d, (i + 1) * length * d);
    for (let k = 0; k < length; k++) {
      const row = i * length + k;
      each.set(sequence, row * length * d);
      mask.fill(1, row * length, row * length + k + 1);
    }
  }
  return {
    tokens: tensor(each, { shape: [n * length, length, d] }),
    queries: x.reshape([n * length, d]),
    labels: y.reshape([n * length]),
    mask: cast(tensor(mask, { shape: [n * length, length] }), "bool"),
  };
}
