import { FormatError } from "@offprint/tensor-core";

/** The bytes of a mesh file that was given as text or bytes. */
export function meshBytes(owner: string, file: string | Uint8Array): Uint8Array {
  if (typeof file === "string") return new TextEncoder().encode(file);
  if (file instanceof Uint8Array) return file;
  throw new FormatError(`${owner}: the file must be given as text or as a Uint8Array of its bytes`);
}

/** The text of a mesh file that was given as text or bytes. */
export function meshText(owner: string, file: string | Uint8Array): string {
  return typeof file === "string" ? file : new TextDecoder().decode(meshBytes(owner, file));
}
