import { axisText } from "../plots/scale.js";
import type { Series, Values } from "../plots/series.js";
import { escapeText } from "../plots/svg.js";
import { figure } from "../quantity.js";

/** Rows that a table of plotted data shows; longer ones are thinned out evenly and say so. */
const mostRows = 60;

/** A cell: numbers are aligned to the right. */
type Cell = string | number | null;

/** A plain table. */
export function tableMarkup(title: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const numeric = columns.map((_, column) => rows.every((row) => typeof row[column] !== "string"));
  const style = (column: number) => (numeric[column] ? ' class="number"' : "");
  const heading = columns.map((name, column) => `<th scope="col"${style(column)}>${escapeText(name)}</th>`).join("");
  const body = rows.map((row) => {
    const cells = row.map((cell, column) => {
      const text = typeof cell === "number" ? figure(cell) : (cell ?? "—");
      return column === 0 && !numeric[0]
        ? `<th scope="row">${escapeText(text)}</th>`
        : `<td${style(column)}>${escapeText(text)}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  const table =
    `<table><caption>${escapeText(title)}</caption><thead><tr>${heading}</tr></thead>` +
    `<tbody>${body.join("")}</tbody></table>`;
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeText(title)}">${table}</div>`;
}

function column(values: Values | undefined, rows: readonly number[]): (number | null)[] {
  return rows.map((row) => (values ? (values[row] ?? null) : row));
}

function evenly(length: number): number[] {
  if (length <= mostRows) return Array.from({ length }, (_, index) => index);
  return Array.from({ length: mostRows }, (_, index) => Math.round((index * (length - 1)) / (mostRows - 1)));
}

function transposed(columns: readonly (readonly Cell[])[]): Cell[][] {
  return columns[0]!.map((_, row) => columns.map((values) => values[row] ?? null));
}

/** The plotted numbers as a table behind a disclosure, for those who cannot see the plot; images and drawings have none. */
export function dataTable(series: Series): string {
  const tables: string[] = [];
  let thinned = false;
  if (series.kind === "line") {
    for (const { name, x, y, low, high } of series.curves) {
      const rows = evenly(y.length);
      thinned ||= rows.length < y.length;
      const columns = [column(x, rows), column(y, rows)];
      const names = [axisText(series.x), axisText(series.y)];
      if (low && high) {
        columns.push(column(low, rows), column(high, rows));
        names.push("low", "high");
      }
      tables.push(tableMarkup(name, names, transposed(columns)));
    }
  } else if (series.kind === "bar") {
    const rows = evenly(series.categories.length);
    const columns: Cell[][] = [rows.map((row) => series.categories[row]!)];
    const names = [series.category];
    for (const { name, values, low, high } of series.bars) {
      columns.push(column(values, rows));
      names.push(name);
      if (!low || !high) continue;
      columns.push(column(low, rows), column(high, rows));
      names.push(`${name}, low`, `${name}, high`);
    }
    tables.push(tableMarkup(axisText(series.value), names, transposed(columns)));
  } else if (series.kind === "heat-map" && series.values.length <= mostRows && series.values[0]!.length <= 16) {
    const names = series.columns ?? Array.from({ length: series.values[0]!.length }, (_, index) => String(index));
    const rows = series.values.map((row, index) => [series.rows?.[index] ?? String(index), ...Array.from(row)]);
    tables.push(tableMarkup(axisText(series.value), [axisText(series.y), ...names], rows));
  }
  if (tables.length === 0) return "";
  const summary = thinned ? `Data (at most ${mostRows} rows of each curve)` : "Data";
  return `<details><summary>${summary}</summary>${tables.join("")}</details>`;
}
