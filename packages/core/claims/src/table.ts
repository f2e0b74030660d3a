import { checkOptions, requireObject } from "@offprint/tensor-core";
import { formatQuantity } from "./quantity.js";
import type { ClaimRecord } from "./record.js";
import { displayWidth, padText, unbreakableWidth, wrapText } from "./text-width.js";

/** Options of `formatTable`. */
export interface TableOptions {
  /** Columns of the terminal; default 80. */
  readonly width?: number;
  /** Whether to colour the verdicts with ANSI codes; default `false`. */
  readonly colour?: boolean;
}

const headings = ["claim", "paper", "measured", "holds"] as const;
/** Below this width four columns would be too narrow to read, and the cells are listed one below the other. */
const narrowest = 56;
/** So they are where the column of the claims would be narrower. */
const narrowestClaim = 20;

function verdict(record: ClaimRecord): string {
  if (record.error !== undefined) return "error";
  return record.holds ? "yes" : "NO";
}

function paint(text: string, record: ClaimRecord, colour: boolean): string {
  return colour ? `\u001b[${record.holds ? 32 : 31}m${text}\u001b[0m` : text;
}

function cells(record: ClaimRecord): string[] {
  const measured = record.error ?? formatQuantity(record.measured);
  return [`${record.statement} (${record.source})`, formatQuantity(record.paper), measured, verdict(record)];
}

/**
 * Shares the width among the columns: the two values get what they need up to a quarter each, but never less than their
 * longest number or word, the claim the rest. Nothing where the claim would be left too little.
 */
function columnWidths(rows: string[][], width: number): number[] | undefined {
  const available = width - 3 * (headings.length - 1);
  const [claims, papers, measured] = headings.map((heading, column) => {
    const cells = [heading, ...rows.map((row) => row[column]!)];
    return { natural: Math.max(...cells.map(displayWidth)), least: Math.max(...cells.map(unbreakableWidth)) };
  });
  const quarter = Math.floor(available / 4);
  const paper = Math.max(papers!.least, Math.min(papers!.natural, quarter));
  const found = Math.max(measured!.least, Math.min(measured!.natural, quarter));
  const holds = headings[3].length;
  const claim = Math.min(claims!.natural, available - paper - found - holds);
  return claim < Math.min(narrowestClaim, claims!.natural) ? undefined : [claim, paper, found, holds];
}

function gridRow(row: string[], widths: number[]): string[] {
  const wrapped = row.map((cell, column) => wrapText(cell, widths[column]!));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((width, column) => padText(wrapped[column]![line] ?? "", width))
      .join(" │ ")
      .trimEnd(),
  );
}

function grid(records: readonly ClaimRecord[], width: number, colour: boolean): string {
  const rows = records.map(cells);
  const widths = columnWidths(rows, width);
  if (widths === undefined) return list(records, width, colour);
  const rule = widths.map((columns) => "─".repeat(columns)).join("─┼─");
  const lines = [...gridRow([...headings], widths)];
  for (const [index, row] of rows.entries()) {
    const [first = "", ...rest] = gridRow(row, widths);
    const word = row[3]!;
    const end = first.lastIndexOf(word);
    lines.push(
      rule,
      first.slice(0, end) + paint(word, records[index]!, colour) + first.slice(end + word.length),
      ...rest,
    );
  }
  return lines.join("\n");
}

function list(records: readonly ClaimRecord[], width: number, colour: boolean): string {
  const label = 10;
  const blocks = records.map((record) => {
    const row = cells(record);
    const [claim, ...others] = headings.map((heading, column) => {
      const lines = wrapText(row[column]!, Math.max(8, width - label));
      return lines.map((line, index) => padText(index === 0 ? heading : "", label) + line).join("\n");
    });
    const last = others.pop()!;
    return [claim, ...others, paint(last, record, colour)].join("\n");
  });
  return blocks.join(`\n${"─".repeat(Math.max(8, width))}\n`);
}

/**
 * A table for the terminal: claim | paper | measured | holds. Long texts are wrapped; no line is wider than `width`,
 * and narrow terminals get the cells one below the other.
 */
export function formatTable(records: readonly ClaimRecord[], options: TableOptions = {}): string {
  requireObject("formatTable", "records", records, "an array");
  checkOptions("formatTable", options, ["width", "colour"]);
  const { width = 80, colour = false } = options;
  const table = (width < narrowest ? list : grid)(records, width, colour);
  // Terminals show the no-break spaces of quantities well, but a search for "Adam 0.2" would miss them.
  return table.replaceAll("\u00a0", " ");
}
