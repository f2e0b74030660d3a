import { linalg, matmul, ones, type Tensor, tensor } from "@offprint/tensor-core";
import { type AttentionExamples, readExamples } from "./examples.js";
import { combined, gramOf, marginRows, requireChoices } from "./margin-rows.js";

/**
 * The least W whose margins all equal 1, in the least-squares sense where none does: the baseline that knows no support
 * tokens.
 *
 * @param tokens The token of each example that is to be selected.
 * @returns `[d, d]`.
 * @throws ShapeError, ValueError for what does not fit.
 */
export function equalMargins(examples: AttentionExamples, tokens: readonly number[]): Tensor {
  const read = readExamples("equalMargins", examples);
  requireChoices("equalMargins", read, tokens);
  const rows = marginRows(
    read,
    tokens.map((token) => [token]),
  );
  const gram = tensor(gramOf(rows, read), { dtype: "float64" });
  const b = matmul(linalg.pinv(gram), ones([rows.differences.length], "float64"));
  return tensor(combined(rows, b.data(), read), { shape: [read.dimension, read.dimension] });
}
