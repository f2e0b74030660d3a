import { FormatError, requireObject, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import type { LoggedSteps } from "./offline-dataset.js";

/** What reads HDF5: the package `h5wasm` as it stands, which is not installed with this one. */
export interface Hdf5Reader {
  /** Loads it; its file system in memory. */
  readonly ready: Promise<{
    /** Files in memory. */
    readonly FS: {
      /** Writes one. */
      writeFile(name: string, content: Uint8Array): void;
      /** Removes one. */
      unlink(name: string): void;
    };
  }>;
  /** An open file. */
  readonly File: new (
    name: string,
    mode: "r",
  ) => {
    /** A part of it: a data set, a group, or nothing. */
    get(name: string): unknown;
    /** Names of its parts. */
    keys(): string[];
    /** Ends reading. */
    close(): unknown;
  };
}

let opened = 0;

/**
 * Reads a file of D4RL (HDF5 with `observations`, `actions`, `rewards`, `terminals`, and where there are some `timeouts` and `next_observations`) as steps one after the
 * other; `qlearningDataset` makes transitions of them.
 * @param hdf5 `h5wasm`: `import h5wasm from "h5wasm"`
 * @throws FormatError for another kind of file and damaged ones; ValueError where a part is missing.
 * @example const dataset = qlearningDataset(await readD4rl(bytes, h5wasm));
 */
export async function readD4rl(bytes: Uint8Array, hdf5: Hdf5Reader): Promise<LoggedSteps> {
  requireObject("readD4rl", "bytes", bytes, "a Uint8Array");
  requireObject("readD4rl", "hdf5", hdf5, "a Hdf5Reader");
  if (!isHdf5(bytes)) {
    throw new FormatError("readD4rl: the file does not begin as HDF5 does; give one as D4RL writes it");
  }
  const { FS } = await hdf5.ready;
  const name = `d4rl-${opened++}.h5`;
  FS.writeFile(name, bytes);
  try {
    const file = new hdf5.File(name, "r");
    // A file that cannot be opened is told by the first look into it.
    const parts = whole(() => file.keys());
    try {
      const read = (key: string) => (parts.includes(key) ? whole(() => numbersOf(key, file.get(key))) : undefined);
      const needed = (key: string): Tensor => {
        const found = read(key);
        if (found !== undefined) return found;
        throw new ValueError(`readD4rl: there is no "${key}" in the file; it has ${parts.join(", ")}`);
      };
      const [timeouts, nextObservations] = [read("timeouts"), read("next_observations")];
      return {
        observations: needed("observations"),
        actions: needed("actions"),
        rewards: needed("rewards"),
        terminals: needed("terminals"),
        ...(timeouts && { timeouts }),
        ...(nextObservations && { nextObservations }),
      };
    } finally {
      file.close();
    }
  } finally {
    FS.unlink(name);
  }
}

/** @throws FormatError where the reader fails. */
function whole<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError("readD4rl: the file cannot be read; it is truncated or damaged", { cause });
  }
}

/** Whether bytes begin as an HDF5 file without a user block. */
export function isHdf5(bytes: Uint8Array): boolean {
  requireObject("isHdf5", "bytes", bytes, "a Uint8Array");
  return [0x89, 0x48, 0x44, 0x46].every((byte, i) => bytes[i] === byte);
}

/** A data set as a tensor; flags come as booleans. */
function numbersOf(key: string, part: unknown): Tensor | undefined {
  if (typeof part !== "object" || part === null || !("value" in part) || !("shape" in part)) return undefined;
  const { value, shape } = part;
  if (!(ArrayBuffer.isView(value) || Array.isArray(value)) || !Array.isArray(shape)) {
    throw new FormatError(`readD4rl: "${key}" holds no numbers`);
  }
  return tensor(Float32Array.from(value as unknown as ArrayLike<unknown>, Number), { shape });
}
