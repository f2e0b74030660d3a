import { statSync } from "node:fs";
import { Failure, option } from "@offprint/commands";
import {
  type Column,
  clinicalSeries,
  type IrregularSeries,
  type RangeScaling,
  rangeScaling,
  readCsv,
  Table,
  tableSeries,
} from "@offprint/data";
import { loadClinicalRecords, loadFile } from "@offprint/data/node";
import { onesLike, stack, type Tensor, tensor } from "@offprint/tensor-core";

/** Options that say where series are, and how they lie there. */
export const seriesOptions = {
  table: option.fileIn(
    "table with a row for each time of a series, a column for each quantity, empty where it was not seen (CSV); or folder of records of the PhysioNet Challenge 2012",
    { kind: "either", required: true, short: "t" },
  ),
  id: option.text("column that tells series apart; default: the table is one series"),
  time: option.text("column of times; default the first other"),
};

/** Where series are. */
export interface SeriesPlace {
  /** A table, or a folder of records. */
  readonly table: string;
  /** Column that tells series apart. */
  readonly id: string | undefined;
  /** Column of times. */
  readonly time: string | undefined;
  /** Quantities; all where there are none. */
  readonly names?: readonly string[] | undefined;
  /** What times are rounded to multiples of. */
  readonly quantum?: number | undefined;
}

/** Series, and what their file calls its columns. */
export interface FoundSeries {
  /** The series. */
  readonly series: IrregularSeries;
  /** Column of their names; none where the file is one series. */
  readonly id: string | undefined;
  /** Column of times. */
  readonly time: string;
}

/** Reads series of a table, or of a folder of records. */
export async function readSeries({ table, id, time, names, quantum }: SeriesPlace): Promise<FoundSeries> {
  const chosen = { ...(names && { names }), ...(quantum !== undefined && { quantum }) };
  if (statSync(table).isDirectory()) {
    if (id !== undefined || time !== undefined) {
      throw new Failure(`${table}: records say themselves whose they are and of when; leave --id and --time out`);
    }
    return { series: clinicalSeries(await loadClinicalRecords(table), chosen), id: "RecordID", time: "Hour" };
  }
  return loadFile(table, (bytes) => {
    const read = readCsv(bytes);
    const called = time ?? read.names.find((name) => name !== id) ?? "";
    if (names?.includes(called)) throw new Failure(`${table}: "${called}" is the column of times and no quantity`);
    if (id === undefined) {
      const values = read.column(called).values as ArrayLike<number>;
      const back = Array.from(values).findIndex((t, row) => row > 0 && !(t > values[row - 1]!));
      if (back > 0) {
        throw new Failure(
          `${table}: times of column "${called}" do not grow at row ${back + 1}; name the column that tells series apart with --id, or sort the rows`,
        );
      }
    }
    const series = tableSeries(read, { time: called, ...(id !== undefined && { id }), ...chosen });
    return { series, id, time: called };
  });
}

/** The scaling that has these ranges. */
export function scalingOf(names: readonly string[], ranges: readonly (readonly number[])[]): RangeScaling {
  const values = tensor([ranges], { dtype: "float64" }).transpose([1, 0, 2]);
  return rangeScaling({ ids: ["least", "most"], names, times: tensor([0]), values, mask: onesLike(values) });
}

/** A row for each series and time: values `[n, m, d]`, and columns beside them, named after the quantities. */
export function seriesTable(
  { series: { ids, names }, id, time }: FoundSeries,
  times: readonly number[],
  columns: readonly { readonly suffix: string; readonly values: Tensor }[],
): Table {
  const [n, m, d] = [ids.length, times.length, names.length];
  const numbers = (name: string, of: (row: number) => number): Column => {
    return { name, type: "number", values: Float64Array.from({ length: n * m }, (_, row) => of(row)) };
  };
  const label: Column[] =
    id === undefined ? [] : [{ name: id, type: "text", values: ids.flatMap((name) => new Array(m).fill(name)) }];
  const all = stack(columns.map(({ values }) => values)).data();
  const quantities = names.flatMap((name, j) =>
    columns.map(({ suffix }, c) => numbers(name + suffix, (row) => all[(c * n * m + row) * d + j]!)),
  );
  return new Table([...label, numbers(time, (row) => times[row % m]!), ...quantities]);
}
