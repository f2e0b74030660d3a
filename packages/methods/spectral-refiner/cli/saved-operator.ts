import { Failure } from "@offprint/commands";
import { readSafetensors } from "@offprint/data";
import { loadParameters, saveParameters } from "@offprint/nn";
import { random } from "@offprint/tensor-core";
import { type FlowOperator, type FlowOperatorOptions, type FlowOperatorParams, flowOperator } from "../src/index.js";

/** A trained operator as a file: its parameters, and what it is made of among the metadata. */
export function saveOperator(operator: FlowOperator, params: FlowOperatorParams): Uint8Array {
  return saveParameters(params, { flowOperator: JSON.stringify(operator.config) });
}

/** Reads what {@link saveOperator} wrote. */
export function loadOperator(
  path: string,
  bytes: Uint8Array,
): { readonly operator: FlowOperator; readonly params: FlowOperatorParams } {
  const text = readSafetensors(bytes).metadata.flowOperator;
  if (text === undefined) {
    throw new Failure(`${path}: this file is not of a flow operator; give one that train-flow-operator wrote`);
  }
  const operator = flowOperator(JSON.parse(text) as FlowOperatorOptions);
  return { operator, params: loadParameters(bytes, operator.init(random.rng(0))) };
}
