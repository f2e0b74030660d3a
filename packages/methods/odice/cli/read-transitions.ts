import { Failure } from "@offprint/commands";
import { npzNames, readNpz } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { isHdf5, type LoggedSteps, type OfflineDataset, qlearningDataset, readD4rl } from "../src/index.js";

/** How steps become transitions. */
export interface ReadingOptions {
  /** Whether the last step before a timeout is kept. */
  readonly terminateOnEnd: boolean;
  /** Length of episodes in files without timeouts. */
  readonly maxEpisodeSteps: number | undefined;
}

/**
 * Transitions of a file: NPZ with `observations`, `actions`, `rewards`, `terminals` and, where rows do not follow each other, `next_observations`; or
 * HDF5 as D4RL writes it.
 */
export async function readTransitions(
  path: string,
  { terminateOnEnd, maxEpisodeSteps }: ReadingOptions,
): Promise<OfflineDataset> {
  const settings = { terminateOnEnd, ...(maxEpisodeSteps !== undefined && { maxEpisodeSteps }) };
  const bytes = await loadFile(path, (content) => content);
  if (isHdf5(bytes)) {
    const { default: h5wasm } = await import("h5wasm").catch((error: unknown) => {
      throw new Failure(
        `${path} is an HDF5 file, for which the package h5wasm is needed: npm install h5wasm (${String(error)})`,
      );
    });
    return qlearningDataset(await readD4rl(bytes, h5wasm), settings);
  }
  const known = await loadFile(path, (content) => npzNames(content));
  const wanted = ["observations", "actions", "rewards", "terminals", "timeouts", "next_observations"].filter((name) =>
    known.includes(name),
  );
  for (const name of ["observations", "actions", "rewards", "terminals"]) {
    if (!known.includes(name)) {
      throw new Failure(`${path} has no array ${name}; it has ${known.join(", ")}`);
    }
  }
  const { next_observations: next, ...steps } = await loadFile(path, (content) => readNpz(content, wanted));
  const logged = { ...steps, ...(next && { nextObservations: next }) };
  return qlearningDataset(logged as unknown as LoggedSteps, settings);
}
