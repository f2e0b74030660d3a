import { readFile } from "node:fs/promises";
import { option } from "@offprint/commands";
import { readCsv } from "@offprint/data";
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

/** Sequences of a table in CSV, and their scores where a column of them is named. */
export async function readSequences(
  path: string,
  columns: { readonly sequence: string; readonly score?: string },
): Promise<{ sequences: string[]; scores: Float64Array }> {
  const table = readCsv(await readFile(path));
  const find = (name: string) => {
    const column = table.columns.find((each) => each.name === name);
    if (column !== undefined) return column;
    const there = table.columns.map((each) => each.name).join(", ");
    throw new FormatError(`${path}: there is no column "${name}"; it has ${there}`);
  };
  const sequences = Array.from(find(columns.sequence).values as ArrayLike<unknown>, (value) => String(value).trim());
  if (columns.score === undefined) return { sequences, scores: new Float64Array(0) };
  const scored = find(columns.score);
  const scores = Float64Array.from(scored.values as ArrayLike<unknown>, Number);
  const bad = scores.findIndex((value) => !Number.isFinite(value));
  if (scored.type !== "text" && bad < 0) return { sequences, scores };
  throw new FormatError(
    `${path}: column "${columns.score}" must hold numbers${bad < 0 ? "" : `; row ${bad + 1} does not`}`,
  );
}
