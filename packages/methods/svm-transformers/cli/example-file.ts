import { Failure } from "@offprint/commands";
import { npzNames, readNpz } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { expandDims, mean, mul, sum, type Tensor, where } from "@offprint/tensor-core";
import { readExamples } from "../src/examples.js";
import { type AttentionExamples, type FullExamples, positionExamples, withoutRepeats } from "../src/index.js";

/** Examples of a file, and the head that scores their tokens. */
export interface ExampleFile {
  readonly examples: FullExamples;
  /** v, `[d]`. */
  readonly v: Tensor;
  /** Tokens that were left out because they stand in their example before. */
  readonly repeats: number;
}

const known = ["tokens", "labels", "queries", "mask", "v"];

/** Arrays of an .npz file as examples: `labels` of every position `[n, T]` make an example of each. */
export async function readExampleFile(path: string, whole: boolean): Promise<ExampleFile> {
  const names = await loadFile(path, (bytes) => npzNames(bytes));
  const missing = ["tokens", "labels"].find((name) => !names.includes(name));
  if (missing !== undefined) throw new Failure(`${path} has no array ${missing}; it has ${names.join(", ")}`);
  const wanted = known.filter((name) => names.includes(name));
  const { tokens, labels, queries, mask, v } = (await loadFile(path, (bytes) => readNpz(bytes, wanted))) as Record<
    string,
    Tensor
  > as { tokens: Tensor; labels: Tensor } & Partial<Record<"queries" | "mask" | "v", Tensor>>;
  const masked = mask === undefined ? {} : { mask };
  let given: AttentionExamples = { tokens, labels, ...masked, ...(queries === undefined ? {} : { queries }) };
  if (labels.rank === 2) {
    if (queries !== undefined) throw new Failure(`${path}: labels of every position have no queries; leave them out`);
    given = positionExamples(tokens, labels, { causal: !whole, ...masked });
  } else if (whole) throw new Failure("--whole is for labels [n, T], of every position");
  const before = readExamples("separate-tokens", given);
  const examples = withoutRepeats(given);
  const count = (x: Tensor) => sum(x.cast("float64")).item();
  return { examples, v: v ?? evenHead(examples), repeats: count(before.mask) - count(examples.mask) };
}

/** `sum_i Y_i mean_t x_it`: up to its size the first gradient of a head under even attention. */
function evenHead({ tokens, labels, mask }: FullExamples): Tensor {
  const there = expandDims(mask.cast("float64"), 2);
  const total = sum(where(expandDims(mask, 2), tokens, 0), 1);
  return mean(mul(total.div(sum(there, 1)), expandDims(labels, 1)), 0);
}
