import { option, tableOptions } from "@offprint/commands";
import { isLibsvm, readCsv, readLibsvm, readSamples } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { FormatError, isTensor, type Tensor, take } from "@offprint/tensor-core";

/** `--table`, `--query`, `--target` and `--features`. */
export const queryOptions = {
  table: option.fileIn(
    "items, a row each: SVMlight text as LETOR has it (label qid:1 1:0.3 ...), or CSV with a header",
    {
      required: true,
      short: "t",
    },
  ),
  query: option.text("CSV: column that says which query an item is of", { default: "query" }),
  target: option.text("CSV: column of relevance, 0 for none; default the last but --query"),
  features: tableOptions.features,
};

/** The items of a query. */
export interface QueryItems {
  /** As the file has it. */
  readonly name: string;
  /** Places of its rows in the file, from 0. */
  readonly rows: Int32Array;
  /** `[N, p]`, float64. */
  readonly items: Tensor;
  /** `[N]`; nothing where the file has none. */
  readonly relevance: Tensor | undefined;
}

/** Queries in the order in which the file begins them. */
export interface QueryFile {
  readonly features: readonly string[];
  readonly queries: readonly QueryItems[];
}

/** Where to find what in a CSV file; `target` is null for files without it. */
export interface QueryColumns {
  readonly query: string;
  readonly target?: string | null;
  readonly features?: readonly string[];
}

/**
 * Reads queries with their items. What the file is, is known by its content.
 * @throws FormatError, ValueError with the file's name in front: rows without a query, columns that are not there, texts.
 */
export async function readQueries(path: string, columns: QueryColumns): Promise<QueryFile> {
  return loadFile(path, (bytes) => {
    const { inputs, inputNames, targets, names } = isLibsvm(bytes)
      ? fromLibsvm(bytes, columns)
      : fromTable(bytes, columns);
    if (targets !== undefined && !isTensor(targets)) {
      throw new FormatError("the relevance holds texts; give numbers, 0 for items that are not relevant");
    }
    const places = new Map<string, number[]>();
    for (const [row, name] of names.entries()) {
      const known = places.get(name);
      if (known === undefined) places.set(name, [row]);
      else known.push(row);
    }
    const queries = Array.from(places, ([name, list]): QueryItems => {
      const rows = Int32Array.from(list);
      return { name, rows, items: take(inputs, rows), relevance: targets && take(targets, rows) };
    });
    return { features: inputNames, queries };
  });
}

function fromLibsvm(bytes: Uint8Array, { features }: QueryColumns) {
  const { queries } = readLibsvm(bytes);
  if (queries === undefined) {
    throw new FormatError("its rows do not say which query they are of; write them as label qid:1 1:0.3 ...");
  }
  return { ...readSamples(bytes, features && { inputs: features }), names: Array.from(queries.data(), String) };
}

function fromTable(bytes: Uint8Array, { query, target, features }: QueryColumns) {
  const table = readCsv(bytes);
  const names = Array.from<number | string | null>(table.column(query).values);
  const missing = names.findIndex((name) => name === null || Number.isNaN(name));
  if (missing >= 0) throw new FormatError(`column ${query} has no value in row ${missing + 1}; remove the row`);
  const others = table.names.filter((name) => name !== query);
  const relevance = target === undefined ? others.at(-1) : target;
  const inputs = features ?? others.filter((name) => name !== relevance);
  return { ...readSamples(bytes, { target: relevance ?? null, inputs }), names: names.map(String) };
}
