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
  const lines: TextLine[] = [];
  for (let start = 0, number = 1; start < text.length; number++) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    const line = text.slice(start, text[end - 1] === "\r" ? end - 1 : end);
    if (line.trim() !== "") lines.push({ text: line, number });
    start = end + 1;
  }
  return lines;
}

/** Classes from 0 in the order of the numbers that a file has for them. */
export function classesOf(numbers: readonly number[]): { labels: Int32Array; classNames: string[] } {
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  const places = new Map(distinct.map((number, place) => [number, place]));
  return {
    labels: Int32Array.from(numbers, (number) => places.get(number) as number),
    classNames: distinct.map(String),
  };
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
