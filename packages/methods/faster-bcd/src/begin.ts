import { ShapeError, type TensorLike, ValueError } from "@offprint/tensor-core";
import type { BlockObjective } from "./block-objective.js";
import { keptVector } from "./memory.js";
import { vectorOf } from "./numbers.js";
import { numbersFrom } from "./objectives/callback-state.js";
import type { BcdPoint } from "./options.js";
import type { Separable } from "./separable.js";

/** The point where a run begins: a saved one, the user's, or the one nearest to 0 inside the bounds. */
export function firstPoint(
  { n }: BlockObjective,
  separable: Separable,
  initial: TensorLike | undefined,
  from: BcdPoint | undefined,
): Float64Array {
  const x = from
    ? keptVector({ x: from.x }, "x", n)
    : initial === undefined
      ? undefined
      : vectorOf("bcd", "initial", initial);
  if (x === undefined) {
    const { lower, upper } = separable;
    const nearest = new Float64Array(n);
    for (let i = 0; i < n; i++) nearest[i] = Math.min(upper[i], Math.max(lower[i], 0));
    return nearest;
  }
  if (x.length !== n) throw new ShapeError(`bcd: initial has ${x.length} values for ${n} variables`);
  separable.requireInside("bcd", from ? "resume.x" : "initial", x);
  return x;
}

/** `[n]` which estimates are a first guess: saved ones are negative there. */
export function firstGuesses({ n }: BlockObjective, from: BcdPoint | undefined): Uint8Array {
  return from?.lipschitz ? Uint8Array.from(from.lipschitz, (L) => (L < 0 ? 1 : 0)) : new Uint8Array(n).fill(1);
}

/** `[n]` L_i, positive; of estimates the saved ones, or ones. */
export function firstConstants(
  objective: BlockObjective,
  estimated: boolean,
  from: BcdPoint | undefined,
): Float64Array {
  const { n } = objective;
  if (estimated) {
    if (from === undefined) return new Float64Array(n).fill(1);
    const kept = keptVector({ lipschitz: from.lipschitz }, "lipschitz", n).map(Math.abs);
    const bad = kept.findIndex((L) => !(L > 0 && L < Infinity));
    if (bad < 0) return kept;
    throw new ValueError(`bcd: resume.lipschitz holds ${kept[bad]} at ${bad}; give the \`state\` of an earlier run`);
  }
  const given = objective.lipschitz ?? Array.from({ length: n }, (_, i) => objective.blockBound?.(Int32Array.of(i))[0]);
  const L = numbersFrom("lipschitz", given as ArrayLike<number>, n);
  const bad = L.findIndex((v) => v < 0);
  if (bad >= 0) {
    throw new ValueError(`bcd: problem.smooth.lipschitz holds ${L[bad]} at ${bad}; Lipschitz constants are >= 0`);
  }
  // Variables that f does not depend on: a little curvature, so that nothing is divided by zero.
  const floor = 1e-12 * (L.reduce((most, v) => Math.max(most, v), 0) || 1);
  return L.map((v) => Math.max(v, floor));
}
