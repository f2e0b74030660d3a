import { ValueError } from "@offprint/tensor-core";
import { norm } from "./vector-arithmetic.js";

/** Residuals of recurrences differ from true ones by rounding; those of another b by more. */
const DRIFT = 1e-3;

/** @internal @throws ValueError where an iterate and its residual are not those of this system. */
export function requireSameSystem(
  owner: string,
  x: Float64Array,
  residual: Float64Array,
  n: number,
  residualAt: (x: Float64Array) => Float64Array,
): void {
  if (!(x instanceof Float64Array && x.length === n && residual instanceof Float64Array && residual.length === n)) {
    throw new ValueError(`${owner}: resume is a state of another system; give one of ${n} unknowns`);
  }
  const present = residualAt(x);
  const first = norm(residualAt(new Float64Array(n)));
  if (norm(present.map((v, i) => v - residual[i])) <= DRIFT * (first + norm(present) + norm(x))) return;
  throw new ValueError(`${owner}: resume is a state of another system; give the A and b of the earlier run`);
}
