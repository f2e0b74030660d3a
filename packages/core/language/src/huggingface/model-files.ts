import { FormatError, requireObject, requireText, ValueError } from "@offprint/tensor-core";
import type { Awaitable } from "../model.js";

/** The files of a model: in Node those of a folder (`modelFolder` of `./node`), in a page those below an address. */
export interface ModelFiles {
  /** For messages: the folder or address. */
  readonly name: string;
  /** Content of a file, or undefined where there is none. */
  read(file: string): Awaitable<Uint8Array | undefined>;
  /** What a loader of models opens in place of the bytes, so that it finds weights in files beside. */
  locate?(file: string): string;
}

/** Files below an address, for pages. */
export function modelAddress(address: string): ModelFiles {
  requireText("modelAddress", "address", address);
  const base = address.endsWith("/") ? address : `${address}/`;
  return {
    name: address,
    async read(file) {
      const response = await fetch(base + file);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new ValueError(`modelAddress: ${base}${file} answered ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    locate: (file) => base + file,
  };
}

/** The first of some files that is there. */
export async function firstFile(
  files: ModelFiles,
  names: readonly string[],
): Promise<{ name: string; bytes: Uint8Array } | undefined> {
  requireObject("firstFile", "files", files, "ModelFiles");
  requireObject("firstFile", "names", names, "an array of texts");
  for (const name of names) {
    const bytes = await files.read(name);
    if (bytes !== undefined) return { name, bytes };
  }
  return undefined;
}

/** A JSON file as an object. @throws ValueError where it is missing; FormatError where it is no JSON object. */
export async function readJson(files: ModelFiles, file: string): Promise<Record<string, unknown>> {
  requireObject("readJson", "files", files, "ModelFiles");
  const bytes = await files.read(file);
  if (bytes === undefined) throw new ValueError(`${files.name} has no ${file}; give the folder of an exported model`);
  let content: unknown;
  try {
    content = JSON.parse(withoutNonFinite(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new FormatError(`${files.name}: ${file} is not JSON (${(cause as Error).message})`, { cause });
  }
  if (typeof content === "object" && content !== null && !Array.isArray(content)) {
    return content as Record<string, unknown>;
  }
  throw new FormatError(`${files.name}: ${file} is not a JSON object`);
}

/** Python writes numbers that are not finite as words, which JSON has not: null instead. */
function withoutNonFinite(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (token) => (token.startsWith('"') ? token : "null"));
}

/** The first of some fields that is an integer of at least 1. */
export function countIn(config: Readonly<Record<string, unknown>>, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = config[name];
    if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
  }
  return undefined;
}
