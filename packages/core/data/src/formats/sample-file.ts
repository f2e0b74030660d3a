import {
  checkOptions,
  FormatError,
  isTensor,
  ShapeError,
  sparse,
  type Tensor,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { readCsv } from "./csv.js";
import { gunzip } from "./inflate.js";
import { readLibsvm } from "./libsvm.js";
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
 * Reads samples to learn from or to predict for. What the file is is known by its content: NPZ with the arrays `x` (or
 * `X`) `[samples, features]` and `y`; LIBSVM text, whose columns are named "1", "2", ... and whose target is `label`;
 * otherwise CSV with a header, plain or compressed by gzip.
 *
 * @throws FormatError for a damaged file, missing or infinite values, or texts among the features; ValueError for a column or an
 * array that is not there, a column asked for twice, or a target to predict from; ShapeError for arrays that do not fit each other.
 */
export function readSamples(file: Uint8Array, options: SampleFileOptions = {}): SampleFile {
  checkOptions("readSamples", options, ["target", "inputs"]);
  if (!(file instanceof Uint8Array)) throw new FormatError("readSamples: the file must be given as its bytes");
  const { inputs = [] } = options;
  const twice = inputs.find((name, i) => inputs.indexOf(name) !== i);
  if (twice !== undefined) throw new ValueError(`column ${twice} is asked for twice; name it once`);
  const samples = samplesOf(file, options);
  if (samples.inputs.shape[0] === 0) throw new FormatError("the file has no samples");
  requireFinite(samples.inputs, (column) => samples.inputNames[column]!);
  const { targets, targetName = "y" } = samples;
  if (isTensor(targets)) requireFinite(targets, () => targetName);
  return samples;
}

/** @throws FormatError where a number is missing or infinite; it names the column and the row, from 1. */
function requireFinite(values: Tensor, nameOf: (column: number) => string): void {
  const data = values.data() as ArrayLike<number>;
  const width = data.length / values.shape[0]!;
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new FormatError(
      `column ${nameOf(i % width)} is ${data[i]} in row ${Math.floor(i / width) + 1}; fill it in or remove the row`,
    );
  }
}

function samplesOf(file: Uint8Array, options: SampleFileOptions): SampleFile {
  if (file[0] === 0x50 && file[1] === 0x4b) return fromNpz(file, options);
  return isLibsvm(file) ? fromLibsvm(file, options) : fromTable(readCsv(file), options);
}

/**
 * Whether a file is LIBSVM text, plain or compressed by gzip: its first line with content is a label and one or more
 * pairs `index:value` with blanks between them.
 */
export function isLibsvm(file: Uint8Array): boolean {
  const beginning = new TextDecoder().decode(gunzip(file).subarray(0, 1 << 16));
  const line = beginning.split(/\r\n|\n|\r/).find((text) => text.replace(/#.*/, "").trim() !== "");
  return line !== undefined && /^\s*[^\s,:]+([ \t]+qid:\d+)?([ \t]+\d+:[^\s,:]+)+/.test(line);
}

/** Largest table of sparse rows that is made dense: a gigabyte, and 1024 numbers for each that the file holds. */
const mostNumbers = (entries: number) => Math.min(2 ** 27, 2 ** 22 + 1024 * entries);

function fromLibsvm(bytes: Uint8Array, { target, inputs }: SampleFileOptions): SampleFile {
  if (target !== null && target !== undefined && target !== "label") {
    throw new ValueError(`LIBSVM text has one target, label; there is no column ${target}`);
  }
  const numbers = inputs?.map(Number);
  const numbered = numbers?.every((number) => Number.isInteger(number) && number >= 1) === true;
  // A model of another format's columns takes them by their places.
  const places = numbered ? numbers : inputs?.map((_, place) => place + 1);
  const content = readLibsvm(bytes, places && !numbered ? { features: places.length } : {});
  const [rows, width] = content.inputs.shape;
  if (rows * Math.max(width, places?.length ?? 0) > mostNumbers(content.inputs.values.length)) {
    throw new ValueError(
      `${rows} samples of ${width} features are too many for a table that is not sparse; leave out empty ones`,
    );
  }
  const columns = places ?? Array.from({ length: width }, (_, column) => column + 1);
  const dense = sparse.toDense(content.inputs);
  const values = new Float64Array(rows * columns.length);
  for (const [to, column] of columns.entries()) {
    if (column > width) continue;
    for (let i = 0; i < rows; i++) values[i * columns.length + to] = dense[i * width + column - 1];
  }
  const read = {
    inputs: tensor(values, { shape: [rows, columns.length] }),
    inputNames: inputs ?? columns.map(String),
  };
  return target === null ? read : { ...read, targets: content.targets, targetName: "label" };
}

function fromTable(table: Table, { target, inputs }: SampleFileOptions): SampleFile {
  const targetName = target === null ? undefined : (target ?? table.names.at(-1));
  const column = targetName === undefined ? undefined : table.column(targetName);
  const inputNames = inputs ?? table.names.filter((name) => name !== targetName);
  if (targetName !== undefined && inputNames.includes(targetName)) {
    throw new ValueError(
      `column ${targetName} is what is to be predicted; leave it out of the columns to predict from, or name another target`,
    );
  }
  if (inputNames.length === 0) throw new ValueError("there is no column to predict from; the file has one only");
  for (const name of inputNames) {
    const { type, values } = table.column(name);
    if (type === "text") {
      const row = (values as (string | null)[]).findIndex((text) => text !== null && !Number.isFinite(Number(text)));
      const text = JSON.stringify((values as (string | null)[])[row]);
      const remedy = /^"-?\d+,\d+"$/.test(text)
        ? "write numbers with a point"
        : "leave it out of the columns to predict from, or replace them by numbers (one column of 0 and 1 for each text)";
      throw new FormatError(`column ${name} holds texts; ${remedy}: ${text} in row ${row + 1}`);
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
    const found = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
    if (found === undefined) {
      throw new ValueError(`the file has no array ${name}; it has ${Object.keys(arrays).join(", ") || "none"}`);
    }
    return found.cast("float64");
  };
  const x = array(!Object.hasOwn(arrays, "x") && Object.hasOwn(arrays, "X") ? "X" : "x");
  if (x.rank !== 2) throw new ShapeError(`the array x has shape [${x.shape}]; it must be [samples, features]`);
  const names = Array.from({ length: x.shape[1] }, (_, f) => String(f));
  const read = inputs?.every((name) => names.includes(name))
    ? { inputs: take(x, Int32Array.from(inputs, Number), { axis: 1 }), inputNames: inputs }
    : { inputs: x, inputNames: inputs ?? names };
  if (read.inputNames.length !== read.inputs.shape[1]) {
    throw new ShapeError(`the array x has ${names.length} columns, and ${read.inputNames.length} are asked for`);
  }
  if (target === null) return read;
  const y = array(target ?? "y");
  if (y.rank < 1 || y.rank > 2 || y.shape[0] !== x.shape[0]) {
    throw new ShapeError(`the array ${target ?? "y"} has shape [${y.shape}]; it needs ${x.shape[0]} rows, as x has`);
  }
  return { ...read, targets: y, targetName: target ?? "y" };
}
