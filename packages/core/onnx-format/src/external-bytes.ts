import { checkOptions, FormatError, requireObject, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { sha1 } from "./sha1.js";

/**
 * Bytes of the files beside a model that hold its weights, by the names that it calls them: `{ "model.onnx.data": bytes }`.
 * Or a function that gives the bytes of a name, nothing where there is no such file; it is called once for each.
 */
export type ExternalData = Readonly<Record<string, Uint8Array>> | ((file: string) => Uint8Array | undefined);

/** Options of {@link readOnnxGraph}. */
export interface OnnxReadOptions {
  /** Files with weights that lie beside the model. Default none: such a model is refused. */
  readonly externalData?: ExternalData;
}

/** A file beside the model. */
export interface ExternalFile {
  /** Bytes in it. */
  readonly size: number;
  /** All of it, where it is in memory. */
  readonly bytes?: Uint8Array;
  /** Its SHA-1 digest in hexadecimal digits, computed when it is asked for first. */
  digest(): string;
}

/** A file beside the model that is in memory. */
export interface LoadedFile extends ExternalFile {
  /** All of it. */
  readonly bytes: Uint8Array;
}

/** A file beside the model, or nothing. */
export type ExternalFiles<File extends ExternalFile = LoadedFile> = (file: string) => File | undefined;

/** The files of the options, each asked for once. */
export function externalFiles(owner: string, options: OnnxReadOptions): ExternalFiles {
  checkOptions(owner, options, ["externalData"]);
  const { externalData = {} } = options;
  if (typeof externalData !== "function") {
    const wanted = "an object of files' bytes by their names, or a function of a name";
    requireObject(owner, "externalData", ArrayBuffer.isView(externalData) ? undefined : externalData, wanted);
  }
  const give =
    typeof externalData === "function"
      ? externalData
      : (file: string) => (Object.hasOwn(externalData, file) ? externalData[file] : undefined);
  const known = new Map<string, LoadedFile | undefined>();
  return (file) => {
    if (known.has(file)) return known.get(file);
    const bytes = give(file);
    if (bytes !== undefined && !(bytes instanceof Uint8Array)) {
      throw new ValueError(`${owner}: externalData has no bytes for "${file}"; give a Uint8Array of the whole file`);
    }
    const found = bytes && loadedFile(bytes);
    known.set(file, found);
    return found;
  };
}

/** A file beside the model by its bytes. */
export function loadedFile(bytes: Uint8Array): LoadedFile {
  requireObject("loadedFile", "bytes", bytes, "a Uint8Array");
  let digest: string | undefined;
  return {
    bytes,
    size: bytes.length,
    digest() {
      digest ??= sha1(bytes);
      return digest;
    },
  };
}

/** Where a constant's numbers are said to lie. */
export interface ExternalPlace {
  /** The constant for messages. */
  readonly where: string;
  /** Byte of the model at which it begins. */
  readonly at: number;
  /** Entries of its `external_data`. */
  readonly entries: ReadonlyMap<string, string>;
}

/**
 * The file beside the model that a constant names, by its name in the model's folder.
 *
 * @throws FormatError for a file out of that folder, and where none is named
 */
export function externalFileName({ where, at, entries }: ExternalPlace): string {
  const location = entries.get("location") ?? "";
  const parts = location.split(/[/\\]/);
  if (/^([/\\]|[a-z]:)/i.test(location) || parts.includes("..")) {
    throw new FormatError(`${where} is in the file "${location}"; only files in the model's own folder are read`, {
      offset: at,
    });
  }
  const file = parts.filter((part) => part !== "" && part !== ".").join("/");
  if (file !== "") return file;
  throw new FormatError(`${where} is in another file, which is not named; the model is damaged`, { offset: at });
}

/** Where a constant's numbers were found. */
export interface ExternalPart<File> {
  readonly file: File;
  /** First byte in the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/**
 * Finds the numbers of a constant in a file beside the model, and reads none.
 *
 * @param size bytes that its shape needs
 * @throws UnsupportedError for a file that is not there; FormatError for a place that is not in it, or out of the model's
 * folder, or that holds more or less than `size`, and for a file that is not the one whose checksum is given
 */
export function externalPart<File extends ExternalFile>(
  place: ExternalPlace,
  size: number,
  files: ExternalFiles<File>,
): ExternalPart<File> {
  const { where, at, entries } = place;
  const refuse = (what: string) => new FormatError(`${where} ${what}`, { offset: at });
  const number = (name: string): number | undefined => {
    const text = entries.get(name);
    if (text === undefined) return undefined;
    if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
    throw refuse(`has the ${name} "${text}" in another file, which is no whole number; the model is damaged`);
  };
  const name = externalFileName(place);
  const offset = number("offset") ?? 0;
  const length = number("length") ?? size;
  if (length !== size) {
    throw refuse(
      `has ${length} bytes in "${name}" and does not hold as many numbers as its shape needs (${size} bytes)`,
    );
  }
  const file = files(name);
  if (file === undefined) {
    throw new UnsupportedError(
      `${where} is in the file "${name}", which is not there; put it beside the model (in a program, give externalData: { "${name}": bytes }), or save the model with its weights inside`,
    );
  }
  if (offset + length > file.size) {
    throw refuse(
      `has the bytes ${offset} to ${offset + length} of "${name}", which has ${file.size}; that file is truncated or of another model`,
    );
  }
  const checksum = entries.get("checksum");
  if (checksum !== undefined) {
    if (!/^[\da-f]{40}$/i.test(checksum)) {
      throw refuse(
        `has the checksum "${checksum.slice(0, 60)}" of "${name}", which is no SHA-1 digest of 40 hexadecimal digits; save the model without it`,
      );
    }
    if (file.digest() !== checksum.toLowerCase()) {
      throw refuse(
        `is in "${name}", whose SHA-1 digest is ${file.digest()} and not ${checksum.toLowerCase()}; that file is damaged or of another model`,
      );
    }
  }
  return { file, offset, length };
}

/** The bytes of a constant in a file beside the model, a part of that file's memory, with what `externalPart` throws. */
export function externalBytes(place: ExternalPlace, size: number, files: ExternalFiles): Uint8Array {
  const { file, offset, length } = externalPart(place, size, files);
  return file.bytes.subarray(offset, offset + length);
}
