import { document, type PlotOptions, textBlock, titleBlock } from "./frame.js";

/** A place in a grid, in pixels. */
export interface TilePlace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Something drawn into a place of the grid. */
export interface Tile {
  /** Text below it. */
  readonly label: string | undefined;
  /** Height over width. */
  readonly ratio: number;
  /** Its markup. */
  draw(place: TilePlace): string;
}

/** Tiles of one width side by side, with a text below each. */
export function tileGrid(
  names: { title: string; what: string },
  tiles: readonly Tile[],
  layout: { columns: number | undefined; largest: number },
  options: PlotOptions,
): string {
  const { width = 480 } = options;
  const gap = 10;
  const columns = Math.min(layout.columns ?? Math.floor((width + gap) / 100), tiles.length);
  const size = Math.min(layout.largest, (width + gap) / Math.max(1, columns) - gap);
  const title = titleBlock(names.title, width);
  let top = title.height + 8;
  let markup = title.markup;
  for (let start = 0; start < tiles.length; start += columns) {
    const row = tiles.slice(start, start + columns);
    const tall = size * Math.min(2, Math.max(...row.map(({ ratio }) => ratio)));
    let below = 0;
    for (const [index, tile] of row.entries()) {
      const left = index * (size + gap);
      markup += tile.draw({ left, top, width: size, height: tall });
      if (tile.label === undefined) continue;
      const place = { x: left + size / 2, top: top + tall + 2, width: size, anchor: "middle" } as const;
      const label = textBlock(tile.label, place, { size: 12, style: "t" });
      markup += label.markup;
      below = Math.max(below, label.height);
    }
    top += tall + below + gap;
  }
  const labels = tiles.map(({ label }, index) => label ?? `${index + 1}`).join(", ");
  return document(
    { width, height: top },
    { title: names.title, description: `${names.what}: ${labels}.` },
    options,
    markup,
  );
}
