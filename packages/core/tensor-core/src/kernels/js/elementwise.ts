import type { FloatArray } from "../arrays.js";
import type { BinaryName } from "../binary.js";
import type { MapName } from "../map.js";

function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}

const functions: Record<MapName, (x: number) => number> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid,
  sin: Math.sin,
  cos: Math.cos,
  sqrt: Math.sqrt,
};

/** out[i] = f(x[i]) in plain JavaScript. */
export function jsMap(name: MapName, x: FloatArray, out: FloatArray): void {
  const f = functions[name];
  for (let i = 0; i < x.length; i++) out[i] = f(x[i]!);
}

/** out[i] = a[i] op b[i] in plain JavaScript; either operand may be a number. */
export function jsBinary(name: BinaryName, a: FloatArray | number, b: FloatArray | number, out: FloatArray): void {
  const n = out.length;
  const left = typeof a === "number" ? [a] : a;
  const right = typeof b === "number" ? [b] : b;
  const stepA = typeof a === "number" ? 0 : 1;
  const stepB = typeof b === "number" ? 0 : 1;
  if (name === "add") for (let i = 0; i < n; i++) out[i] = left[i * stepA]! + right[i * stepB]!;
  else if (name === "subtract") for (let i = 0; i < n; i++) out[i] = left[i * stepA]! - right[i * stepB]!;
  else if (name === "multiply") for (let i = 0; i < n; i++) out[i] = left[i * stepA]! * right[i * stepB]!;
  else for (let i = 0; i < n; i++) out[i] = left[i * stepA]! / right[i * stepB]!;
}
