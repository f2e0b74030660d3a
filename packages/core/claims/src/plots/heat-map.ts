import { checkOptions, requireObject } from "@offprint/tensor-core";
import {
  type Area,
  document,
  horizontalLabel,
  horizontalTicks,
  type PlotOptions,
  pairOfLabels,
  ticksWidth,
  titleBlock,
  verticalTicks,
} from "./frame.js";
import { mapColour } from "./palette.js";
import { pngAddress } from "./png.js";
import { type AxisScale, axisScale, axisText, extent, type Tick } from "./scale.js";
import { checkSeries, type HeatMapSeries } from "./series.js";
import { element, textElement, textWidth } from "./svg.js";

type ColourMap = "sequential" | "diverging";

/** A diverging map has its neutral colour at `center`, and equal distances from it in equal strength. */
function colourScale(series: HeatMapSeries): { scale: AxisScale; map: ColourMap } {
  const { center, value, values } = series;
  if (center === undefined) return { scale: axisScale(value, values, { margin: 0 }), map: "sequential" };
  const [low, high] = extent(values, false) ?? [center - 1, center + 1];
  const reach = Math.max(Math.abs(high - center), Math.abs(low - center)) || 1;
  return {
    scale: axisScale({ ...value, scale: "linear", range: [center - reach, center + reach] }, []),
    map: "diverging",
  };
}

function cells(series: HeatMapSeries, scale: AxisScale, map: ColourMap): string {
  const [rows, columns] = [series.values.length, series.values[0]!.length];
  const pixels = new Uint8Array(rows * columns * 4);
  for (const [row, values] of series.values.entries()) {
    for (let column = 0; column < columns; column++) {
      const place = scale.place(values[column]);
      if (!Number.isNaN(place)) pixels.set([...mapColour(place, map), 255], (row * columns + column) * 4);
    }
  }
  return pngAddress(columns, rows, 4, pixels);
}

function picture(href: string, area: Area): string {
  const { left: x, top: y, width, height } = area;
  const style = "image-rendering:pixelated";
  return element("image", { href, x, y, width, height, preserveAspectRatio: "none", style });
}

/** Names of rows or columns as ticks in the middle of their cells; every other one and so on when they are dense. */
function named(names: readonly string[], places: number): Tick[] {
  const stride = Math.ceil(names.length / Math.max(1, places));
  return names.flatMap((text, index) => (index % stride === 0 ? [{ value: index, text }] : []));
}

const indexAxis = (count: number, reversed: boolean): AxisScale => {
  const scale = axisScale({ label: "", range: [-0.5, count - 0.5] }, []);
  return reversed ? { ...scale, place: (value) => 1 - scale.place(value) } : scale;
};

function horizontalAxis(series: HeatMapSeries, width: number): { scale: AxisScale; ticks: Tick[] } {
  const count = series.values[0]!.length;
  if (series.columns) {
    const widest = Math.max(...series.columns.map((name) => textWidth(name, 12))) + 8;
    return { scale: indexAxis(count, false), ticks: named(series.columns, Math.floor(width / widest)) };
  }
  const scale = series.x.range ? axisScale(series.x, []) : indexAxis(count, false);
  return { scale, ticks: wholeNumbers(horizontalTicks(scale, width), !series.x.range) };
}

function verticalAxis(series: HeatMapSeries, height: number): { scale: AxisScale; ticks: Tick[] } {
  const count = series.values.length;
  if (series.rows) return { scale: indexAxis(count, true), ticks: named(series.rows, Math.floor(height / 15)) };
  const scale = series.y.range ? axisScale(series.y, []) : indexAxis(count, true);
  return { scale, ticks: wholeNumbers(verticalTicks(scale, height), !series.y.range) };
}

/** Between two rows there is no row: an axis of indices has no ticks at fractions. */
function wholeNumbers(ticks: Tick[], only: boolean): Tick[] {
  return only ? ticks.filter(({ value }) => Number.isInteger(value)) : ticks;
}

function colourBar(scale: AxisScale, map: ColourMap, area: Area): { markup: string; width: number } {
  const steps = 128;
  const pixels = new Uint8Array(steps * 3);
  for (let step = 0; step < steps; step++) pixels.set(mapColour(1 - step / (steps - 1), map), step * 3);
  const ticks = verticalTicks(scale, area.height);
  const texts = ticks.map(({ value, text }) => {
    const y = area.top + area.height * (1 - scale.place(value));
    const mark = element("line", {
      class: "x",
      x1: area.left + area.width,
      x2: area.left + area.width + 4,
      y1: y,
      y2: y,
    });
    return mark + textElement(text, { x: area.left + area.width + 7, y: y + 4 });
  });
  const markup = picture(pngAddress(1, steps, 3, pixels), area) + texts.join("");
  return { markup, width: area.width + 7 + ticksWidth(ticks) };
}

/**
 * Draws a matrix as coloured cells with a colour bar. Missing cells stay empty.
 *
 * @returns an SVG element as text
 * @throws ShapeError when rows differ in length
 * @throws ValueError when there are no cells
 */
export function heatMap(series: HeatMapSeries, options: PlotOptions = {}): string {
  requireObject("heatMap", "series", series, "HeatMapSeries");
  checkOptions("heatMap", options, ["width", "height", "styles"]);
  checkSeries(series);
  const { width = 480, height = 260 } = options;
  const { scale, map } = colourScale(series);
  const title = titleBlock(series.title, width);
  const vertical = verticalAxis(series, height);
  const label = pairOfLabels(
    axisText(series.y, vertical.scale.exponent),
    axisText(series.value, scale.exponent),
    title.height,
    width,
  );
  const top = title.height + label.height;
  const left = ticksWidth(vertical.ticks);
  const bar = colourBar(scale, map, { left: 0, top, width: 14, height });
  const area = { left, top, width: width - left - 16 - bar.width, height };
  const horizontal = horizontalAxis(series, area.width);
  const bottom = top + height;

  const texts = [
    ...vertical.ticks.map(({ value, text }) => {
      const y = top + height * (1 - vertical.scale.place(value));
      return textElement(text, { x: left - 6, y: y + 4, anchor: "end" });
    }),
    ...horizontal.ticks.map(({ value, text }) => {
      const x = left + area.width * horizontal.scale.place(value);
      return textElement(text, { x, y: bottom + 16, anchor: "middle" });
    }),
  ];
  const below = horizontalLabel(axisText(series.x, horizontal.scale.exponent), area, bottom + 22, width);
  const content = [
    title.markup,
    label.markup,
    picture(cells(series, scale, map), area),
    element("rect", { class: "o", x: left, y: top, width: area.width, height }),
    ...texts,
    element("g", { transform: `translate(${Math.round(left + area.width + 16)} 0)` }, bar.markup),
    below.markup,
  ];
  const description = `${axisText(series.value)} by ${axisText(series.y)} and ${axisText(series.x)}.`;
  const total = bottom + 22 + below.height + 4;
  return document({ width, height: total }, { title: series.title, description }, options, content.join(""));
}
