import { checkOptions, requireObject } from "@offprint/tensor-core";
import {
  type Area,
  document,
  drawHorizontalTicks,
  drawVerticalTicks,
  horizontalLabel,
  horizontalTicks,
  insideArea,
  type LegendEntry,
  legendBlock,
  type PlotOptions,
  ticksWidth,
  titleBlock,
  verticalLabel,
  verticalTicks,
} from "./frame.js";
import { colourNumber, pointMark } from "./marks.js";
import { dashes } from "./palette.js";
import { type AxisScale, axisScale, axisText } from "./scale.js";
import { type Curve, checkSeries, type LineSeries, type Reference, type Values } from "./series.js";
import { coordinate, element } from "./svg.js";

type Point = readonly [x: number, y: number];

function horizontalValues(curve: Curve): Values {
  return curve.x ?? Array.from({ length: curve.y.length }, (_, index) => index);
}

/** Pixels of the points; missing ones are NaN. */
function places(x: Values, y: Values, scales: readonly [AxisScale, AxisScale], area: Area): Point[] {
  return Array.from({ length: y.length }, (_, index): Point => {
    const across = scales[0].place(x[index]) * area.width;
    const up = (1 - scales[1].place(y[index])) * area.height;
    return Number.isNaN(across) || Number.isNaN(up) ? [Number.NaN, Number.NaN] : [across, up];
  });
}

/** Parts of a curve between missing points. */
function pieces(points: readonly Point[]): Point[][] {
  const parts: Point[][] = [[]];
  for (const point of points) {
    if (Number.isNaN(point[0])) parts.push([]);
    else parts.at(-1)!.push(point);
  }
  return parts.filter((part) => part.length > 0);
}

/**
 * Thins out a long piece without changing how it looks: of the points in one column of half a pixel the first, the
 * lowest, the highest and the last are kept.
 */
function thinned(points: readonly Point[], width: number): readonly Point[] {
  if (points.length <= 4 * width) return points;
  const kept: Point[] = [];
  for (let start = 0; start < points.length; ) {
    const column = Math.floor(points[start]![0] * 2);
    let end = start;
    let [lowest, highest] = [start, start];
    while (end < points.length && Math.floor(points[end]![0] * 2) === column) {
      if (points[end]![1] < points[lowest]![1]) lowest = end;
      if (points[end]![1] > points[highest]![1]) highest = end;
      end += 1;
    }
    const chosen = new Set([start, lowest, highest, end - 1]);
    for (const index of [...chosen].sort((a, b) => a - b)) kept.push(points[index]!);
    start = end;
  }
  return kept;
}

function linePath(points: readonly Point[], step: boolean): string {
  return points
    .map(([x, y], index) => {
      if (index === 0) return `M${coordinate(x)} ${coordinate(y)}`;
      return step ? `H${coordinate(x)}V${coordinate(y)}` : `L${coordinate(x)} ${coordinate(y)}`;
    })
    .join("");
}

function drawBand(curve: Curve, index: number, scales: readonly [AxisScale, AxisScale], area: Area): string {
  if (!curve.low || !curve.high) return "";
  const x = horizontalValues(curve);
  const low = places(x, curve.low, scales, area);
  const high = places(x, curve.high, scales, area);
  const both = low.map((point, place) => (Number.isNaN(high[place]![0]) ? high[place]! : point));
  let start = 0;
  return pieces(both)
    .map((piece) => {
      // Points of a piece are consecutive points of `both`: find where the piece begins.
      start = both.indexOf(piece[0]!, start);
      const upper = high.slice(start, start + piece.length);
      const outline = [...thinned(upper, area.width), ...[...thinned(piece, area.width)].reverse()];
      return element("path", { class: `b f${colourNumber(index)}`, d: `${linePath(outline, false)}z` });
    })
    .join("");
}

function drawCurve(curve: Curve, index: number, scales: readonly [AxisScale, AxisScale], area: Area): string {
  const { style = "line" } = curve;
  const parts = pieces(places(horizontalValues(curve), curve.y, scales, area));
  let markup = "";
  if (style !== "points") {
    const d = parts.map((part) => linePath(thinned(part, area.width), style === "step")).join("");
    markup += element("path", { class: `l s${colourNumber(index)}`, d, "stroke-dasharray": dashes(index) });
  }
  const seen = new Set<string>();
  const lone = (part: readonly Point[]) => part.length === 1 && style === "line";
  for (const part of style === "points" || style === "line-points" ? parts : parts.filter(lone)) {
    for (const [x, y] of part) {
      const place = `${Math.round(x * 2)} ${Math.round(y * 2)}`;
      if (!seen.has(place)) markup += pointMark(x, y, index, style === "points" ? 3.2 : 3.6);
      seen.add(place);
    }
  }
  return markup;
}

function curveEntry(curve: Curve, index: number): LegendEntry {
  const { style = "line" } = curve;
  return {
    name: curve.name,
    swatch: (x, y) => {
      const stroke = { class: `l s${colourNumber(index)}`, "stroke-dasharray": dashes(index) };
      const line = element("line", { ...stroke, x1: x + 1, x2: x + 21, y1: y + 6, y2: y + 6 });
      const mark = pointMark(x + 11, y + 6, index);
      return (style === "points" ? "" : line) + (style === "points" || style === "line-points" ? mark : "");
    },
  };
}

/** Entry of a straight line across the plot. */
export function referenceEntry({ label }: Pick<Reference, "label">): LegendEntry {
  const swatch = (x: number, y: number) => element("line", { class: "r", x1: x + 1, x2: x + 21, y1: y + 6, y2: y + 6 });
  return { name: label, swatch };
}

function drawReference({ axis = "y", value }: Reference, scales: readonly [AxisScale, AxisScale], area: Area): string {
  const place = scales[axis === "x" ? 0 : 1].place(value);
  if (Number.isNaN(place)) return "";
  if (axis === "x") {
    return element("line", { class: "r", x1: place * area.width, x2: place * area.width, y1: 0, y2: area.height });
  }
  const y = (1 - place) * area.height;
  return element("line", { class: "r", x1: 0, x2: area.width, y1: y, y2: y });
}

/**
 * Draws curves with error bands, points, and straight lines across, over linear or logarithmic axes.
 *
 * @returns an SVG element as text
 * @throws ShapeError when lengths do not fit
 * @throws ValueError when there are no curves
 * @example
 * ```ts
 * import { linePlot } from "@offprint/claims";
 *
 * const svg = linePlot({
 *   kind: "line",
 *   title: "Distance to the minimum",
 *   x: { label: "step" },
 *   y: { label: "distance", scale: "log" },
 *   curves: [{ name: "halving", y: [1, 0.5, 0.25, 0.125] }],
 * });
 * ```
 */
export function linePlot(series: LineSeries, options: PlotOptions = {}): string {
  requireObject("linePlot", "series", series, "LineSeries");
  checkOptions("linePlot", options, ["width", "height", "styles"]);
  checkSeries(series);
  const { width = 480, height = 230 } = options;
  const { curves, references = [] } = series;
  const on = (axis: "x" | "y") => references.filter((line) => (line.axis ?? "y") === axis).map(({ value }) => value);
  const xScale = axisScale(series.x, [...curves.map(horizontalValues), on("x")], { margin: 0.02 });
  const heights = curves.flatMap(({ y, low, high }) => (low && high ? [y, low, high] : [y]));
  const yScale = axisScale(series.y, [...heights, on("y")]);

  const title = titleBlock(series.title, width);
  const entries = [...(curves.length > 1 ? curves.map(curveEntry) : []), ...references.map(referenceEntry)];
  const legend = legendBlock(entries, title.height, width);
  const label = verticalLabel(axisText(series.y, yScale.exponent), title.height + legend.height, width);
  const yTicks = verticalTicks(yScale, height);
  const left = ticksWidth(yTicks);
  const area = { left, top: title.height + legend.height + label.height, width: width - left - 10, height };
  const xTicks = horizontalTicks(xScale, area.width);
  const below = horizontalLabel(axisText(series.x, xScale.exponent), area, area.top + height + 22, width);

  const scales = [xScale, yScale] as const;
  const drawn = [
    ...curves.map((curve, index) => drawBand(curve, index, scales, area)),
    ...references.map((line) => drawReference(line, scales, area)),
    ...curves.map((curve, index) => drawCurve(curve, index, scales, area)),
  ];
  const bottom = area.top + height;
  const baseline = element("line", { class: "x", x1: left, x2: left + area.width, y1: bottom, y2: bottom });
  const content = [
    title.markup,
    legend.markup,
    label.markup,
    drawVerticalTicks(yTicks, yScale, area),
    drawHorizontalTicks(xTicks, xScale, area, width),
    insideArea(area, drawn.join("")),
    baseline,
    below.markup,
  ];
  const names = curves.map(({ name }) => name).join(", ");
  const description = `${axisText(series.y)} against ${axisText(series.x)}: ${names}.`;
  const total = bottom + 22 + below.height + 4;
  return document({ width, height: total }, { title: series.title, description }, options, content.join(""));
}
