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
    examples.mask === undefined ? cast(ones([count, length]), "bool") : cast(finite(owner, examples.mask), "bool");
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

/** A mask as numbers, in which NaN would count as true. */
function finite(owner: string, mask: TensorLike): Tensor {
  const given = asTensor(mask);
  requireFinite(owner, "mask", given);
  return given;
}
