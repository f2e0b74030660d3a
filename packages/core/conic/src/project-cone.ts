import { requireObject, ShapeError, ValueError } from "@offprint/tensor-core";
import { type ConeBlock, type Cones, coneBlocks, rowCount } from "./cones.js";
import { SemidefiniteProjection } from "./semidefinite-projection.js";

/** @internal Euclidean projection onto the dual cone K*, in which the rows of the zero cone are free. */
export class DualConeProjection {
  private readonly semidefinite: SemidefiniteProjection;

  constructor(private readonly blocks: readonly ConeBlock[]) {
    this.semidefinite = new SemidefiniteProjection(blocks);
  }

  /** Replaces `v` by its projection. */
  project(v: Float64Array): void {
    for (const { kind, start, length } of this.blocks) {
      if (kind === "nonnegative") {
        for (let i = start; i < start + length; i++) if (v[i] < 0) v[i] = 0;
      } else if (kind === "secondOrder") projectSecondOrder(v, start, length);
    }
    this.semidefinite.project(v);
  }
}

function projectSecondOrder(v: Float64Array, start: number, length: number): void {
  const t = v[start];
  const norm = normOf(v, start + 1, start + length);
  if (norm <= t) return;
  if (norm <= -t) {
    v.fill(0, start, start + length);
    return;
  }
  const k = t / 2 + norm / 2;
  v[start] = k;
  for (let i = start + 1; i < start + length; i++) v[i] *= k / norm;
}

/** The Euclidean norm of some entries, where their squares leave the range of numbers, too. */
function normOf(v: Float64Array, from: number, to: number): number {
  let squares = 0;
  for (let i = from; i < to; i++) squares += v[i] * v[i];
  if (squares > 1e-280 && squares < Number.POSITIVE_INFINITY) return Math.sqrt(squares);
  let largest = 0;
  for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(v[i]));
  if (largest === 0) return 0;
  squares = 0;
  for (let i = from; i < to; i++) squares += (v[i] / largest) ** 2;
  return largest * Math.sqrt(squares);
}

/**
 * Euclidean projection of `v` onto the cone K (the rows of the zero cone become 0).
 *
 * @param v `[m]`, rows as in `cones`
 * @throws ShapeError or ValueError where the length does not fit or a value is not finite
 */
export function projectCone(v: ArrayLike<number>, cones: Cones): Float64Array {
  requireObject("projectCone", "v", v, "an array of numbers");
  requireObject("projectCone", "cones", cones, "Cones");
  const blocks = coneBlocks(cones);
  const out = Float64Array.from(v);
  if (out.length !== rowCount(blocks)) {
    throw new ShapeError(`projectCone: the cones have ${rowCount(blocks)} rows, v has ${out.length}`);
  }
  for (let i = 0; i < out.length; i++) {
    if (!Number.isFinite(out[i])) throw new ValueError(`projectCone: v[${i}] is ${out[i]}; it must be finite`);
  }
  new DualConeProjection(blocks).project(out);
  for (const { kind, start, length } of blocks) if (kind === "zero") out.fill(0, start, start + length);
  return out;
}
