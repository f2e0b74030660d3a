import type { ClaimRun, Curve, Series, Values } from "@offprint/claims";

/** Points of a curve that are kept: a plot of it is 480 pixels wide. */
const mostPoints = 160;
/** Digits of a kept number, more than a plot or a table shows. */
const digits = 4;

function rounded(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? value : Number(value.toPrecision(digits));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, rounded(part)]));
}

/** Places along a curve that show its course: the first and last, and the lowest and highest of every stretch. */
function tellingPlaces(y: Values, count: number): number[] {
  const stretches = Math.floor((count - 2) / 2);
  const places = new Set([0, y.length - 1]);
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = Math.floor((stretch * y.length) / stretches);
    const to = Math.floor(((stretch + 1) * y.length) / stretches);
    let [low, high] = [from, from];
    for (let place = from; place < to; place++) {
      const value = y[place];
      if (value === null || value === undefined) continue;
      if (value < (y[low] ?? Number.POSITIVE_INFINITY)) low = place;
      if (value > (y[high] ?? Number.NEGATIVE_INFINITY)) high = place;
    }
    places.add(low).add(high);
  }
  return [...places].sort((a, b) => a - b);
}

function thinned(curve: Curve): Curve {
  const { x, y, low, high } = curve;
  if (y.length <= mostPoints) return curve;
  const places = tellingPlaces(y, mostPoints);
  const at = (values: Values) => places.map((place) => values[place]!);
  return {
    ...curve,
    x: x ? at(x) : places,
    y: at(y),
    ...(low && { low: at(low) }),
    ...(high && { high: at(high) }),
  };
}

function compactSeries(series: Series): Series {
  return series.kind === "line" ? { ...series, curves: series.curves.map(thinned) } : series;
}

/** A run as it is kept in the repository: curves with the points that a plot can show, numbers with the digits it can. */
export function compactRun(run: ClaimRun): ClaimRun {
  return {
    ...run,
    seconds: rounded(run.seconds) as number,
    records: run.records.map((record) => ({
      ...record,
      measured: rounded(record.measured) as typeof record.measured,
      series: record.series.map((series) => rounded(compactSeries(series)) as Series),
      tables: rounded(record.tables) as typeof record.tables,
      seconds: rounded(record.seconds) as number,
    })),
  };
}
