import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "./failure.js";

/** Makes a folder; before a long run, so that the run is not lost to a path that cannot be written. */
export function requireFolder(path: string): void {
  mkdirSync(path, { recursive: true });
}

/** Checks, before a long run, that a file can be written at a path. */
export function requireWritablePlace(path: string): void {
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure(`${path}: its folder ${folder} does not exist; create it first.`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure(`${path}: it is a folder, a file is needed.`);
  }
}
