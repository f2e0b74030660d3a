import { ShapeError, ValueError } from "@offprint/tensor-core";

/** Numbers to plot, plain or typed; `null` and NaN are missing points, which leave a gap. */
export type Values = ArrayLike<number | null>;

/** One axis of a plot. */
export interface Axis {
  /** What is measured along it. */
  readonly label: string;
  /** Unit, shown in parentheses after the label; leave it out for pure numbers. */
  readonly unit?: string;
  /** Default `linear`. On a `log` axis values that are not positive are missing points. */
  readonly scale?: "linear" | "log";
  /** Least and largest value shown; default what the data need. */
  readonly range?: readonly [number, number];
}

/** One curve, or one cloud of points. */
export interface Curve {
  /** Name in the legend. */
  readonly name: string;
  /** Default 0, 1, 2, ... */
  readonly x?: Values;
  /** As many values as `x`. */
  readonly y: Values;
  /** Lower edge of an error band; needs `high`. */
  readonly low?: Values;
  /** Upper edge of an error band; needs `low`. */
  readonly high?: Values;
  /** Default `line`. */
  readonly style?: "line" | "points" | "line-points" | "step";
}

/** A straight line across the plot, such as the paper's value or a criterion. */
export interface Reference {
  /** Which axis the value is on; default `y`. */
  readonly axis?: "x" | "y";
  /** Where the line is. */
  readonly value: number;
  /** Name in the legend. */
  readonly label: string;
}

/** Curves, bands and scatter over two numeric axes. */
export interface LineSeries {
  /** Tells the kinds of series apart. */
  readonly kind: "line";
  /** Heading. */
  readonly title: string;
  /** Horizontal axis. */
  readonly x: Axis;
  /** Vertical axis. */
  readonly y: Axis;
  /** Drawn in this order, each in its own colour. */
  readonly curves: readonly Curve[];
  /** Lines across the plot. */
  readonly references?: readonly Reference[];
}

/** Bars of one colour, one per category. */
export interface Bars {
  /** Name in the legend. */
  readonly name: string;
  /** One value per category. */
  readonly values: Values;
  /** Lower ends of error bars; needs `high`. */
  readonly low?: Values;
  /** Upper ends of error bars; needs `low`. */
  readonly high?: Values;
}

/** Bars, grouped by category; they lie when the names of the categories are long. */
export interface BarSeries {
  /** Tells the kinds of series apart. */
  readonly kind: "bar";
  /** Heading. */
  readonly title: string;
  /** What the categories are: `method`, `activation`. */
  readonly category: string;
  /** Names of the categories. */
  readonly categories: readonly string[];
  /** The axis along the bars. */
  readonly value: Axis;
  /** One set of bars per colour. */
  readonly bars: readonly Bars[];
  /** Lines across the bars. */
  readonly references?: readonly Omit<Reference, "axis">[];
}

/** A matrix of coloured cells; the first row is on top. */
export interface HeatMapSeries {
  /** Tells the kinds of series apart. */
  readonly kind: "heat-map";
  /** Heading. */
  readonly title: string;
  /** Horizontal axis; its `range` gives the values at the outer edges. */
  readonly x: Axis;
  /** Vertical axis; its `range` gives the values at the bottom and top edges. */
  readonly y: Axis;
  /** What the colour means. */
  readonly value: Axis;
  /** Rows of equal length. */
  readonly values: readonly Values[];
  /** Names below the columns, in place of numbers. */
  readonly columns?: readonly string[];
  /** Names beside the rows, in place of numbers. */
  readonly rows?: readonly string[];
  /** A value with a meaning, such as 0: colours diverge from it. */
  readonly center?: number;
}

/** One small image. */
export interface ImageTile {
  /** Text below it. */
  readonly label?: string;
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Grey or red, green, blue. */
  readonly channels: 1 | 3;
  /** Brightness in [0, 1], row by row, channels last: `height * width * channels` values; others are clipped. */
  readonly pixels: Values;
}

/** Images side by side, all drawn in the same size. */
export interface ImageSeries {
  /** Tells the kinds of series apart. */
  readonly kind: "images";
  /** Heading. */
  readonly title: string;
  /** In reading order. */
  readonly images: readonly ImageTile[];
  /** Images in a row; default what fits. */
  readonly columns?: number;
}

/** A filled polygon of a drawing. */
export interface Polygon {
  /** Corners: x, y, x, y, ...; y goes upwards. */
  readonly points: Values;
  /** Number of its colour, from 0; they repeat. Default 0. */
  readonly colour?: number;
  /** Brightness from 0, dark, to 1, the colour itself. Default 1. */
  readonly shade?: number;
}

/** One drawing made of polygons, such as a projected solid or a map. */
export interface Drawing {
  /** Text below it. */
  readonly label?: string;
  /** Drawn in this order, later ones over earlier ones. */
  readonly polygons: readonly Polygon[];
}

/** Drawings side by side, all to the same scale. */
export interface PolygonSeries {
  /** Tells the kinds of series apart. */
  readonly kind: "polygons";
  /** Heading. */
  readonly title: string;
  /** In reading order. */
  readonly drawings: readonly Drawing[];
  /** Drawings in a row; default what fits. */
  readonly columns?: number;
}

/** Everything that can be plotted. */
export type Series = LineSeries | BarSeries | HeatMapSeries | ImageSeries | PolygonSeries;

function sameLength(title: string, name: string, expected: number, values: Values | undefined): void {
  if (values === undefined || values.length === expected) return;
  throw new ShapeError(`plot "${title}": ${name} has ${values.length} values, expected ${expected}.`);
}

function bothEdges(title: string, name: string, { low, high }: { low?: Values; high?: Values }): void {
  if ((low === undefined) !== (high === undefined)) {
    throw new ValueError(`plot "${title}": "${name}" has one of low and high; give both or none.`);
  }
}

function checkDrawings({ title, drawings }: PolygonSeries): void {
  if (drawings.every(({ polygons }) => polygons.length === 0)) {
    throw new ValueError(`plot "${title}": it has no polygons; give at least one.`);
  }
  for (const [index, { polygons }] of drawings.entries()) {
    for (const { points } of polygons) {
      if (points.length % 2 !== 0 || points.length < 6) {
        throw new ShapeError(
          `plot "${title}": a polygon of drawing ${index} has ${points.length} coordinates; give x and y of three corners or more.`,
        );
      }
      for (let i = 0; i < points.length; i++) {
        if (!Number.isFinite(points[i])) {
          throw new ValueError(`plot "${title}": a polygon of drawing ${index} has the coordinate ${points[i]}.`);
        }
      }
    }
  }
}

/**
 * Checks that the parts of a series fit each other.
 *
 * @throws ShapeError when lengths differ
 * @throws ValueError when nothing is there to plot, or a range is empty
 */
export function checkSeries(series: Series): void {
  const { title } = series;
  const axes: Axis[] = [];
  if (series.kind === "line") {
    if (series.curves.length === 0) throw new ValueError(`plot "${title}": it has no curves; give at least one.`);
    for (const curve of series.curves) {
      bothEdges(title, curve.name, curve);
      sameLength(title, `x of "${curve.name}"`, curve.y.length, curve.x);
      sameLength(title, `low of "${curve.name}"`, curve.y.length, curve.low);
      sameLength(title, `high of "${curve.name}"`, curve.y.length, curve.high);
    }
    axes.push(series.x, series.y);
  } else if (series.kind === "bar") {
    if (series.bars.length === 0 || series.categories.length === 0) {
      throw new ValueError(`plot "${title}": it has no bars; give at least one category and one set of bars.`);
    }
    for (const bars of series.bars) {
      bothEdges(title, bars.name, bars);
      sameLength(title, `"${bars.name}"`, series.categories.length, bars.values);
      sameLength(title, `low of "${bars.name}"`, series.categories.length, bars.low);
      sameLength(title, `high of "${bars.name}"`, series.categories.length, bars.high);
    }
    axes.push(series.value);
  } else if (series.kind === "heat-map") {
    const width = series.values[0]?.length ?? 0;
    if (width === 0) throw new ValueError(`plot "${title}": it has no cells; give at least one row of values.`);
    for (const [index, row] of series.values.entries()) sameLength(title, `row ${index}`, width, row);
    sameLength(title, "columns", width, series.columns as unknown as Values | undefined);
    sameLength(title, "rows", series.values.length, series.rows as unknown as Values | undefined);
    axes.push(series.x, series.y, series.value);
  } else if (series.kind === "polygons") {
    checkDrawings(series);
  } else {
    if (series.images.length === 0) throw new ValueError(`plot "${title}": it has no images; give at least one.`);
    for (const [index, { width, height, channels, pixels }] of series.images.entries()) {
      sameLength(title, `image ${index}`, width * height * channels, pixels);
    }
  }
  for (const { label, range } of axes) {
    if (range && !(range[0] < range[1])) {
      throw new ValueError(`plot "${title}": the range of "${label}" must ascend, got [${range[0]}, ${range[1]}].`);
    }
  }
}
