import { checkOptions, softmax, type Tensor, ValueError } from "@offprint/tensor-core";
import { type AttentionWeights, correlation, maskedScores, readWeights } from "./attention.js";
import { type AttentionSvm, type AttentionSvmOptions, svmOf } from "./attention-svm.js";
import { type AttentionExamples, readExamples } from "./examples.js";
import { marginRows, marginsOf } from "./margin-rows.js";

/** What weights select, and how near they are to the largest margin for it. */
export interface MarginReport {
  /** Attention of every token, `[n, T]`. */
  readonly attention: Tensor;
  /** The token with the most attention in each example. */
  readonly selected: readonly number[];
  /** The least attention of a selected token. */
  readonly concentration: number;
  /** The least `(x_i,selected - x_it)^T W z_i / ||W||_F` of all tokens: what the weights reach. */
  readonly margin: number;
  /** The most that any weights reach: `1 / ||W_mm||_F`. */
  readonly largestMargin: number;
  /** How parallel W and W_mm are. */
  readonly correlation: number;
  /** The SVM for the selected tokens. */
  readonly svm: AttentionSvm;
}

/**
 * Which tokens given weights select on given examples, with what margin, and how near to the largest one.
 *
 * @throws InfeasibleSvmError where no weights separate the selected tokens; ShapeError, ValueError for what does not fit.
 * @example
 * const { selected, margin, largestMargin } = await marginReport(examples, trained.w);
 */
export async function marginReport(
  examples: AttentionExamples,
  weights: AttentionWeights,
  options: Pick<AttentionSvmOptions, "norm" | "signal"> = {},
): Promise<MarginReport> {
  const owner = "marginReport";
  checkOptions(owner, options, ["norm", "signal"]);
  const read = readExamples(owner, examples);
  const w = readWeights(owner, weights, read.dimension);
  const values = w.data();
  // In units of the largest entry, so that no square overflows or vanishes.
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  const direction = Float64Array.from(values, (value) => value / (largest || 1));
  const squares = direction.reduce((sum, value) => sum + value ** 2, 0);
  if (squares === 0) throw new ValueError(`${owner}: the weights are 0 and select nothing`);
  const scores = maskedScores(w, read);
  const attention = softmax(scores, 1);
  // Of small weights scores differ where attention, rounded, does not.
  const selected = [...scores.argMax(1).data()];
  const svm = await svmOf(owner, read, selected, options);
  const rows = marginRows(
    read,
    selected.map((token) => [token]),
  );
  const margins = marginsOf(rows, direction, read);
  return {
    attention,
    selected,
    concentration: attention.max(1).min().item(),
    margin: margins.reduce((least, one) => Math.min(least, one), Infinity) / Math.sqrt(squares),
    largestMargin: svm.margin,
    correlation: correlation(w, svm.w),
    svm,
  };
}
