import { readCsv, readNpz, Table } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { ShapeError, ValueError } from "@offprint/tensor-core";

/** Features of a file as a matrix, and a column that may be predicted. */
export interface TableFile {
  /** Names of the features, in order. */
  readonly features: readonly string[];
  /** `[rows, features]`, row-major. */
  readonly values: Float64Array;
  /** Number of rows. */
  readonly rows: number;
  /** The target's entries as they are written, or as numbers; missing where the file has no such column. */
  readonly target?: readonly (number | string | null)[];
}

/** What to read. */
export interface TableRequest {
  /** Name of the target column, or of the array with the targets in an npz file. */
  readonly target: string;
  /** Names of the features; default: all other columns. */
  readonly features?: readonly string[];
  /** Name of the array with the features in an npz file. */
  readonly inputs: string;
}

/** Reads a CSV file, or an npz file with the arrays that the request names. */
export async function openTable(path: string, request: TableRequest): Promise<TableFile> {
  const table = /\.npz$/i.test(path)
    ? tableOfArrays(path, await loadFile(path, readNpz), request)
    : await loadFile(path, (bytes) => readCsv(bytes));
  if (table.rows === 0) throw new ValueError(`${path}: there are no rows`);
  const names = request.features ?? table.names.filter((name) => name !== request.target);
  if (names.length === 0) throw new ValueError(`${path}: there are no features besides the target ${request.target}`);
  const values = new Float64Array(table.rows * names.length);
  for (const [c, name] of names.entries()) {
    const column = table.column(name);
    if (column.type === "text") {
      throw new ValueError(
        `${path}: column ${name} holds texts; encode it as numbers, or choose columns with --features`,
      );
    }
    for (let i = 0; i < table.rows; i++) {
      if (!Number.isFinite(column.values[i])) {
        throw new ValueError(`${path}: row ${i + 1} has no number in column ${name}; fill or remove it`);
      }
      values[i * names.length + c] = column.values[i];
    }
  }
  const target = table.names.includes(request.target) ? [...table.column(request.target).values] : undefined;
  return { features: names, values, rows: table.rows, ...(target && { target }) };
}

function tableOfArrays(path: string, arrays: ReturnType<typeof readNpz>, { target, inputs }: TableRequest): Table {
  const array = (name: string) => (Object.hasOwn(arrays, name) ? arrays[name] : undefined);
  const X = array(inputs);
  if (X === undefined) {
    throw new ValueError(
      `${path}: there is no array ${inputs} (it has ${Object.keys(arrays).join(", ")}); name it with --inputs`,
    );
  }
  if (X.rank !== 2) throw new ShapeError(`${path}: array ${inputs} has shape [${X.shape}]; give [samples, features]`);
  const [rows, features] = X.shape;
  const data = X.data();
  const number = (name: string, values: Float64Array) => ({ name, type: "number" as const, values });
  const columns = Array.from({ length: features }, (_, c) =>
    number(
      `${c}`,
      Float64Array.from({ length: rows }, (_, i) => Number(data[i * features + c])),
    ),
  );
  const y = array(target);
  if (y === undefined) return new Table(columns);
  if (y.size !== rows) throw new ShapeError(`${path}: array ${target} has ${y.size} entries for ${rows} samples`);
  return new Table([...columns, number(target, Float64Array.from(y.data()))]);
}
