import { accessSync, closeSync, constants, mkdirSync, openSync, rmSync, type Stats, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileProblem } from "@offprint/data/node";
import { didYouMean } from "./did-you-mean.js";
import { Failure } from "./failure.js";

function inspected(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new Failure(`${path}: ${fileProblem(error) ?? (error as Error).message}.`);
  }
}

function requireAccess(path: string, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    throw new Failure(`${path}: ${fileProblem(error) ?? (error as Error).message}.`);
  }
}

/** Checks that something can be read before a long run needs it. */
export function requireReadable(path: string, kind: "file" | "folder" | "either", words: readonly string[] = []): void {
  const found = inspected(path);
  if (found === undefined) {
    const also = words.length > 0 ? `${didYouMean(path, words)} It may also be ${words.join(" or ")}.` : "";
    throw new Failure(`${path}: there is no such ${kind === "either" ? "file or folder" : kind}.${also}`);
  }
  if (kind === "file" && found.isDirectory()) throw new Failure(`${path}: it is a folder, a file is needed.`);
  if (kind === "folder" && !found.isDirectory()) throw new Failure(`${path}: it is a file, a folder is needed.`);
  requireAccess(path, constants.R_OK);
}

/** Makes a file in a folder and removes it: what permissions, read-only disks and special folders allow is hard to foretell. */
function requireRoom(path: string, folder: string): void {
  const probe = join(folder, `.offprint-${process.pid}.tmp`);
  try {
    closeSync(openSync(probe, "wx"));
    rmSync(probe);
  } catch (error) {
    throw new Failure(`${path}: no file can be written there: ${fileProblem(error) ?? (error as Error).message}.`);
  }
}

/** Checks, before a long run, that a file can be written at a path. */
export function requireWritable(path: string): void {
  const found = inspected(path);
  if (found?.isDirectory()) throw new Failure(`${path}: it is a folder, a file is needed.`);
  if (found !== undefined) requireAccess(path, constants.W_OK);
  // A pipe or a device is written through, and needs no room beside it.
  if (found !== undefined && !found.isFile()) return;
  const folder = dirname(path);
  if (!inspected(folder)?.isDirectory()) {
    throw new Failure(`${path}: its folder ${folder} does not exist; create it first.`);
  }
  requireRoom(path, folder);
}

/** Checks, before a long run, that a folder is there or can be made, and files can be written into it. */
export function requireFolderPlace(path: string): void {
  let above = path;
  while (inspected(above) === undefined && dirname(above) !== above) above = dirname(above);
  if (!inspected(above)?.isDirectory()) throw new Failure(`${above}: it exists and is not a folder.`);
  requireRoom(path, above);
}

/** A path that was given, and the option that it was given to. */
export interface NamedPath {
  /** As it is typed: `--output`. */
  readonly shown: string;
  readonly path: string;
}

/**
 * Checks that no output takes the place of an input or of another output: by whichever name, as files have several.
 * @throws Failure that names both options
 */
export function requireApart(inputs: readonly NamedPath[], outputs: readonly NamedPath[]): void {
  // An input that is no file is a name that a command knows.
  const before = inputs
    .filter(({ path }) => inspected(path))
    .map((input) => ({ ...input, place: placeOf(input.path) }));
  for (const { shown, path } of outputs) {
    const place = placeOf(path);
    if (place === undefined) continue;
    const same = before.find((other) => other.place === place);
    if (same !== undefined) {
      throw new Failure(`${shown} would take the place of ${same.shown}, ${same.path}; name another for it.`);
    }
    before.push({ shown, path, place });
  }
}

/** What tells a file from all others; nothing for folders, which hold many, and for pipes and devices, which keep nothing. */
function placeOf(path: string): string | undefined {
  const found = inspected(path);
  if (found === undefined) return resolve(path);
  return found.isFile() ? `${found.dev}:${found.ino}` : undefined;
}

/** Makes a folder where there is none. */
export function requireFolder(path: string): void {
  requireFolderPlace(path);
  mkdirSync(path, { recursive: true });
}
