import { checkOptions, requireObject } from "@offprint/tensor-core";
import type { PlotOptions } from "./frame.js";
import { pngAddress } from "./png.js";
import { checkSeries, type ImageSeries, type ImageTile } from "./series.js";
import { element } from "./svg.js";
import { type TilePlace, tileGrid } from "./tile-grid.js";

function address({ width, height, channels, pixels }: ImageTile): string {
  const bytes = Uint8Array.from({ length: width * height * channels }, (_, index) =>
    Math.round(255 * Math.min(1, Math.max(0, pixels[index] ?? 0))),
  );
  return pngAddress(width, height, channels, bytes);
}

/**
 * Draws small images side by side with a text below each; pixels stay sharp.
 *
 * @returns an SVG element as text
 * @throws ShapeError when an image has too few or too many pixels
 * @throws ValueError when there are no images
 */
export function imageGrid(series: ImageSeries, options: PlotOptions = {}): string {
  requireObject("imageGrid", "series", series, "ImageSeries");
  checkOptions("imageGrid", options, ["width", "height", "styles"]);
  checkSeries(series);
  const tiles = series.images.map((image) => ({
    label: image.label,
    ratio: image.height / image.width,
    draw: ({ left: x, top: y, width, height }: TilePlace) =>
      element("image", { x, y, width, height, href: address(image), style: "image-rendering:pixelated" }),
  }));
  const layout = { columns: series.columns, largest: 150 };
  return tileGrid({ title: series.title, what: "Images" }, tiles, layout, options);
}
