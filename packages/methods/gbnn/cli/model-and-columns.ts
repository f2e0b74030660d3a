import { readSafetensors, writeSafetensors } from "@offprint/data";
import { type GbnnModel, loadModel, saveModel } from "../src/index.js";

/** A model with the columns of the table it was fitted to. */
export interface TableModel {
  /** What `fitClassifier` or `fitRegressor` gave. */
  readonly model: GbnnModel;
  /** Columns to predict from, in order. */
  readonly inputs: readonly string[];
  /** The column that is predicted. */
  readonly target: string;
}

/** The bytes of a model file that also names the columns; `loadModel` reads it too. */
export function writeTableModel({ model, inputs, target }: TableModel): Uint8Array {
  const { tensors, metadata } = readSafetensors(saveModel(model));
  return writeSafetensors(tensors, { metadata: { ...metadata, columns: JSON.stringify({ inputs, target }) } });
}

/** Reads it back; columns are "0", "1", ... in a file that `saveModel` wrote. */
export function readTableModel(bytes: Uint8Array): TableModel {
  const model = loadModel(bytes);
  const columns = readSafetensors(bytes).metadata?.columns;
  const numbered = Array.from({ length: model.features }, (_, f) => String(f));
  return { model, ...(columns === undefined ? { inputs: numbered, target: "y" } : JSON.parse(columns)) };
}
