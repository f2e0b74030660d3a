import { option } from "@offprint/commands";
import { type Column, readCsv } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { FormatError, ValueError } from "@offprint/tensor-core";
import { dna, protein } from "../src/index.js";

/** The letters that sequences are of. */
export const alphabetOption = {
  alphabet: option.text("dna, protein, or the letters themselves, such as ACGU", { default: "dna" }),
};

/** Letters by the word of `--alphabet`. */
export function alphabetOf(word: string): readonly string[] {
  if (word === "dna") return dna;
  if (word === "protein") return protein;
  const letters = [...word];
  if (letters.length >= 2 && new Set(letters).size === letters.length) return letters;
  throw new ValueError(`--alphabet ${word}: give dna, protein, or two or more different letters`);
}

/** The columns that are read. */
interface Columns {
  readonly sequence: string;
  readonly score?: string;
}

/** Sequences of a table, CSV or a list of objects in JSON, and their scores where a column of them is named. */
export async function readSequences(
  path: string,
  columns: Columns,
): Promise<{ sequences: string[]; scores: Float64Array }> {
  const cells = await loadFile(path, (bytes) =>
    bytes.find((byte) => byte > 0x20) === 0x5b ? jsonCells(bytes, columns) : csvCells(bytes, columns),
  );
  const sequences = cells.sequences.map((cell, i) => {
    const text = typeof cell === "string" ? cell.trim() : "";
    if (text !== "") return text;
    throw new FormatError(`${path}: column "${columns.sequence}" must hold texts of letters; row ${i + 1} does not`);
  });
  const scores = Float64Array.from(cells.scores, (cell, i) => {
    const value = typeof cell === "number" ? cell : Number(String(cell ?? "").trim() || Number.NaN);
    if (Number.isFinite(value)) return value;
    const found = cell === null || Number.isNaN(cell) ? "is empty" : `holds ${JSON.stringify(cell)}`;
    throw new FormatError(`${path}: column "${columns.score}" must hold numbers; row ${i + 1} ${found}`);
  });
  return { sequences, scores };
}

interface Cells {
  readonly sequences: readonly unknown[];
  readonly scores: readonly unknown[];
}

/** Letters stay letters: NA is two amino acids, and 0110 has four letters. */
function csvCells(bytes: Uint8Array, { sequence, score }: Columns): Cells {
  const { names, columns } = readCsv(bytes, { missing: [""] });
  const find = (all: readonly Column[], name: string): Column => {
    const column = all.find((each) => each.name === name);
    if (column !== undefined) return column;
    throw new FormatError(`there is no column "${name}"; it has ${names.join(", ")}`);
  };
  find(columns, sequence);
  const texts = find(readCsv(bytes, { missing: [""], types: { [sequence]: "text" } }).columns, sequence);
  return {
    sequences: Array.from(texts.values as ArrayLike<unknown>),
    scores: score === undefined ? [] : Array.from(find(columns, score).values as ArrayLike<unknown>),
  };
}

function jsonCells(bytes: Uint8Array, { sequence, score }: Columns): Cells {
  let rows: unknown;
  try {
    rows = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FormatError(`this is no JSON: ${(cause as Error).message}`, { cause });
  }
  if (!Array.isArray(rows)) throw new FormatError('it must be a list, such as [{ "sequence": "ACGT", "score": 1 }]');
  const column = (name: string) =>
    rows.map((row: unknown, i) => {
      if (typeof row === "object" && row !== null && Object.hasOwn(row, name)) return Reflect.get(row, name);
      throw new FormatError(`row ${i + 1} has no "${name}"; name its fields with --sequence and --score`);
    });
  return { sequences: column(sequence), scores: score === undefined ? [] : column(score) };
}
