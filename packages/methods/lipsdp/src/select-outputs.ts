import { ValueError } from "@offprint/tensor-core";
import { matrix, multiply } from "./matrix.js";
import type { CheckedFeedForward, CheckedNetwork } from "./network.js";

/** @internal The network with some rows of its output. */
export function selectOutputs(checked: CheckedNetwork, outputs: readonly number[] | undefined): CheckedNetwork {
  if (outputs === undefined) return checked;
  if (outputs.length === 0 || outputs.some((row) => !(Number.isInteger(row) && row >= 0 && row < checked.outputs))) {
    throw new ValueError(`lipschitzBound: outputs must be rows from 0 to ${checked.outputs - 1}, got [${outputs}]`);
  }
  const pick = matrix(outputs.length, checked.outputs);
  for (const [k, row] of outputs.entries()) pick.values[k * checked.outputs + row] = 1;
  const rows = (W: CheckedFeedForward["weights"][number]) => multiply(pick, W);
  const selected = { outputs: outputs.length };
  if (checked.kind === "implicit") return { ...checked, ...selected, C: rows(checked.C) };
  if (checked.kind === "residual")
    return { ...checked, ...selected, output: checked.output === undefined ? pick : rows(checked.output) };
  const last = checked.weights.length - 1;
  const bias = Float64Array.from(outputs, (row) => checked.biases[last][row]);
  return {
    ...checked,
    ...selected,
    weights: [...checked.weights.slice(0, last), rows(checked.weights[last])],
    biases: [...checked.biases.slice(0, last), bias],
  };
}
