import { wrapText } from "../text-width.js";
import { plotStyles } from "./palette.js";
import type { AxisScale, Tick } from "./scale.js";
import { element, textElement, textWidth } from "./svg.js";

/** Options of every plot function. */
export interface PlotOptions {
  /** Width in pixels at which texts have their nominal size; the plot shrinks with the page. Default 480. */
  readonly width?: number;
  /** Height of the plotting area in pixels; title, legend and labels come on top of it. Default 230. */
  readonly height?: number;
  /**
   * `embedded` (default): the SVG carries its style sheet and can stand alone. `page`: the page has `plotStyles()`.
   */
  readonly styles?: "embedded" | "page";
}

/** A rectangle in pixels. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A line of the legend: a swatch drawn into a box of 22 by 12 pixels, and a name. */
export interface LegendEntry {
  readonly name: string;
  swatch(x: number, y: number): string;
}

const swatchWidth = 22;
const tickFont = 12;
const labelFont = 12.5;
const titleFont = 15;

/** Markup and the height that it takes. */
interface Block {
  readonly markup: string;
  readonly height: number;
}

/** Lines of text from `top` downwards. */
export function textBlock(
  text: string,
  place: { x: number; top: number; width: number; anchor?: "start" | "middle" | "end" },
  font: { size: number; style: string },
): Block {
  const lines = wrapText(text, place.width, (part) => textWidth(part, font.size));
  const step = font.size * 1.25;
  const markup = lines.map((line, index) =>
    textElement(line, {
      x: place.x,
      y: place.top + font.size * 0.95 + index * step,
      anchor: place.anchor,
      style: font.style,
    }),
  );
  return { markup: markup.join(""), height: lines.length * step };
}

/** The heading of a plot. */
export function titleBlock(title: string, width: number): Block {
  // Bold letters are wider than what widths are estimated for.
  return textBlock(title, { x: 0, top: 0, width: width * 0.92 }, { size: titleFont, style: "h" });
}

/** The legend, in as many rows as it needs; nothing when there is nothing to tell apart. */
export function legendBlock(entries: readonly LegendEntry[], top: number, width: number): Block {
  if (entries.length === 0) return { markup: "", height: 0 };
  const rowHeight = 19;
  let [x, y] = [0, top + 4];
  let markup = "";
  for (const { name, swatch } of entries) {
    const lines = wrapText(name, width - swatchWidth - 6, (text) => textWidth(text, labelFont));
    const wanted = swatchWidth + 6 + Math.max(...lines.map((line) => textWidth(line, labelFont)));
    if (x > 0 && x + wanted > width) [x, y] = [0, y + rowHeight];
    markup += swatch(x, y + 1);
    for (const [index, line] of lines.entries()) {
      markup += textElement(line, { x: x + swatchWidth + 6, y: y + 11 + index * 15, style: "k" });
    }
    y += (lines.length - 1) * 15;
    x += wanted + 16;
  }
  return { markup, height: y + rowHeight - top };
}

/** The name of the vertical axis, above it: upright text reads better than text on its side. */
export function verticalLabel(text: string, top: number, width: number): Block {
  const { markup, height } = textBlock(text, { x: 0, top: top + 5, width }, { size: labelFont, style: "a" });
  return { markup, height: height + 15 };
}

/** Two names above the plot: the left axis's, and at the right border the colour bar's; one above the other if long. */
export function pairOfLabels(left: string, right: string, top: number, width: number): Block {
  const beside = textWidth(left, labelFont) + textWidth(right, labelFont) + 16 <= width;
  const first = verticalLabel(left, top, width);
  const second = textBlock(
    right,
    { x: width, top: beside ? top + 5 : top + first.height - 10, width, anchor: "end" },
    { size: labelFont, style: "a" },
  );
  return { markup: first.markup + second.markup, height: beside ? first.height : first.height + second.height };
}

/** The name of the horizontal axis, centred below its ticks. */
export function horizontalLabel(text: string, area: Area, top: number, width: number): Block {
  const wanted = textWidth(text, labelFont);
  const middle = Math.min(Math.max(area.left + area.width / 2, wanted / 2), Math.max(wanted / 2, width - wanted / 2));
  return textBlock(text, { x: middle, top, width, anchor: "middle" }, { size: labelFont, style: "a" });
}

/** Ticks of a vertical axis that are not closer than a line of text. */
export function verticalTicks(scale: AxisScale, height: number): Tick[] {
  return thinned(scale, Math.max(2, Math.floor(height / 42)), (ticks) =>
    ticks.every((tick, index) => index === 0 || gap(scale, ticks[index - 1]!, tick) * height >= tickFont * 1.3),
  );
}

/** Ticks of a horizontal axis whose texts do not touch. */
export function horizontalTicks(scale: AxisScale, width: number): Tick[] {
  return thinned(scale, Math.max(2, Math.floor(width / 55)), (ticks) =>
    ticks.every((tick, index) => {
      if (index === 0) return true;
      const needed = (textWidth(ticks[index - 1]!.text, tickFont) + textWidth(tick.text, tickFont)) / 2 + 8;
      return gap(scale, ticks[index - 1]!, tick) * width >= needed;
    }),
  );
}

function gap(scale: AxisScale, a: Tick, b: Tick): number {
  return Math.abs(scale.place(b.value) - scale.place(a.value));
}

function thinned(scale: AxisScale, most: number, fits: (ticks: Tick[]) => boolean): Tick[] {
  for (let count = most; count > 1; count--) {
    const ticks = scale.ticks(count);
    if (fits(ticks)) return ticks;
  }
  const [first, ...rest] = scale.ticks(1);
  return first ? [first, ...rest.slice(-1).filter((tick) => fits([first, tick]))] : [];
}

/** Room that the texts of ticks take beside a vertical axis. */
export function ticksWidth(ticks: readonly Tick[]): number {
  return Math.max(0, ...ticks.map(({ text }) => textWidth(text, tickFont))) + 8;
}

/** Grid lines and texts of a vertical axis. */
export function drawVerticalTicks(ticks: readonly Tick[], scale: AxisScale, area: Area): string {
  return ticks
    .map(({ value, text }) => {
      const y = area.top + area.height * (1 - scale.place(value));
      const line = element("line", { class: "g", x1: area.left, x2: area.left + area.width, y1: y, y2: y });
      return line + textElement(text, { x: area.left - 6, y: y + 4, anchor: "end" });
    })
    .join("");
}

/** Grid lines and texts of a horizontal axis; texts at the borders are moved so that they stay inside the plot. */
export function drawHorizontalTicks(ticks: readonly Tick[], scale: AxisScale, area: Area, width: number): string {
  const bottom = area.top + area.height;
  return ticks
    .map(({ value, text }) => {
      const x = area.left + area.width * scale.place(value);
      const half = textWidth(text, tickFont) / 2;
      const middle = Math.min(Math.max(x, half), width - half);
      const line = element("line", { class: "g", x1: x, x2: x, y1: area.top, y2: bottom });
      return line + textElement(text, { x: middle, y: bottom + 16, anchor: "middle" });
    })
    .join("");
}

/** Clips its content to the plotting area, whose top left corner becomes the origin. */
export function insideArea(area: Area, content: string): string {
  const { left, top, width, height } = area;
  const viewBox = `0 0 ${width} ${height}`;
  return element("svg", { x: left, y: top, width, height, viewBox, overflow: "hidden" }, content);
}

/** The finished SVG. */
export function document(
  size: { width: number; height: number },
  names: { title: string; description: string },
  options: PlotOptions,
  content: string,
): string {
  const { width } = size;
  const height = Math.ceil(size.height);
  const label = `${names.title}. ${names.description}`;
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "offprint-plot",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": label,
    },
    options.styles === "page" ? "" : `<style>${plotStyles()}</style>`,
    content,
  );
}
