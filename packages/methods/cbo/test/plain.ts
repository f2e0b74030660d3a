import { jitSync, tensor } from "@offprint/tensor-core";
import type { Landscape } from "../claims/landscapes.js";

/** A landscape as a function of one particle in plain numbers. */
export function plain({ objective }: Pick<Landscape, "objective">): (v: ArrayLike<number>) => number {
  const compiled = jitSync(objective);
  return (v) => compiled(tensor(Float64Array.from(v), { shape: [1, v.length] })).item();
}
