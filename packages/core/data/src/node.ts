import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import {
  checkOptions,
  FormatError,
  requireInteger,
  requireText,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { whyUnread } from "./file-problem.js";
import { type ClinicalRecord, readClinicalRecord } from "./formats/clinical-record.js";

export { fileProblem } from "./file-problem.js";
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
    bytes = await readWhole(path);
  } catch (cause) {
    throw new ValueError(`loadFile: cannot read ${path}: ${whyUnread(cause)}`, { cause });
  }
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof FormatError) {
      throw new FormatError(`${path}: ${error.message}`, { offset: error.offset, cause: error });
    }
    if (error instanceof UnsupportedError) throw new UnsupportedError(`${path}: ${error.message}`, { cause: error });
    if (error instanceof ValueError && !error.message.includes(path)) {
      throw new ValueError(`${path}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/**
 * Names of what lies in a folder, in order.
 * @param owner who asks, for the message
 * @throws ValueError for what is no folder that can be read.
 */
export async function listFolder(owner: string, folder: string): Promise<string[]> {
  requireText("listFolder", "folder", folder);
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    throw new ValueError(`${owner}: cannot read the folder ${folder}: ${whyUnread(cause)}`, { cause });
  }
}

/** Bytes that the system reads in one call. */
const MOST_AT_ONCE = 2 ** 30;
const SHORTER = "the file became shorter while it was read";

/** All of a file: `readFile` refuses more than two gigabytes. */
async function readWhole(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size < 2 ** 31) return readFile(path);
  const bytes = new Uint8Array(size);
  const file = await open(path);
  try {
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(MOST_AT_ONCE, size - at), at);
      if (bytesRead === 0) throw new Error(SHORTER);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  return bytes;
}

/**
 * Reads files that a file names, such as the weights beside a model: from its own folder only, and the folders in that.
 * @returns a function of a name in the folder, which gives the bytes, and nothing where there is no such file. It throws a ValueError for
 * what lies out of the folder, behind a link too, and for what cannot be read.
 * @example
 * const read = (bytes: Uint8Array) => readOnnxGraph(bytes, { externalData: filesBeside("model.onnx") });
 * const graph = await loadFile("model.onnx", read);
 */
export function filesBeside(path: string): (name: string) => Uint8Array | undefined {
  requireText("filesBeside", "path", path);
  return (name) => {
    const given = join(dirname(path), name);
    try {
      const found = realpathSync(given);
      // A model of a cache is a link, and so is what lies beside it: to files of one folder.
      const folders = [realpathSync(dirname(path)), dirname(realpathSync(path))];
      if (!folders.some((folder) => isIn(folder, found))) throw new Error(`it lies out of the folder of ${path}`);
      return readWholeSync(found);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new ValueError(`filesBeside: cannot read ${given}: ${whyUnread(cause)}`, { cause });
    }
  };
}

function isIn(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !/^\.\.[/\\]/.test(way) && !isAbsolute(way);
}

function readWholeSync(path: string): Uint8Array {
  // Asked before it is opened: a pipe would wait for its writer.
  if (!statSync(path).isFile()) throw new Error("it is no file");
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(fstatSync(file).size);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(file, bytes, at, Math.min(MOST_AT_ONCE, bytes.length - at), at);
      if (read === 0) throw new Error(SHORTER);
      at += read;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Options of {@link loadClinicalRecords}. */
export interface ClinicalFolderOptions {
  /** Records at most, in the order of their numbers (default all). */
  readonly limit?: number;
}

/**
 * Reads a folder of the PhysioNet Challenge 2012, such as `set-a`: its files `<number>.txt`, in the order of their numbers; other files
 * are passed over.
 * @throws ValueError for a folder that cannot be read or has no record; FormatError that names a damaged file.
 * @example const series = clinicalSeries(await loadClinicalRecords("set-a"));
 */
export async function loadClinicalRecords(
  folder: string,
  options: ClinicalFolderOptions = {},
): Promise<ClinicalRecord[]> {
  const owner = "loadClinicalRecords";
  requireText(owner, "folder", folder);
  checkOptions(owner, options, ["limit"]);
  const { limit = Infinity } = options;
  if (limit !== Infinity) requireInteger(owner, "limit", limit, 1);
  const files = await listFolder(owner, folder);
  const numbered = files.filter((file) => /^\d+\.txt$/.test(file));
  if (numbered.length === 0) {
    throw new ValueError(`${owner}: ${folder} has no file such as 132539.txt; give the folder that the records lie in`);
  }
  const chosen = numbered.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).slice(0, limit);
  const records: ClinicalRecord[] = [];
  for (const file of chosen) records.push(await loadFile(join(folder, file), readClinicalRecord));
  return records;
}
