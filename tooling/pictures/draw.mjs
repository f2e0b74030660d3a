// Runs one program of the playground and writes what it shows as an SVG to descriptor 3.
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { plot } from "@offprint/claims";

/** @type {Map<string, { svg: string, telling: boolean }>} */
const shown = new Map();
/** A mesh, images or a map tell more at a glance than curves do. */
const telling = new Set(["polygons", "images", "heat-map"]);

/** The playground's function; a later value replaces the one with the same key. */
function display(/** @type {any} */ value, /** @type {string | undefined} */ key) {
  // Of plots under a slider the last one.
  if (Array.isArray(value) && value.length > 0) return display(value.at(-1), key);
  const place = key ?? `unnamed ${shown.size}`;
  if (typeof value === "string" && value.startsWith("<svg")) shown.set(place, { svg: value, telling: true });
  else if (typeof value?.kind === "string") {
    shown.set(place, { svg: plot(value), telling: telling.has(value.kind) });
  }
}
Object.assign(globalThis, { display });
console.log = console.info = console.table = () => {};

await import(pathToFileURL(process.argv[2]).href);
const last = [...shown.values()].reverse();
writeSync(3, (shown.get("picture") ?? last.find((each) => each.telling) ?? last[0])?.svg ?? "");
process.exit();
