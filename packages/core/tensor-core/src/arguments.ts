import { ShapeError, ValueError } from "./errors.js";
import type { Shape } from "./shape.js";
import { isTensor } from "./tensor.js";

function called(value: unknown): string {
  if (isTensor(value)) return "a tensor";
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Throws unless an argument is a function. */
export function requireFunction(owner: string, value: unknown, name = "the first argument"): void {
  if (typeof value !== "function") throw new ValueError(`${owner}: ${name} is ${called(value)}; give a function`);
}

/** Throws unless an argument is an array; `wanted` says of what. */
export function requireArray(owner: string, value: unknown, wanted: string): void {
  if (!Array.isArray(value)) throw new ValueError(`${owner}: ${called(value)} given; give an array of ${wanted}`);
}

/** Throws unless an argument can be a shape. */
export function requireShape(owner: string, shape: Shape | undefined): void {
  if (!Array.isArray(shape)) throw new ShapeError(`${owner}: the shape is ${called(shape)}; give an array of extents`);
}
