import { FormatError } from "@offprint/tensor-core";

/** A file as its text, or as bytes of UTF-8. */
export type TextFile = string | Uint8Array;

/** A line that is not empty, and its number from 1. */
export interface TextLine {
  readonly text: string;
  readonly number: number;
}

/** The lines of a text that are not blank. */
export function textLines(format: string, file: TextFile): TextLine[] {
  let text: string;
  try {
    text = typeof file === "string" ? file : new TextDecoder("utf-8", { fatal: true }).decode(file);
  } catch (cause) {
    throw new FormatError(`${format}: the file is not UTF-8 text; check that it is the right file`, { cause });
  }
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ text: line, number: i + 1 }))
    .filter((line) => line.text.trim() !== "");
}

/** Throws a FormatError that names the line. */
export function failAtLine(format: string, line: TextLine | number, message: string): never {
  const number = typeof line === "number" ? line : line.number;
  throw new FormatError(`${format}: ${message} (line ${number})`, { offset: number });
}

/** The numbers of a line, separated by commas or blanks. */
export function numbersOf(format: string, line: TextLine, integers = false): number[] {
  return line.text
    .trim()
    .split(/\s*,\s*|\s+/)
    .map((word) => {
      const value = Number(word);
      if (word === "" || !Number.isFinite(value) || (integers && !Number.isInteger(value))) {
        failAtLine(format, line, `"${word.slice(0, 40)}" is no ${integers ? "integer" : "number"}`);
      }
      return value;
    });
}
