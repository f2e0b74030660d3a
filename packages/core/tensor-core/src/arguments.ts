import type { Backend } from "./compile/backend.js";
import { ShapeError, ValueError } from "./errors.js";
import type { Shape } from "./shape.js";
import { isTensor } from "./tensor.js";

/** @internal What {@link called} calls an object that is none of the others. */
export const AN_OBJECT = "an object";

/** @internal What a message calls an argument: its kind, or the value where it is a number or a text. */
export function called(value: unknown): string {
  if (isTensor(value)) return "a tensor";
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (ArrayBuffer.isView(value)) return "a typed array";
  return typeof value === "object" && value !== null ? AN_OBJECT : String(value);
}

function complain(owner: string, name: string, value: unknown, wanted: string): never {
  throw new ValueError(`${owner}: ${name} is ${called(value)}; give ${wanted}`);
}

/**
 * Throws unless an argument is a function, as callers without types may leave it out.
 * @param owner The function whose argument it is, as messages begin.
 * @param name What the argument is called.
 * @throws ValueError that names all three and says what to give.
 */
export function requireFunction(owner: string, name: string, value: unknown): void {
  if (typeof value !== "function") complain(owner, name, value, "a function");
}

/**
 * Throws unless an argument is an object: an array, a tensor or one of a package's own.
 * @param wanted What it must be, as messages end: `"a Graph"`.
 * @throws ValueError like {@link requireFunction}.
 * @example requireObject("subgraph", "graph", graph, "a Graph")
 */
export function requireObject(owner: string, name: string, value: unknown, wanted: string): void {
  if (typeof value !== "object" || value === null) complain(owner, name, value, wanted);
}

/** Throws unless an argument is a text. @throws ValueError like {@link requireFunction}. */
export function requireText(owner: string, name: string, value: unknown): void {
  if (typeof value !== "string") complain(owner, name, value, "a text");
}

/** Throws unless an argument is an array; `wanted` says of what. */
export function requireArray(owner: string, value: unknown, wanted: string): void {
  if (!Array.isArray(value)) throw new ValueError(`${owner}: ${called(value)} given; give an array of ${wanted}`);
}

/** Throws unless an argument can be a shape. */
export function requireShape(owner: string, shape: Shape | undefined): void {
  if (!Array.isArray(shape))
    throw new ShapeError(`${owner}: the shape is ${called(shape)}; give an array of extents such as [2, 3]`);
}

/**
 * Throws unless a seed can be one, or is left out: made part of a text, an object would be the same seed as every other.
 * {@link checkOptions} does so for options named `seed`.
 * @throws ValueError that names the function and the seed.
 */
export function requireSeed(owner: string, seed: unknown): void {
  if (seed === undefined || typeof seed === "string" || Number.isFinite(seed)) return;
  complain(owner, "seed", seed, "a finite number or a text");
}

/** @internal Throws unless `backend` compiles graphs. */
export function requireBackend(owner: string, name: string, backend: unknown): void {
  if (typeof (backend as Partial<Backend> | null | undefined)?.compile === "function") return;
  complain(owner, name, backend, "hostBackend or await onnxRuntime()");
}
