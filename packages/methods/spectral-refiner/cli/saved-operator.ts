import { loadDescribed, saveDescribed } from "@offprint/nn";
import { type FlowOperator, type FlowOperatorOptions, type FlowOperatorParams, flowOperator } from "../src/index.js";

const FORMAT = "offprint spectral-refiner 1";

/** A trained operator as a file: its parameters, and what it is made of in the header. */
export function saveOperator(operator: FlowOperator, params: FlowOperatorParams): Uint8Array {
  return saveDescribed(FORMAT, operator.config, params);
}

/** Reads what {@link saveOperator} wrote. @throws FormatError for other files, and damaged ones. */
export function loadOperator(bytes: Uint8Array): {
  readonly operator: FlowOperator;
  readonly params: FlowOperatorParams;
} {
  const { model, params } = loadDescribed(bytes, FORMAT, (config: FlowOperatorOptions) => flowOperator(config));
  return { operator: model, params };
}
