import { displayWidth, padText, wrapText } from "@offprint/claims";
import { requireObject } from "@offprint/tensor-core";
import type { Option } from "./option.js";
import { flagOf, type Options } from "./words.js";

/** What the help of a command is made from. */
export interface Described {
  /** Words before the arguments: `offprint reproduce`. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Arguments by name. */
  readonly arguments: Options;
  /** Options by name. */
  readonly options: Options;
  /** Further paragraphs. */
  readonly details?: string;
}

/** Widest column of names; longer ones have their text on the next line. */
const widest = 28;

/** Names with what they mean, the texts in one column. */
export function describedNames(rows: readonly (readonly [string, string])[], width: number): string[] {
  requireObject("describedNames", "rows", rows, "an array");
  const column = Math.min(widest, Math.max(0, ...rows.map(([name]) => displayWidth(name)))) + 4;
  return rows.flatMap(([name, meaning]) => {
    const [first = "", ...rest] = wrapText(meaning, Math.max(20, width - column));
    const indent = " ".repeat(column);
    const fits = displayWidth(name) + 4 <= column;
    const head = fits ? [padText(`  ${name}`, column) + first] : [`  ${name}`, indent + first];
    return [...head, ...rest.map((line) => indent + line)].map((line) => line.trimEnd());
  });
}

function shownDefault(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : String(value);
}

function meaning({ description, initial, required, placeholder }: Option<unknown>): string {
  if (required) return `${description} (required)`;
  const empty = initial === undefined || placeholder === undefined || (Array.isArray(initial) && initial.length === 0);
  return empty ? description : `${description} (default: ${shownDefault(initial)})`;
}

function signature(name: string, { placeholder, short, many }: Option<unknown>): string {
  const value = placeholder === undefined ? "" : ` <${placeholder}>${many ? "..." : ""}`;
  return `${short === undefined ? "" : `-${short}, `}${flagOf(name)}${value}`;
}

function usageWord(name: string, { many, required }: Option<unknown>): string {
  const word = many ? `${name}...` : name;
  return required ? `<${word}>` : `[${word}]`;
}

/** The help of a command. */
export function helpText(described: Described, width: number): string {
  requireObject("helpText", "described", described, "a Described");
  const { name, summary, arguments: named, options, details } = described;
  const places = Object.entries(named);
  const required = Object.entries(options).filter(([, each]) => each.required);
  const usage = [
    `Usage: ${name}`,
    ...places.map(([place, each]) => usageWord(place, each)),
    ...required.map(([each, { placeholder }]) => `${flagOf(each)} <${placeholder}>`),
    "[options]",
  ].join(" ");
  const sentence = `${summary[0]!.toUpperCase()}${summary.slice(1)}${/[.?!]$/.test(summary) ? "" : "."}`;
  const lines = [...wrapText(usage, width), "", ...wrapText(sentence, width)];
  if (places.length > 0) {
    const rows = places.map(([place, each]) => [place, meaning(each)] as const);
    lines.push("", "Arguments:", ...describedNames(rows, width));
  }
  const rows = Object.entries(options).map(([each, one]) => [signature(each, one), meaning(one)] as const);
  lines.push("", "Options:", ...describedNames([...rows, ["-h, --help", "print this help"]], width));
  if (details !== undefined) lines.push("", ...details.split("\n").flatMap((line) => wrapText(line, width)));
  return lines.join("\n");
}
