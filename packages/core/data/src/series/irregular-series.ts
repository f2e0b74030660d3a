import {
  asTensor,
  checkOptions,
  isTensor,
  type Rng,
  requireObject,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { Table } from "../formats/table.js";

/** One number that was seen. */
export interface Observation {
  /** Which series it belongs to. */
  readonly id: string;
  /** When. */
  readonly time: number;
  /** Which quantity. */
  readonly name: string;
  /** How much. */
  readonly value: number;
}

/** Series of which some quantities were seen at some times, on the times of all. */
export interface IrregularSeries {
  /** Names of the `n` series. */
  readonly ids: readonly string[];
  /** Names of the `d` quantities. */
  readonly names: readonly string[];
  /** `[m]`, float64, growing. */
  readonly times: Tensor;
  /** `[n, m, d]`, float64; 0 where nothing was seen. */
  readonly values: Tensor;
  /** `[n, m, d]`, float64: 1 where something was seen, else 0. */
  readonly mask: Tensor;
}

/** How observations become series. */
export interface CollectSeriesOptions {
  /** Quantities to keep, in this order (default all, in the order in which they are met). */
  readonly names?: readonly string[];
  /** Times are rounded to multiples of it (default: none, every time that occurs is one of the grid). */
  readonly quantum?: number;
  /** The first and last time of the grid: with a `quantum` it has all multiples between, and what lies outside is left out. */
  readonly span?: readonly [from: number, to: number];
}

/** Numbers of one tensor at most. */
const MOST = 2 ** 28;

/**
 * Brings observations onto one grid of times. What was seen more than once of a quantity at a time is averaged. Series appear in the
 * order in which they are met; those of which nothing is kept do not appear.
 * @throws ValueError for numbers or times that are not finite, and where nothing is left.
 */
export function collectSeries(
  observations: Iterable<Observation>,
  options: CollectSeriesOptions = {},
): IrregularSeries {
  const owner = "collectSeries";
  requireObject(owner, "observations", observations, "a list of { id, time, name, value }");
  if (typeof observations[Symbol.iterator] !== "function") {
    throw new ValueError(`${owner}: observations is no list; give { id, time, name, value }, one for each number seen`);
  }
  checkOptions(owner, options, ["names", "quantum", "span"]);
  const { quantum, span } = options;
  if (quantum !== undefined) requirePositive(owner, "quantum", quantum);
  if (span !== undefined && !(span.length === 2 && span[0] < span[1] && span.every(Number.isFinite))) {
    throw new ValueError(`${owner}: span is [${span}]; give two finite times, the first before the second`);
  }
  const rounded = (time: number) => (quantum === undefined ? time : Math.round(time / quantum));
  const [first, last] = (span ?? [-Infinity, Infinity]).map(rounded);
  const names = new Map((options.names ?? []).map((name, j) => [name, j]));
  if (names.size !== (options.names?.length ?? 0))
    throw new ValueError(`${owner}: names has a name twice; leave one out`);
  const ids = new Map<string, number>();
  const kept: { series: number; time: number; quantity: number; value: number }[] = [];
  for (const { id, time, name, value } of observations) {
    if (!Number.isFinite(time) || !Number.isFinite(value)) {
      throw new ValueError(
        `${owner}: series ${id} has ${name} = ${value} at time ${time}; leave out what is missing or not finite`,
      );
    }
    const at = rounded(time);
    if (at < first || at > last) continue;
    if (options.names === undefined && !names.has(name)) names.set(name, names.size);
    const quantity = names.get(name);
    if (quantity === undefined) continue;
    if (!ids.has(id)) ids.set(id, ids.size);
    kept.push({ series: ids.get(id) as number, time: at, quantity, value });
  }
  if (kept.length === 0)
    throw new ValueError(`${owner}: there is nothing to keep; give observations of names and span`);
  const whole = quantum !== undefined && span !== undefined;
  const present = new Set(kept.map(({ time }) => time));
  const shape = [ids.size, whole ? last - first + 1 : present.size, names.size];
  const size = shape.reduce((a, b) => a * b);
  if (size > MOST) {
    throw new ValueError(
      `${owner}: [${shape}] is ${size} numbers, over ${MOST}; round the times with a larger quantum`,
    );
  }
  const grid = whole
    ? Array.from({ length: last - first + 1 }, (_, k) => first + k)
    : [...present].sort((a, b) => a - b);
  const place = new Map(grid.map((time, k) => [time, k]));
  const [values, counts] = [new Float64Array(size), new Float64Array(size)];
  for (const { series, time, quantity, value } of kept) {
    const at = (series * grid.length + (place.get(time) as number)) * names.size + quantity;
    values[at] += (value - values[at]) / ++counts[at];
  }
  return {
    ids: [...ids.keys()],
    names: [...names.keys()],
    times: tensor(Float64Array.from(grid, (time) => time * (quantum ?? 1))),
    values: tensor(values, { shape }),
    mask: tensor(
      Float64Array.from(counts, (count) => Number(count > 0)),
      { shape },
    ),
  };
}

/** Options of {@link tableSeries}. */
export interface TableSeriesOptions extends CollectSeriesOptions {
  /** Column of times (default the first that is not `id`). */
  readonly time?: string;
  /** Column that tells series apart (default: the table is one series). */
  readonly id?: string;
}

/**
 * Series of a table, such as `readCsv` gives: a row for each time of a series, a column for each quantity, empty where it was
 * not seen.
 * @throws ValueError for columns that are not there or hold texts, and rows without a time.
 */
export function tableSeries(table: Table, options: TableSeriesOptions = {}): IrregularSeries {
  const owner = "tableSeries";
  requireObject(owner, "table", table, "a Table, such as readCsv gives");
  checkOptions(owner, options, ["time", "id", "names", "quantum", "span"]);
  const { id, time: _, ...collect } = options;
  const ids = id === undefined ? undefined : table.column(id).values;
  const timeName = options.time ?? table.names.find((name) => name !== id);
  if (timeName === undefined) throw new ValueError(`${owner}: the table has no column of times; give time`);
  const numbers = (name: string) => {
    const column = table.column(name);
    if (column.type === "text") throw new ValueError(`${owner}: column ${name} holds texts; give names of others`);
    return column.values;
  };
  const names = options.names ?? table.names.filter((name) => name !== timeName && name !== id);
  const times = numbers(timeName);
  const columns = names.map(numbers);
  function* observations(): Iterable<Observation> {
    for (let row = 0; row < table.rows; row++) {
      if (Number.isNaN(times[row])) throw new ValueError(`${owner}: row ${row + 1} has no ${timeName}; leave it out`);
      for (let j = 0; j < names.length; j++) {
        const value = columns[j][row];
        if (!Number.isNaN(value)) yield { id: String(ids?.[row] ?? ""), time: times[row], name: names[j], value };
      }
    }
  }
  return collectSeries(observations(), { ...collect, names });
}

/**
 * Throws unless something is series with tensors that fit together; gives their numbers.
 * @throws ValueError, ShapeError
 */
export function seriesShape(owner: string, series: Pick<IrregularSeries, "times" | "values" | "mask">) {
  requireObject(owner, "series", series, "IrregularSeries, such as tableSeries gives");
  const { times, values, mask } = series;
  if (!isTensor(times) || !isTensor(values) || !isTensor(mask)) {
    throw new ValueError(`${owner}: series has times, values and mask that are tensors; make them with tableSeries`);
  }
  const [n, m, d] = values.shape;
  if (values.rank !== 3 || times.rank !== 1 || times.shape[0] !== m || mask.shape.join() !== values.shape.join()) {
    throw new ShapeError(
      `${owner}: values have shape [${values.shape}], mask [${mask.shape}], times [${times.shape}]; they must be [n, m, d], [n, m, d] and [m]`,
    );
  }
  return { series: n, times: m, quantities: d };
}

/** The series at the given indices, in their order. @throws IndexError for an index out of range. */
export function subsetSeries<S extends IrregularSeries>(series: S, indices: TensorLike): S {
  seriesShape("subsetSeries", series);
  const at = asTensor(indices, "int32");
  const [values, mask] = [take(series.values, at), take(series.mask, at)];
  return { ...series, ids: Array.from(at.data(), (i) => series.ids[i]), values, mask };
}

/** Options of {@link hideObservations}. */
export interface HideOptions {
  /** Part of the observations that is hidden, between 0 and 1. */
  readonly share: number;
  /** Decides which. */
  readonly rng: Rng;
}

/**
 * Sets a part of the observations aside, to judge what a model makes of the others by: the same series twice, with masks
 * that have nothing in common.
 * @throws ValueError
 */
export function hideObservations<S extends IrregularSeries>(series: S, options: HideOptions): { seen: S; hidden: S } {
  const owner = "hideObservations";
  seriesShape(owner, series);
  checkOptions(owner, options, ["share", "rng"], ["share", "rng"]);
  const { share, rng } = options;
  if (!(share >= 0 && share <= 1)) throw new ValueError(`${owner}: share is ${share}; it must lie between 0 and 1`);
  const chance = rng.uniform(series.mask.shape, { dtype: "float64" }).data();
  const [mask, values] = [series.mask.data(), series.values.data()];
  const part = (kept: (i: number) => boolean): S => ({
    ...series,
    mask: tensor(
      Float64Array.from(mask, (seen, i) => (kept(i) ? seen : 0)),
      { shape: series.mask.shape },
    ),
    values: tensor(
      Float64Array.from(values, (value, i) => (kept(i) ? value : 0)),
      { shape: series.mask.shape },
    ),
  });
  return { seen: part((i) => !(chance[i] < share)), hidden: part((i) => chance[i] < share) };
}
