import { checkOptions, requireObject } from "@offprint/tensor-core";
import { barPlot } from "./bars.js";
import type { PlotOptions } from "./frame.js";
import { heatMap } from "./heat-map.js";
import { imageGrid } from "./images.js";
import { linePlot } from "./line.js";
import { polygonGrid } from "./polygons.js";
import type { Series } from "./series.js";

/**
 * Draws a series of any kind.
 *
 * @returns an SVG element as text
 * @throws ShapeError when parts of the series do not fit each other
 * @throws ValueError when nothing is there to plot
 */
export function plot(series: Series, options: PlotOptions = {}): string {
  requireObject("plot", "series", series, "Series");
  checkOptions("plot", options, ["width", "height", "styles"]);
  if (series.kind === "line") return linePlot(series, options);
  if (series.kind === "bar") return barPlot(series, options);
  if (series.kind === "heat-map") return heatMap(series, options);
  if (series.kind === "polygons") return polygonGrid(series, options);
  return imageGrid(series, options);
}
