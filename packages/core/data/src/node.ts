import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FormatError, UnsupportedError, ValueError } from "@offprint/tensor-core";

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

/**
 * Writes a file so that it is there as a whole or not at all: to a temporary file beside it, which then takes its name.
 * @throws ValueError where it cannot be written; what was there before stays.
 * @example await saveFile("weights.safetensors", writeSafetensors(params));
 */
export async function saveFile(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new ValueError(`saveFile: cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}
