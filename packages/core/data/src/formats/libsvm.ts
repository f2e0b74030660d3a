import {
  asTensor,
  checkOptions,
  FormatError,
  sparse,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { decodeText } from "./byte-reader.js";
import { gunzip } from "./inflate.js";

/** Options of `readLibsvm`. */
export interface LibsvmReadOptions {
  /** Number of columns; default: the highest index in the file. */
  features?: number;
  /** Whether indices begin at 0 rather than 1; default false. */
  zeroBased?: boolean;
}

/** Rows of a LIBSVM file. */
export interface LibsvmContent {
  /** `[rows, features]`, float64. */
  readonly inputs: sparse.CsrMatrix;
  /** `[rows]` labels as they stand in the file, float64. */
  readonly targets: Tensor;
  /** `[rows]` query numbers (`qid:`), int32, where the file has them. */
  readonly queries: Tensor | undefined;
}

const NUMBER = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?)$/i;
const MAX_INDEX = 2147483646;

/**
 * Reads LIBSVM (svmlight) text, plain or gzip-compressed: one row a line, `label index:value ...`, indices increasing,
 * comments after #.
 * @throws FormatError, its `offset` the number of the line.
 */
export function readLibsvm(file: string | Uint8Array, options: LibsvmReadOptions = {}): LibsvmContent {
  checkOptions("readLibsvm", options, ["features", "zeroBased"]);
  const text = decodeText("LIBSVM", typeof file === "string" ? file : gunzip(file));
  const base = options.zeroBased ? 0 : 1;
  const rows: RowStore = { labels: [], queries: [], indptr: [0], indices: [], values: [] };
  text.split(/\r\n|\n|\r/).forEach((content, i) => {
    const hash = content.indexOf("#");
    const tokens = (hash < 0 ? content : content.slice(0, hash)).trim().split(/[ \t]+/);
    if (tokens[0] !== "") readRow(rows, tokens, base, i + 1);
  });
  const { labels, queries } = rows;
  const width = rows.indices.reduce((most, index) => Math.max(most, index + 1), 0);
  const features = options.features ?? width;
  if (!Number.isInteger(features) || features < width) {
    throw new ValueError(
      `readLibsvm: features is ${features}, but the file has column ${width - 1}; give at least ${width}`,
    );
  }
  if (queries.length > 0 && queries.length !== labels.length) {
    fail(labels.length, `${queries.length} of ${labels.length} rows have a qid; all or none must`);
  }
  const inputs = new sparse.CsrMatrix(
    labels.length,
    features,
    Int32Array.from(rows.indptr),
    Int32Array.from(rows.indices),
    Float64Array.from(rows.values),
  );
  return {
    inputs,
    targets: tensor(Float64Array.from(labels)),
    queries: queries.length > 0 ? tensor(Int32Array.from(queries)) : undefined,
  };
}

interface RowStore {
  readonly labels: number[];
  readonly queries: number[];
  readonly indptr: number[];
  readonly indices: number[];
  readonly values: number[];
}

function readRow(rows: RowStore, [label, ...pairs]: string[], base: number, line: number): void {
  rows.labels.push(number(label, line, "label"));
  let last = -1;
  pairs.forEach((pair, k) => {
    const colon = pair.indexOf(":");
    if (colon < 1) fail(line, `${JSON.stringify(pair.slice(0, 40))} is not index:value`);
    const key = pair.slice(0, colon);
    const value = number(pair.slice(colon + 1), line, "value");
    if (key === "qid" && k === 0) {
      if (!Number.isInteger(value) || Math.abs(value) > MAX_INDEX) fail(line, `qid ${value} is no integer of 32 bits`);
      rows.queries.push(value);
      return;
    }
    const index = /^\d{1,10}$/.test(key) ? Number(key) - base : Number.NaN;
    if (!(index >= 0 && index <= MAX_INDEX)) {
      fail(
        line,
        `index ${JSON.stringify(key.slice(0, 40))} is not an integer from ${base}${base === 1 ? "; is the file zeroBased?" : ""}`,
      );
    }
    if (index <= last) fail(line, `index ${key} does not exceed the one before; sort the indices of each row`);
    last = index;
    rows.indices.push(index);
    rows.values.push(value);
  });
  rows.indptr.push(rows.indices.length);
}

function number(text: string, line: number, what: string): number {
  if (!NUMBER.test(text)) fail(line, `${what} ${JSON.stringify(text.slice(0, 40))} is not a number`);
  return /inf/i.test(text) ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text);
}

function fail(line: number, message: string): never {
  throw new FormatError(`LIBSVM: line ${line}: ${message}`, { offset: line });
}

/** LIBSVM text of rows and their labels, indices from 1; stored zeros are kept. */
export function writeLibsvm(inputs: sparse.SparseMatrix, targets: TensorLike): string {
  const { indptr, indices, values, rows } = sparse.toCsr(inputs);
  const labels = asTensor(targets).data();
  if (labels.length !== rows)
    throw new ValueError(`writeLibsvm: ${labels.length} targets for ${rows} rows; give one per row`);
  let text = "";
  for (let i = 0; i < rows; i++) {
    text += labels[i];
    for (let k = indptr[i]; k < indptr[i + 1]; k++) text += ` ${indices[k] + 1}:${values[k]}`;
    text += "\n";
  }
  return text;
}
