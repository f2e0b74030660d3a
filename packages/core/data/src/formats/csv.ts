import { checkOptions, FormatError, requireObject, type Tensor, ValueError } from "@offprint/tensor-core";
import { requireChoice } from "../option-choice.js";
import { decodeText } from "./byte-reader.js";
import { type CsvRecord, csvRecords, failAt } from "./csv-records.js";
import { gunzip } from "./inflate.js";
import { type Column, type ColumnType, Table } from "./table.js";

/** Options of `readCsv`. */
export interface CsvReadOptions {
  /** One character between fields; default ",", or what a header has in its place: semicolons, else tabs. */
  delimiter?: string;
  /** Whether the first line names the columns (default true), or their names; without names they are "0", "1", ... */
  header?: boolean | readonly string[];
  /** Types of columns by name. Others: "number" where every field is one, "text" otherwise. */
  types?: Readonly<Record<string, ColumnType>>;
  /** Fields that mean a missing value; default "", NA, N/A, NaN, nan, null and ?. */
  missing?: readonly string[];
}

const MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "?"];

/**
 * Reads CSV text (UTF-8), plain or gzip-compressed, into typed columns.
 * @throws FormatError, its `offset` the number of the line, for rows of different lengths, bad quotes, and fields that
 * are not of the column's type; ValueError for options that fit no column.
 */
export function readCsv(file: string | Uint8Array, options: CsvReadOptions = {}): Table {
  checkOptions("readCsv", options, ["delimiter", "header", "types", "missing"]);
  const text = decodeText("CSV", typeof file === "string" ? file : gunzip(file));
  const { header = true, types = {}, missing = MISSING } = options;
  const { delimiter = header === true ? delimiterOf(text) : "," } = options;
  if (typeof delimiter !== "string" || delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw new ValueError(
      `readCsv: the delimiter ${JSON.stringify(delimiter)} must be one character, no quote or line break`,
    );
  }
  const records = [...csvRecords(text, delimiter)];
  const first = header === true ? records.shift() : undefined;
  if (header === true && first === undefined)
    throw new FormatError("CSV: the file is empty; it has no header", { offset: 1 });
  const names = first?.fields.map((name) => name.trim()) ?? givenNames(header, records);
  checkNames(names, first?.line ?? 1, types);
  for (const { line, fields } of records) {
    if (fields.length !== names.length) {
      failAt(
        line,
        `${fields.length} fields where ${names.length} are expected; the row is cut off or a field needs quotes`,
      );
    }
  }
  const absent = new Set(missing);
  for (const [name, type] of Object.entries(types)) {
    requireChoice("readCsv", `the type of ${name}`, type, ["number", "integer", "boolean", "text"]);
  }
  const typeOf = (name: string) => (Object.hasOwn(types, name) ? types[name] : undefined);
  return new Table(names.map((name, j) => readColumn(name, j, records, typeOf(name), absent)));
}

/** What stands between the names of a header, outside quotes. */
function delimiterOf(text: string): string {
  const line =
    text
      .slice(0, 1 << 16)
      .replace(/"[^"]*"/g, "")
      .match(/[^\r\n]+/)?.[0] ?? "";
  return [",", ";", "\t"].find((each) => line.includes(each)) ?? ",";
}

function givenNames(header: boolean | readonly string[], records: readonly CsvRecord[]): string[] {
  if (typeof header === "object") return [...header];
  return (records[0]?.fields ?? []).map((_, j) => String(j));
}

function checkNames(names: readonly string[], line: number, types: Readonly<Record<string, ColumnType>>): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) failAt(line, `two columns have the name ${JSON.stringify(name)}; rename one`);
    seen.add(name);
  }
  for (const name of Object.keys(types)) {
    if (!seen.has(name)) throw new ValueError(`readCsv: types names ${name}, but the columns are ${names.join(", ")}`);
  }
}

function readColumn(
  name: string,
  j: number,
  records: readonly CsvRecord[],
  type: ColumnType | undefined,
  missing: ReadonlySet<string>,
): Column {
  if (type !== "text") {
    const values = new Float64Array(records.length);
    const bad = records.findIndex(({ fields }, i) => {
      const text = fields[j].trim();
      values[i] = missing.has(text) ? Number.NaN : parse(text, type ?? "number");
      return Number.isNaN(values[i]) && !missing.has(text);
    });
    if (bad < 0) return { name, type: type ?? "number", values };
    if (type !== undefined) {
      const { line, fields } = records[bad];
      failAt(
        line,
        `column ${name}: ${JSON.stringify(fields[j].slice(0, 40))} is not of type ${type}; correct it or list it in missing`,
      );
    }
  }
  return { name, type: "text", values: records.map(({ fields }) => (missing.has(fields[j]) ? null : fields[j])) };
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^([+-])?inf(?:inity)?$/i;

/** The value of a field, NaN where it is not of the type. */
function parse(text: string, type: ColumnType): number {
  if (type === "boolean") {
    if (/^(?:true|1)$/i.test(text)) return 1;
    return /^(?:false|0)$/i.test(text) ? 0 : Number.NaN;
  }
  if (NUMBER.test(text)) {
    const value = Number(text);
    return type === "integer" && !Number.isSafeInteger(value) ? Number.NaN : value;
  }
  const infinite = type === "number" ? INFINITE.exec(text) : null;
  if (infinite === null) return Number.NaN;
  return infinite[1] === "-" ? -Infinity : Infinity;
}

/** Options of `writeCsv`. */
export interface CsvWriteOptions {
  /** One character between fields; default ",". */
  delimiter?: string;
  /** Names of a tensor's columns; default "0", "1", ... */
  names?: readonly string[];
}

/**
 * CSV text of a table or of a tensor `[rows, columns]`: a header, quotes where they are needed, empty fields for missing
 * values, numbers with all their digits.
 * @throws ValueError for a tensor that is not a matrix or names that do not fit it.
 */
export function writeCsv(content: Table | Tensor, options: CsvWriteOptions = {}): string {
  requireObject("writeCsv", "content", content, "a tensor or a Table");
  checkOptions("writeCsv", options, ["delimiter", "names"]);
  const { delimiter = "," } = options;
  const columns = content instanceof Table ? content.columns : matrixColumns(content, options.names);
  // Semicolons and tabs too: a reader takes those of a header for delimiters.
  const quote = (text: string) =>
    /["\r\n;\t]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  // Empty lines are passed over by readers, so that the only field of one is quoted.
  const lineOf = (fields: readonly string[]) =>
    fields.length === 1 && fields[0] === "" ? '""' : fields.map(quote).join(delimiter);
  const lines = [lineOf(columns.map(({ name }) => name))];
  const rows = columns[0]?.values.length ?? 0;
  for (let i = 0; i < rows; i++) lines.push(lineOf(columns.map((column) => formatField(column, i))));
  return `${lines.join("\n")}\n`;
}

function formatField(column: Column, i: number): string {
  const value = column.values[i];
  if (value === null || Number.isNaN(value)) return "";
  return column.type === "boolean" ? String(value !== 0) : String(value);
}

function matrixColumns(x: Tensor, names: readonly string[] | undefined): Column[] {
  if (x.rank !== 2) throw new ValueError(`writeCsv: the tensor has shape [${x.shape}]; give a matrix [rows, columns]`);
  const [rows, width] = x.shape;
  if (names !== undefined && names.length !== width) {
    throw new ValueError(`writeCsv: ${names.length} names for ${width} columns; give one name per column`);
  }
  const data = x.data();
  const exact = x.dtype === "float32" ? shortestSingle : (v: number) => v;
  return Array.from({ length: width }, (_, j) => ({
    name: names?.[j] ?? String(j),
    type: x.dtype === "bool" ? "boolean" : "number",
    values: Float64Array.from({ length: rows }, (_, i) => exact(data[i * width + j])),
  }));
}

/** The number of fewest digits that float32 rounds to `value`. */
function shortestSingle(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}
