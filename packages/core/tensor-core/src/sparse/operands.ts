import { ShapeError, ValueError } from "../errors.js";

function called(value: unknown): string {
  if (value === null || typeof value !== "object") return typeof value === "string" ? `"${value}"` : String(value);
  return Array.isArray(value) || ArrayBuffer.isView(value) ? "an array" : "another object";
}

/** Throws unless every value is a sparse matrix. */
export function requireSparse(owner: string, ...values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof value === "object" && value !== null && "format" in value && "rows" in value) continue;
    throw new ValueError(
      `sparse.${owner}: ${called(value)} is no sparse matrix; make one with sparse.fromDense or sparse.fromTriplets`,
    );
  }
}

/** Throws unless a value is a list of what is `wanted`: numbers, or matrices. */
export function requireList(owner: string, value: unknown, wanted: string): void {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return;
  throw new ShapeError(`sparse.${owner}: ${called(value)} given; give an array of ${wanted}`);
}
