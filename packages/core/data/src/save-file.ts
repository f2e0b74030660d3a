import { randomUUID } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ValueError } from "@offprint/tensor-core";
import { fileProblem } from "./file-problem.js";

/** Where a write ends up, once links are followed. */
type Destination =
  /** A device or a pipe: it is written to and stays what it is. */
  | { readonly kind: "stream"; readonly path: string }
  /** What this process holds open, such as `/dev/stdout`. */
  | { readonly kind: "descriptor"; readonly descriptor: number }
  /** A file to be replaced, or (without `before`) one that is not there yet. */
  | { readonly kind: "file"; readonly path: string; readonly before?: Stats };

const MAX_LINKS = 40;
const MOST_AT_ONCE = 2 ** 30;
/** Never creates, so that a pipe in a folder of several users may be opened; adds to what `> file` has caught so far. */
const TO_STREAM = constants.O_WRONLY | constants.O_APPEND;

/**
 * Writes a file so that it is there as a whole or not at all: to a temporary file beside it, which then takes its name.
 * The file keeps its mode and owner, links that lead to it stay links; a device or pipe, `/dev/stdout` too, is written to.
 * @throws ValueError for a content that is no text and no Uint8Array, and where it cannot be written; what was there before stays.
 * @example await saveFile("weights.safetensors", writeSafetensors(params));
 */
export async function saveFile(path: string, content: Uint8Array | string): Promise<void> {
  requireContent("saveFile", content);
  const place = attempt(path, () => destination(path));
  try {
    if (place.kind === "descriptor" && place.descriptor === 1) return await print(process.stdout, content);
    if (place.kind !== "stream") return saveFileSync(path, content);
    // A pipe may wait for its reader: only this write waits with it.
    const stream = await open(place.path, TO_STREAM);
    try {
      await stream.writeFile(content);
    } finally {
      await stream.close();
    }
  } catch (cause) {
    throw cause instanceof ValueError ? cause : cannotWrite(path, cause);
  }
}

/** `saveFile` for code that cannot wait: the file is on disk when this returns. */
export function saveFileSync(path: string, content: Uint8Array | string): void {
  requireContent("saveFileSync", content);
  attempt(path, () => {
    const place = destination(path);
    if (place.kind === "file") replace(place.path, place.before, content);
    else if (place.kind === "descriptor") writeFileSync(place.descriptor, content);
    else writeTo(openSync(place.path, TO_STREAM), content);
  });
}

/** Removes a file that is no longer needed; a device or pipe stays, as does what is not there. */
export function removeFile(path: string): void {
  attempt(
    path,
    () => {
      const place = destination(path);
      if (place.kind === "file" && place.before !== undefined) rmSync(place.path);
    },
    "removeFile: cannot remove",
  );
}

/** What is no content must not empty a file that was there. */
function requireContent(owner: string, content: unknown): void {
  if (typeof content === "string" || content instanceof Uint8Array) return;
  const remedy =
    content instanceof Promise
      ? "await it"
      : content instanceof ArrayBuffer
        ? "give new Uint8Array(content)"
        : "give a Uint8Array or a text, such as a writer of this package or JSON.stringify makes";
  throw new ValueError(`${owner}: the content is ${kindOf(content)}; ${remedy}`);
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return `of the kind ${value.constructor?.name ?? "Object"}`;
}

function destination(path: string): Destination {
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined) return { kind: "file", path: at };
    if (stats.isDirectory()) throw new Error("it is a folder; give the path of a file");
    if (stats.isFile()) return { kind: "file", path: at, before: stats };
    if (!stats.isSymbolicLink()) return { kind: "stream", path: at };
    const folder = realpathSync(dirname(at));
    // What these lead to is open already, and need not have a name.
    if (folder === `/proc/${process.pid}/fd`) return { kind: "descriptor", descriptor: Number(basename(at)) };
    if (/^\/proc\/.*\/fd$/.test(folder)) return { kind: "stream", path: at };
    at = resolve(folder, readlinkSync(at));
  }
  throw new Error("its links lead in a circle");
}

/** After what was printed before. */
function print(stream: NodeJS.WriteStream, content: Uint8Array | string): Promise<void> {
  return new Promise((done, failed) => stream.write(content, (error) => (error ? failed(error) : done())));
}

function replace(path: string, before: Stats | undefined, content: Uint8Array | string): void {
  if (before !== undefined) accessSync(path, constants.W_OK);
  const temporary = join(dirname(path), `.offprint-${randomUUID()}.tmp`);
  try {
    const file = openSync(temporary, "wx", before === undefined ? 0o666 : 0o600);
    writeTo(file, content, () => {
      if (before !== undefined) keepOwnerAndMode(file, before);
      fsyncSync(file);
    });
    if (before !== undefined && before.nlink > 1) copyInto(path, temporary);
    else renameSync(temporary, path);
  } catch (error) {
    if (!(error instanceof HalfWritten)) rmSync(temporary, { force: true });
    throw error;
  }
}

function writeTo(file: number, content: Uint8Array | string, finish?: () => void): void {
  try {
    for (const part of partsOf(content)) writeFileSync(file, part);
    finish?.();
  } finally {
    closeSync(file);
  }
}

/** The system writes no more than two gigabytes at once. */
function* partsOf(content: Uint8Array | string): Generator<Uint8Array | string> {
  if (typeof content === "string" || content.length <= MOST_AT_ONCE) yield content;
  else for (let at = 0; at < content.length; at += MOST_AT_ONCE) yield content.subarray(at, at + MOST_AT_ONCE);
}

function keepOwnerAndMode(file: number, { uid, gid, mode }: Stats): void {
  try {
    fchownSync(file, uid, gid);
  } catch {
    // Only root may give files away; others keep what they write.
  }
  fchmodSync(file, mode & 0o7777);
}

/** A file of several names is one file for all of them: its content changes, and the whole new content waits beside it. */
function copyInto(path: string, temporary: string): void {
  try {
    copyFileSync(temporary, path);
  } catch (error) {
    throw new HalfWritten(`${reason(error)}; the whole content is in ${temporary}`);
  }
  rmSync(temporary);
}

class HalfWritten extends Error {}

function attempt<R>(path: string, work: () => R, failure?: string): R {
  try {
    return work();
  } catch (cause) {
    throw cannotWrite(path, cause, failure);
  }
}

/** Where there are no words of ours the system's, without its own names for the paths: the user knows the file by the path given. */
function reason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  const ours = fileProblem(cause);
  if (ours !== undefined) return ours;
  return code === undefined ? message : (/^\w+: [^,]*/.exec(message)?.[0] ?? message);
}

function cannotWrite(path: string, cause: unknown, failure = "saveFile: cannot write"): ValueError {
  return new ValueError(`${failure} ${path}: ${reason(cause)}`, { cause });
}
