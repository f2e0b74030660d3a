import { displayWidth, padText } from "@offprint/claims";
import { requireObject } from "@offprint/tensor-core";

/** A cell of a table: numbers are set to the right. */
export type Cell = number | string;

function isNumeric(cell: Cell | undefined): boolean {
  return typeof cell === "number" || (cell !== undefined && /^[-\u2212]?[\d.]/.test(cell));
}

/**
 * Rows as lines with their cells in columns, two spaces between them; columns of numbers are set to the right.
 *
 * @param heading names of the columns, with a rule below; none where it is left out
 */
export function alignedRows(rows: readonly (readonly Cell[])[], heading?: readonly string[]): string[] {
  requireObject("alignedRows", "rows", rows, "an array");
  const columns = Math.max(heading?.length ?? 0, ...rows.map((row) => row.length));
  const all: (readonly Cell[])[] = heading === undefined ? [...rows] : [heading, ...rows];
  const at = Array.from({ length: columns }, (_, column) => column);
  const widths = at.map((column) => Math.max(...all.map((row) => displayWidth(String(row[column] ?? "")))));
  const right = at.map((column) => column > 0 && rows.every((row) => isNumeric(row[column])));
  const line = (row: readonly Cell[]): string =>
    at
      .map((column) => {
        const text = String(row[column] ?? "");
        return right[column] ? " ".repeat(widths[column]! - displayWidth(text)) + text : padText(text, widths[column]!);
      })
      .join("  ")
      .trimEnd();
  const lines = rows.map(line);
  if (heading === undefined) return lines;
  return [line(heading), widths.map((width) => "─".repeat(width)).join("  "), ...lines];
}

/** Labels and values, one pair a line, the values in one column: what a run found. */
export function labelled(rows: readonly (readonly [label: string, value: Cell])[]): string[] {
  requireObject("labelled", "rows", rows, "an array");
  const width = Math.max(0, ...rows.map(([label]) => displayWidth(label))) + 2;
  return rows.map(([label, value]) => padText(label, width) + String(value));
}
