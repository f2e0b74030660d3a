import { checkOptions, requireObject } from "@offprint/tensor-core";
import { figure } from "../quantity.js";
import { wrapText } from "../text-width.js";
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
  textBlock,
  ticksWidth,
  titleBlock,
  verticalLabel,
  verticalTicks,
} from "./frame.js";
import { referenceEntry } from "./line.js";
import { colourNumber, rounded } from "./marks.js";
import { type AxisScale, axisScale, axisText } from "./scale.js";
import { type BarSeries, checkSeries } from "./series.js";
import { element, textElement, textWidth } from "./svg.js";

const categoryFont = { size: 12, style: "t" };
const valueFont = 11;

/** One bar: its place across the bars as a part of the group, and the parts of the value axis that it covers. */
interface Bar {
  readonly colour: number;
  readonly start: number;
  readonly end: number;
  readonly low: number;
  readonly high: number;
  readonly text: string;
}

function barsOfCategory(series: BarSeries, category: number, scale: AxisScale, digits = 3): Bar[] {
  const base = scale.log ? 0 : Math.min(1, Math.max(0, scale.place(0)));
  return series.bars.flatMap((bars, colour) => {
    const value = bars.values[category];
    const end = scale.place(value);
    if (Number.isNaN(end)) return [];
    const low = scale.place(bars.low?.[category]);
    const high = scale.place(bars.high?.[category]);
    return [{ colour, start: base, end, low, high, text: figure(value!, digits) }];
  });
}

function swatches(series: BarSeries): LegendEntry[] {
  const boxes = series.bars.map(({ name }, index): LegendEntry => {
    const swatch = (x: number, y: number) =>
      element("rect", { class: `f${colourNumber(index)}`, x: x + 4, y: y + 0.5, width: 14, height: 11, rx: 2 });
    return { name, swatch };
  });
  return [...(series.bars.length > 1 ? boxes : []), ...(series.references ?? []).map(referenceEntry)];
}

function valueScale(series: BarSeries): AxisScale {
  const data = series.bars.flatMap(({ values, low, high }) => (low && high ? [values, low, high] : [values]));
  const references = (series.references ?? []).map(({ value }) => value);
  return axisScale(series.value, [...data, references], { margin: 0.1, base: 0 });
}

function whisker(horizontal: boolean, across: number, from: number, to: number): string {
  const cap = 3.5;
  const d = horizontal
    ? `M${from} ${across - cap}v${2 * cap}M${from} ${across}H${to}M${to} ${across - cap}v${2 * cap}`
    : `M${across - cap} ${from}h${2 * cap}M${across} ${from}V${to}M${across - cap} ${to}h${2 * cap}`;
  return element("path", { class: "e", d: rounded(d) });
}

/** Where bars of one group lie across: `slot` pixels for all, each `thickness` thick. */
function groupLayout(count: number, slot: number) {
  const thickness = Math.min(42, (slot * 0.78) / count);
  const first = (slot - thickness * count) / 2;
  return { thickness: thickness * (count > 1 ? 0.92 : 1), at: (index: number) => first + thickness * index };
}

/** Whether numbers are about as narrow as their bars, and those of neighbours of about one height do not touch. */
function numbersFit(groups: readonly Bar[][], thickness: number, pitch: number, height: number): boolean {
  const wide = ({ text }: Bar) => textWidth(text, valueFont);
  return groups.every((bars) =>
    bars.every((bar, index) => {
      const next = bars[index + 1];
      if (wide(bar) > thickness * 1.08 + 2) return false;
      if (next === undefined || Math.abs(next.end - bar.end) * height > valueFont) return true;
      return (wide(bar) + wide(next)) / 2 + 3 <= pitch * (next.colour - bar.colour);
    }),
  );
}

function drawUpright(series: BarSeries, scale: AxisScale, area: Area): string {
  const slot = area.width / series.categories.length;
  const { thickness, at } = groupLayout(series.bars.length, slot);
  const y = (place: number) => (1 - place) * area.height;
  const written = (digits: number) =>
    Array.from(series.categories.keys(), (category) => barsOfCategory(series, category, scale, digits));
  // Numbers above some bars only would look as if the others had none.
  const digits = [3, 2].find((count) => numbersFit(written(count), thickness, at(1) - at(0), area.height));
  const groups = written(digits ?? 3);
  let markup = "";
  for (const [category, bars] of groups.entries()) {
    for (const { colour, start, end, low, high, text } of bars) {
      const x = category * slot + at(colour);
      const top = y(Math.max(start, end));
      const height = Math.abs(end - start) * area.height;
      markup += element("rect", { class: `f${colourNumber(colour)}`, x, y: top, width: thickness, height });
      const middle = x + thickness / 2;
      if (!Number.isNaN(low) && !Number.isNaN(high)) markup += whisker(false, middle, y(low), y(high));
      if (digits === undefined) continue;
      const beyond = end >= start ? y(Math.max(end, high || 0)) - 4 : y(Math.min(end, low || 1)) + 12;
      markup += textElement(text, { x: middle, y: beyond, anchor: "middle", style: "v" });
    }
  }
  return markup;
}

function drawLying(series: BarSeries, scale: AxisScale, area: Area): string {
  const slot = area.height / series.categories.length;
  const { thickness, at } = groupLayout(series.bars.length, slot);
  const x = (place: number) => place * area.width;
  let markup = "";
  for (const category of series.categories.keys()) {
    for (const { colour, start, end, low, high, text } of barsOfCategory(series, category, scale)) {
      const y = category * slot + at(colour);
      const left = x(Math.min(start, end));
      const width = Math.abs(end - start) * area.width;
      markup += element("rect", { class: `f${colourNumber(colour)}`, x: left, y, width, height: thickness });
      const middle = y + thickness / 2;
      if (!Number.isNaN(low) && !Number.isNaN(high)) markup += whisker(true, middle, x(low), x(high));
      if (thickness < valueFont) continue;
      const beyond = end >= start ? x(Math.max(end, high || 0)) + 5 : x(Math.min(end, low || 1)) - 5;
      const fits = end < start || beyond + textWidth(text, valueFont) <= area.width;
      // Where no room is left beyond a bar, the gap before its end is worse to read than no number.
      if (fits)
        markup += textElement(text, { x: beyond, y: middle + 4, anchor: end >= start ? "start" : "end", style: "v" });
    }
  }
  return markup;
}

interface Head {
  readonly markup: string;
  readonly height: number;
}

function head(series: BarSeries, width: number, label: string): Head {
  const title = titleBlock(series.title, width);
  const legend = legendBlock(swatches(series), title.height, width);
  const above = verticalLabel(label, title.height + legend.height, width);
  return { markup: title.markup + legend.markup + above.markup, height: title.height + legend.height + above.height };
}

function upright(series: BarSeries, width: number, height: number): Head {
  const scale = valueScale(series);
  const top = head(series, width, axisText(series.value, scale.exponent));
  const ticks = verticalTicks(scale, height);
  const left = ticksWidth(ticks);
  const area = { left, top: top.height, width: width - left - 4, height };
  const slot = area.width / series.categories.length;
  const bottom = area.top + height;
  const names = series.categories.map((name, index) =>
    textBlock(
      name,
      { x: left + (index + 0.5) * slot, top: bottom + 5, width: slot - 6, anchor: "middle" },
      categoryFont,
    ),
  );
  const namesHeight = Math.max(...names.map((name) => name.height));
  const below = horizontalLabel(series.category, area, bottom + namesHeight + 9, width);
  const lines = (series.references ?? []).map(({ value }) => {
    const y = (1 - scale.place(value)) * height;
    return element("line", { class: "r", x1: 0, x2: area.width, y1: y, y2: y });
  });
  const zero = bottom - height * (scale.log ? 0 : Math.min(1, Math.max(0, scale.place(0))));
  const markup = [
    top.markup,
    drawVerticalTicks(ticks, scale, area),
    insideArea(area, drawUpright(series, scale, area) + lines.join("")),
    element("line", { class: "x", x1: left, x2: left + area.width, y1: zero, y2: zero }),
    ...names.map((name) => name.markup),
    below.markup,
  ];
  return { markup: markup.join(""), height: bottom + namesHeight + 9 + below.height + 4 };
}

function lying(series: BarSeries, width: number, height: number): Head {
  const scale = valueScale(series);
  const top = head(series, width, series.category);
  const limit = width * 0.36;
  const measure = (text: string) => textWidth(text, categoryFont.size);
  const lines = series.categories.map((name) => wrapText(name, limit, measure));
  const left = Math.max(...lines.flat().map(measure)) + 10;
  const slot = Math.max(
    14 * series.bars.length + 8,
    Math.max(...lines.map((wrapped) => wrapped.length)) * 15 + 6,
    Math.min(34, height / series.categories.length),
  );
  const area = { left, top: top.height, width: width - left - 10, height: slot * series.categories.length };
  const bottom = area.top + area.height;
  const names = lines.flatMap((wrapped, category) =>
    wrapped.map((line, index) => {
      const y = area.top + (category + 0.5) * slot + 4 + (index - (wrapped.length - 1) / 2) * 15;
      return textElement(line, { x: left - 7, y, anchor: "end" });
    }),
  );
  const below = horizontalLabel(axisText(series.value, scale.exponent), area, bottom + 22, width);
  const references = (series.references ?? []).map(({ value }) => {
    const x = scale.place(value) * area.width;
    return element("line", { class: "r", x1: x, x2: x, y1: 0, y2: area.height });
  });
  const zero = left + area.width * (scale.log ? 0 : Math.min(1, Math.max(0, scale.place(0))));
  const markup = [
    top.markup,
    drawHorizontalTicks(horizontalTicks(scale, area.width), scale, area, width),
    insideArea(area, drawLying(series, scale, area) + references.join("")),
    element("line", { class: "x", x1: zero, x2: zero, y1: area.top, y2: bottom }),
    ...names,
    below.markup,
  ];
  return { markup: markup.join(""), height: bottom + 22 + below.height + 4 };
}

/** Whether every name fits below its bars in two lines without a word being broken. */
function namesFit(series: BarSeries, width: number): boolean {
  const room = (width - 50) / series.categories.length - 6;
  const measure = (text: string) => textWidth(text, categoryFont.size);
  return series.categories.every(
    (name) => name.split(/\s+/).every((word) => measure(word) <= room) && wrapText(name, room, measure).length <= 2,
  );
}

/**
 * Draws grouped bars with error bars and lines across; bars stand when the names of the categories fit below them and
 * lie otherwise.
 *
 * @returns an SVG element as text
 * @throws ShapeError when lengths do not fit
 * @throws ValueError when there are no bars
 */
export function barPlot(series: BarSeries, options: PlotOptions = {}): string {
  requireObject("barPlot", "series", series, "BarSeries");
  checkOptions("barPlot", options, ["width", "height", "styles"]);
  checkSeries(series);
  const { width = 480, height = 230 } = options;
  const { markup, height: total } = (namesFit(series, width) ? upright : lying)(series, width, height);
  const names = series.bars.map(({ name }) => name).join(", ");
  const description = `${axisText(series.value)} by ${series.category}: ${names}.`;
  return document({ width, height: total }, { title: series.title, description }, options, markup);
}
