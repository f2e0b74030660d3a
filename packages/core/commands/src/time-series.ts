import { linePlot } from "@offprint/claims";
import { readCsv } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { requireObject, type Tensor, tensor } from "@offprint/tensor-core";
import { Failure } from "./failure.js";
import { option } from "./option.js";

/** `--table`, `--time` and `--columns`, for {@link readTimeSeries}. */
export const timeSeriesOptions = {
  table: option.fileIn("table of the series: a column of times, and one for each quantity (CSV)", {
    required: true,
    short: "t",
  }),
  time: option.text("column of times; default the first"),
  columns: option.list(option.text("columns to learn"), { default: [], distinct: true }),
};

/** Quantities that were all seen at the same times. */
export interface TimeSeries {
  /** Names of the quantities. */
  readonly names: readonly string[];
  /** Name of the times. */
  readonly time: string;
  /** `[rows]`, growing. */
  readonly times: readonly number[];
  /** `[rows, quantities]`, float64. */
  readonly values: Tensor;
}

/**
 * Series from a table with a row for each time.
 * @throws Failure for a column that is missing, holds texts or a gap, a table of times alone, fewer than four
 * rows, and times that do not grow.
 */
export async function readTimeSeries(given: {
  readonly table: string;
  readonly time?: string | undefined;
  readonly columns: readonly string[];
}): Promise<TimeSeries> {
  requireObject("readTimeSeries", "given", given, "values of timeSeriesOptions");
  const { table: path, columns: chosen } = given;
  const table = await loadFile(path, (bytes) => readCsv(bytes));
  const time = given.time ?? (table.columns[0]?.name as string);
  const column = (name: string) => {
    const found = table.columns.find((each) => each.name === name);
    if (found === undefined)
      throw new Failure(
        `${path}: there is no column "${name}"; there are ${table.columns.map((c) => c.name).join(", ")}`,
      );
    if (found.type === "number") {
      const row = found.values.findIndex((value) => !Number.isFinite(value));
      if (row >= 0) {
        throw new Failure(
          `${path}: column "${name}" has no finite value in row ${row + 1}; fill it, or leave the row out`,
        );
      }
    }
    if (found.type === "text") throw new Failure(`${path}: column "${name}" holds texts; dynamics are of numbers`);
    return Array.from(found.values as ArrayLike<number>);
  };
  const times = column(time);
  const names = chosen.length > 0 ? [...chosen] : table.columns.map((c) => c.name).filter((name) => name !== time);
  if (names.length === 0) throw new Failure(`${path}: there is no column but "${time}"; add one for each quantity`);
  if (names.includes(time)) throw new Failure(`--columns: "${time}" is the column of times; leave it out`);
  if (times.length < 4) throw new Failure(`${path}: ${times.length} rows; give at least 4`);
  const late = times.findIndex((t, i) => i > 0 && t <= (times[i - 1] as number));
  if (late > 0) {
    throw new Failure(
      `${path}: times of column "${time}" must grow from row to row, row ${late + 1} does not; sort the table, or name the times' column with --time`,
    );
  }
  return { names, time, times, values: tensor(names.map(column), { dtype: "float64" }).transpose() };
}

/** A picture (SVG) of series as points, and of what was fitted to them, `[rows, quantities]`, as lines. */
export function plotTimeSeries(series: TimeSeries, fitted: Tensor): string {
  requireObject("plotTimeSeries", "series", series, "a TimeSeries");
  requireObject("plotTimeSeries", "fitted", fitted, "a Tensor");
  const { names, time, times, values } = series;
  const column = (x: Tensor, i: number) => Array.from(x.slice([null, i]).data());
  return linePlot({
    kind: "line",
    title: "Series and fitted dynamics",
    x: { label: time },
    y: { label: "value" },
    curves: names.flatMap((name, i) => [
      { name, x: [...times], y: column(values, i), style: "points" as const },
      { name: `${name}, fitted`, x: [...times], y: column(fitted, i) },
    ]),
  });
}
