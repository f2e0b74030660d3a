import { join } from "node:path";
import { listFolder, loadFile } from "@offprint/data/node";
import { FormatError, ValueError } from "@offprint/tensor-core";
import { type PlanetoidFiles, type PlanetoidOptions, planetoidSuffixes, readPlanetoid } from "./formats/planetoid.js";
import { readTuDataset, type TuFiles, tuSuffixes } from "./formats/tu-dataset.js";
import type { GraphData, NodeData } from "./node-data.js";

/** The one data set that a folder holds, or the one asked for. */
function chosenSet(owner: string, folder: string, found: readonly string[], name: string | undefined): string {
  if (name !== undefined) {
    if (found.includes(name)) return name;
    throw new ValueError(`${owner}: ${folder} holds no data set "${name}"; it has ${found.join(", ") || "none"}`);
  }
  if (found.length === 1) return found[0];
  throw new ValueError(
    `${owner}: ${folder} holds ${found.length === 0 ? "no data set" : `the data sets ${found.join(", ")}; name one`}`,
  );
}

/**
 * The Planetoid data set in a folder with the files `ind.NAME.x`, `ind.NAME.graph` and so on.
 * @param options.name which, where the folder holds several
 * @throws ValueError where files are missing; FormatError where they are damaged.
 */
export async function loadPlanetoid(folder: string, options: PlanetoidOptions = {}): Promise<NodeData> {
  const names = await listFolder("loadPlanetoid", folder);
  const sets = names.flatMap((file) => /^ind\.(.+)\.graph$/.exec(file)?.[1] ?? []);
  const name = chosenSet("loadPlanetoid", folder, sets, options.name);
  const fields = Object.entries(planetoidSuffixes).map(async ([field, suffix]) => {
    const path = join(folder, `ind.${name}.${suffix}`);
    return [field, await loadFile(path, (bytes) => bytes)] as const;
  });
  const files = Object.fromEntries(await Promise.all(fields)) as unknown as PlanetoidFiles;
  try {
    return readPlanetoid(files, { ...options, name });
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${folder}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The TUDataset in a folder with the files `NAME_A.txt`, `NAME_graph_labels.txt` and so on. See `loadPlanetoid`. */
export async function loadTuDataset(folder: string, options: { name?: string } = {}): Promise<GraphData> {
  const names = await listFolder("loadTuDataset", folder);
  const sets = names.flatMap((file) => /^(.+)_A\.txt$/.exec(file)?.[1] ?? []);
  const name = chosenSet("loadTuDataset", folder, sets, options.name);
  const present = Object.entries(tuSuffixes).filter(
    ([field, suffix]) =>
      ["edges", "graphIndicator", "graphLabels"].includes(field) || names.includes(`${name}_${suffix}`),
  );
  const fields = present.map(async ([field, suffix]) => {
    return [field, await loadFile(join(folder, `${name}_${suffix}`), (bytes) => bytes)] as const;
  });
  return readTuDataset(Object.fromEntries(await Promise.all(fields)) as unknown as TuFiles, name);
}
