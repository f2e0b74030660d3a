import { matmul, type Tensor } from "@offprint/tensor-core";
import { relaxation, type TableFit } from "../fit-table.js";
import { featuresAt, isKernel } from "../relaxed-model.js";

/** What a search believes of sequences: predictions `[B]` of one-hot rows `[B, L, V]`; traced. */
export type Proxy = (oneHot: Tensor) => Tensor;

/** The forward map of a fit as a proxy: standardised predictions. */
export function forwardProxy(fit: TableFit): Proxy {
  const { model, tensors } = fit;
  const relaxed = relaxation(model);
  return (oneHot) => {
    const rows = relaxed(oneHot);
    const columns =
      isKernel(model) && "rows" in tensors.table
        ? model.kernel(rows, tensors.table.rows)
        : featuresAt(model, rows, tensors.parameters);
    return matmul(columns, tensors.forward);
  };
}
