import { document, type PlotOptions, textBlock, titleBlock } from "./frame.js";
import { pngAddress } from "./png.js";
import { checkSeries, type ImageSeries, type ImageTile } from "./series.js";
import { element } from "./svg.js";

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
  checkSeries(series);
  const { width = 480 } = options;
  const gap = 10;
  const columns = Math.min(series.columns ?? Math.floor((width + gap) / 100), series.images.length);
  const size = Math.min(150, (width + gap) / Math.max(1, columns) - gap);
  const title = titleBlock(series.title, width);
  let top = title.height + 8;
  let markup = title.markup;
  for (let start = 0; start < series.images.length; start += columns) {
    const row = series.images.slice(start, start + columns);
    const tall = size * Math.min(2, Math.max(...row.map((image) => image.height / image.width)));
    let below = 0;
    for (const [index, image] of row.entries()) {
      const x = index * (size + gap);
      const shape = { x, y: top, width: size, height: tall };
      markup += element("image", { ...shape, href: address(image), style: "image-rendering:pixelated" });
      if (image.label === undefined) continue;
      const place = { x: x + size / 2, top: top + tall + 2, width: size, anchor: "middle" } as const;
      const label = textBlock(image.label, place, { size: 12, style: "t" });
      markup += label.markup;
      below = Math.max(below, label.height);
    }
    top += tall + below + gap;
  }
  const labels = series.images.map(({ label }, index) => label ?? `image ${index + 1}`).join(", ");
  return document({ width, height: top }, { title: series.title, description: `Images: ${labels}.` }, options, markup);
}
