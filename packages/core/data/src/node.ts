import { readFile } from "node:fs/promises";
import { FormatError, UnsupportedError, ValueError } from "@offprint/tensor-core";

export { removeFile, saveFile, saveFileSync } from "./save-file.js";

/**
 * Reads a file of one of the formats.
 * @param read any reader of this package, such as `readNpz`.
 * @throws ValueError for a file that cannot be opened; what `read` throws, with the file's name in front.
 * @example const arrays = await loadFile("features.npz", readNpz);
 */
export async function loadFile<R>(path: string, read: (bytes: Uint8Array) => R): Promise<R> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ValueError(`loadFile: cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof FormatError) {
      throw new FormatError(`${path}: ${error.message}`, { offset: error.offset, cause: error });
    }
    if (error instanceof UnsupportedError) throw new UnsupportedError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
