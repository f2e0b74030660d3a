import { FormatError, UnsupportedError, ValueError } from "../errors.js";
import { fromTriplets } from "./construct.js";
import type { CsrMatrix } from "./csr-matrix.js";
import type { DenseMatrix } from "./dense-operand.js";

/** What a MatrixMarket text holds: `coordinate` a sparse matrix, `array` a dense one. Symmetric ones are filled up. */
export type MatrixMarketContent =
  | { readonly format: "coordinate"; readonly matrix: CsrMatrix }
  | { readonly format: "array"; readonly matrix: DenseMatrix };

type Symmetry = "general" | "symmetric" | "skew-symmetric";

interface Header {
  readonly format: "coordinate" | "array";
  readonly field: "real" | "integer" | "pattern";
  readonly symmetry: Symmetry;
}

/**
 * Reads MatrixMarket text (`%%MatrixMarket matrix coordinate|array real|double|integer|pattern
 * general|symmetric|skew-symmetric`). Duplicate coordinates are summed; pattern entries are 1.
 *
 * @throws FormatError for malformed or truncated text, its `offset` the number of the line; UnsupportedError for
 * complex and Hermitian matrices.
 * @see https://math.nist.gov/MatrixMarket/formats.html
 */
export function parseMatrixMarket(text: string): MatrixMarketContent {
  if (typeof text !== "string")
    throw new ValueError("sparse.parseMatrixMarket: the text is no string; decode bytes first");
  const lines = new LineReader(text);
  const header = parseHeader(lines);
  return header.format === "coordinate"
    ? { format: "coordinate", matrix: parseCoordinates(lines, header) }
    : { format: "array", matrix: parseArray(lines, header) };
}

/** Lines with their numbers, blank lines and comments passed over. */
class LineReader {
  private readonly text: string;
  private position = 0;
  /** Number of the line last read, from 1. */
  number = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The next line as it is, or null at the end. */
  raw(): string | null {
    if (this.position >= this.text.length) return null;
    const end = this.text.indexOf("\n", this.position);
    const line = this.text.slice(this.position, end < 0 ? this.text.length : end);
    this.position = end < 0 ? this.text.length : end + 1;
    this.number++;
    return line;
  }

  /** The next line with content, as words, or null at the end. */
  words(): string[] | null {
    for (let line = this.raw(); line !== null; line = this.raw()) {
      const trimmed = line.trim();
      if (trimmed !== "" && !trimmed.startsWith("%")) return trimmed.split(/\s+/);
    }
    return null;
  }

  /** Fails now if the rest cannot hold `count` lines: a false line of sizes must not allocate memory. */
  expect(count: number): void {
    if (2 * count > this.text.length - this.position + 1) this.fail(`the text is too short for ${count} values`);
  }

  fail(what: string): never {
    throw new FormatError(`MatrixMarket, line ${this.number}: ${what}`, { offset: this.number });
  }
}

function parseHeader(lines: LineReader): Header {
  const words = (lines.raw() ?? "").trim().toLowerCase().split(/\s+/);
  if (words[0] !== "%%matrixmarket" || words[1] !== "matrix" || words.length !== 5) {
    lines.fail('the first line must be "%%MatrixMarket matrix <format> <field> <symmetry>"');
  }
  const [, , format, writtenField, symmetry] = words;
  if (writtenField === "complex" || symmetry === "hermitian") {
    throw new UnsupportedError("MatrixMarket: complex and Hermitian matrices are not supported, only real values");
  }
  const field = writtenField === "double" ? "real" : writtenField;
  if (format !== "coordinate" && format !== "array") lines.fail(`unknown format "${format}"`);
  if (field !== "real" && field !== "integer" && field !== "pattern") lines.fail(`unknown field "${field}"`);
  if (symmetry !== "general" && symmetry !== "symmetric" && symmetry !== "skew-symmetric") {
    lines.fail(`unknown symmetry "${symmetry}"`);
  }
  if (format === "array" && field === "pattern") lines.fail("an array cannot have the field pattern");
  return { format, field, symmetry };
}

function parseSizes(lines: LineReader, count: 2 | 3, symmetry: Symmetry): number[] {
  const words = lines.words();
  if (words === null) lines.fail("the text ends before the line of sizes");
  if (words.length !== count) lines.fail(`the line of sizes must have ${count} numbers, got ${words.length}`);
  const sizes = words.map((word) => parseInteger(lines, word, 0, 2 ** 31 - 1));
  if (symmetry !== "general" && sizes[0] !== sizes[1]) lines.fail(`a ${symmetry} matrix must be square`);
  return sizes;
}

function parseInteger(lines: LineReader, word: string, low: number, high: number): number {
  const value = /^\+?\d+$/.test(word) ? Number(word) : Number.NaN;
  if (!(value >= low && value <= high)) lines.fail(`"${word}" must be an integer from ${low} to ${high}`);
  return value;
}

/** A row takes four bytes even where it is empty: so many rows are read besides those that the entries account for. */
const MOST_EMPTY_ROWS = 2 ** 22;

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eEdD][+-]?\d+)?$/;

function parseValue(lines: LineReader, word: string, field: Header["field"]): number {
  const value = NUMBER.test(word) ? Number(word.replace(/[dD]/, "e")) : namedNumber(word);
  if (value === undefined) lines.fail(`"${word}" is not a number`);
  if (field === "integer" && !Number.isInteger(value)) lines.fail(`"${word}" is not an integer`);
  return value;
}

function namedNumber(word: string): number | undefined {
  const lower = word.toLowerCase();
  if (lower === "nan") return Number.NaN;
  if (/^[+-]?inf(inity)?$/.test(lower)) return lower[0] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return undefined;
}

function parseCoordinates(lines: LineReader, { field, symmetry }: Header): CsrMatrix {
  const [rows, columns, count] = parseSizes(lines, 3, symmetry);
  const rowIndices: number[] = [];
  const columnIndices: number[] = [];
  const values: number[] = [];
  const width = field === "pattern" ? 2 : 3;
  lines.expect(count);
  const most = MOST_EMPTY_ROWS + 16 * count;
  if (rows > most)
    lines.fail(`${rows} rows for ${count} entries are more than the ${most} that are read; leave out empty ones`);
  for (let k = 0; k < count; k++) {
    const words = lines.words();
    if (words === null) lines.fail(`the text ends after ${k} of ${count} entries`);
    if (words.length !== width) lines.fail(`an entry must have ${width} words, got ${words.length}`);
    const i = parseInteger(lines, words[0], 1, rows) - 1;
    const j = parseInteger(lines, words[1], 1, columns) - 1;
    const value = field === "pattern" ? 1 : parseValue(lines, words[2], field);
    if (symmetry === "skew-symmetric" && i === j) lines.fail("a skew-symmetric matrix stores no diagonal entry");
    if (symmetry !== "general" && i < j)
      lines.fail(`a ${symmetry} matrix stores only entries on or below the diagonal`);
    rowIndices.push(i);
    columnIndices.push(j);
    values.push(value);
    if (symmetry === "general" || i === j) continue;
    rowIndices.push(j);
    columnIndices.push(i);
    values.push(symmetry === "symmetric" ? value : 0 - value);
  }
  if (lines.words() !== null) lines.fail(`more than the ${count} entries that the line of sizes states`);
  return fromTriplets(rows, columns, rowIndices, columnIndices, values);
}

function parseArray(lines: LineReader, { field, symmetry }: Header): DenseMatrix {
  const [rows, columns] = parseSizes(lines, 2, symmetry);
  const next = (): number => {
    const words = lines.words();
    if (words === null) lines.fail("the text ends before the last value");
    if (words.length !== 1) lines.fail(`a line of an array must hold one value, got ${words.length}`);
    return parseValue(lines, words[0], field);
  };
  lines.expect(symmetry === "general" ? rows * columns : (rows * (rows - 1)) / 2);
  const values = new Float64Array(rows * columns);
  for (let j = 0; j < columns; j++) {
    const first = symmetry === "general" ? 0 : symmetry === "symmetric" ? j : j + 1;
    for (let i = first; i < rows; i++) {
      const value = next();
      values[i * columns + j] = value;
      if (symmetry !== "general") values[j * columns + i] = symmetry === "symmetric" ? value : 0 - value;
    }
  }
  if (lines.words() !== null) lines.fail(`more values than a ${rows} x ${columns} ${symmetry} array holds`);
  return { shape: [rows, columns], values };
}
