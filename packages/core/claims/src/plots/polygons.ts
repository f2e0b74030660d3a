import { checkOptions, requireObject } from "@offprint/tensor-core";
import type { PlotOptions } from "./frame.js";
import { colourNumber } from "./marks.js";
import { checkSeries, type Polygon, type PolygonSeries } from "./series.js";
import { coordinate, element } from "./svg.js";
import { type TilePlace, tileGrid } from "./tile-grid.js";

/** Least and largest x and y of all drawings. */
function extent({ drawings }: PolygonSeries): { low: [number, number]; high: [number, number] } {
  const low: [number, number] = [Infinity, Infinity];
  const high: [number, number] = [-Infinity, -Infinity];
  for (const { polygons } of drawings) {
    for (const { points } of polygons) {
      for (let i = 0; i < points.length; i++) {
        low[i % 2] = Math.min(low[i % 2]!, points[i]!);
        high[i % 2] = Math.max(high[i % 2]!, points[i]!);
      }
    }
  }
  return { low, high };
}

/** How much of black is laid over the darkest colour. */
const darkest = 0.6;

function filled({ points, colour = 0, shade = 1 }: Polygon, place: (x: number, y: number) => string): string {
  const corners = Array.from({ length: points.length / 2 }, (_, i) => place(points[2 * i]!, points[2 * i + 1]!));
  const d = `M${corners.join("L")}z`;
  const own = element("path", { class: `m f${colourNumber(colour)}`, d });
  const dark = Math.round(100 * darkest * (1 - Math.min(1, Math.max(0, shade)))) / 100;
  return dark === 0 ? own : own + element("path", { d, fill: "#000", "fill-opacity": dark });
}

/**
 * Draws filled polygons, such as projected solids, side by side with a text below each.
 *
 * @returns an SVG element as text
 * @throws ShapeError when a polygon has fewer than three corners
 * @throws ValueError when there are no polygons, or a coordinate is missing
 */
export function polygonGrid(series: PolygonSeries, options: PlotOptions = {}): string {
  requireObject("polygonGrid", "series", series, "PolygonSeries");
  checkOptions("polygonGrid", options, ["width", "height", "styles"]);
  checkSeries(series);
  const { low, high } = extent(series);
  const [wide, tall] = [high[0] - low[0] || 1, high[1] - low[1] || 1];
  const ratio = Math.min(2, tall / wide);
  const tiles = series.drawings.map(({ label, polygons }) => ({
    label,
    ratio,
    draw({ left, top, width, height }: TilePlace) {
      const scale = Math.min(width / wide, height / tall);
      const [x0, y0] = [left + (width - scale * wide) / 2, top + (height + scale * tall) / 2];
      const place = (x: number, y: number) =>
        `${coordinate(x0 + scale * (x - low[0]))} ${coordinate(y0 - scale * (y - low[1]))}`;
      return polygons.map((polygon) => filled(polygon, place)).join("");
    },
  }));
  const layout = { columns: series.columns, largest: 300 };
  return tileGrid({ title: series.title, what: "Drawings" }, tiles, layout, options);
}
