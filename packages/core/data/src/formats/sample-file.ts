import { FormatError, ShapeError, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { readCsv } from "./csv.js";
import { readNpz } from "./npz.js";
import type { Table } from "./table.js";

/** What to take from a file of samples. */
export interface SampleFileOptions {
  /**
   * What is to be predicted: the name of a column of a CSV file (default the last column), or of an array of an NPZ file
   * (default "y"). `null` for files without it, such as those to predict for.
   */
  target?: string | null;
  /** CSV: the columns to predict from, in this order (default all others); there may be more in the file. */
  inputs?: readonly string[];
}

/** Samples of a file. */
export interface SampleFile {
  /** `[samples, features]`, float64. */
  readonly inputs: Tensor;
  /** Names of the features; those of an NPZ file are "0", "1", ... */
  readonly inputNames: readonly string[];
  /** The targets: numbers `[samples]` or `[samples, outputs]` (float64), or texts. None where there is no target. */
  readonly targets?: Tensor | readonly string[];
  /** Name of the target's column or array. */
  readonly targetName?: string;
}

/**
 * Reads samples to learn from or to predict for: a CSV file with a header, or an NPZ file with the arrays `x`
 * `[samples, features]` and `y`.
 *
 * @throws FormatError for a damaged file, missing values, or texts among the features; ValueError for a column or an
 * array that is not there; ShapeError for arrays that do not fit each other.
 */
export function readSamples(file: Uint8Array, options: SampleFileOptions = {}): SampleFile {
  const zip = file[0] === 0x50 && file[1] === 0x4b;
  const samples = zip ? fromNpz(file, options) : fromTable(readCsv(file), options);
  if (samples.inputs.shape[0] === 0) throw new FormatError("the file has no samples");
  return samples;
}

function fromTable(table: Table, { target, inputs }: SampleFileOptions): SampleFile {
  const targetName = target === null ? undefined : (target ?? table.names.at(-1));
  const column = targetName === undefined ? undefined : table.column(targetName);
  const inputNames = inputs ?? table.names.filter((name) => name !== targetName);
  if (inputNames.length === 0) throw new ValueError("there is no column to predict from; the file has one only");
  for (const name of inputNames) {
    const { type, values } = table.column(name);
    if (type === "text") {
      throw new FormatError(
        `column ${name} holds texts; replace them by numbers (one column of 0 and 1 for each text)`,
      );
    }
    const missing = (values as Float64Array).findIndex(Number.isNaN);
    if (missing >= 0)
      throw new FormatError(`column ${name} has no value in row ${missing + 1}; fill it in or remove the row`);
  }
  const read = { inputs: table.tensor(inputNames, { dtype: "float64" }), inputNames };
  if (column === undefined) return read;
  const values: ArrayLike<number | string | null> = column.values;
  const missing = Array.from(values).findIndex((value) => value === null || Number.isNaN(value));
  if (missing >= 0) throw new FormatError(`column ${column.name} has no value in row ${missing + 1}; remove the row`);
  const targets = column.type === "text" ? (column.values as string[]) : tensor(column.values);
  return { ...read, targets, targetName };
}

function fromNpz(file: Uint8Array, { target, inputs }: SampleFileOptions): SampleFile {
  const arrays = readNpz(file);
  const array = (name: string): Tensor => {
    const found = arrays[name];
    if (found === undefined) {
      throw new ValueError(`the file has no array ${name}; it has ${Object.keys(arrays).join(", ") || "none"}`);
    }
    return found.cast("float64");
  };
  const x = array("x");
  if (x.rank !== 2) throw new ShapeError(`the array x has shape [${x.shape}]; it must be [samples, features]`);
  const inputNames = Array.from({ length: x.shape[1] }, (_, f) => String(f));
  if (inputs !== undefined && inputs.length !== inputNames.length) {
    throw new ShapeError(`the array x has ${inputNames.length} columns, and ${inputs.length} are asked for`);
  }
  const read = { inputs: x, inputNames: inputs ?? inputNames };
  if (target === null) return read;
  const y = array(target ?? "y");
  if (y.rank < 1 || y.rank > 2 || y.shape[0] !== x.shape[0]) {
    throw new ShapeError(`the array ${target ?? "y"} has shape [${y.shape}]; it needs ${x.shape[0]} rows, as x has`);
  }
  return { ...read, targets: y, targetName: target ?? "y" };
}
