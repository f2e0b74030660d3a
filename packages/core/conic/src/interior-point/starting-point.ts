import type { Parts } from "@offprint/solvers";
import type { ScaledProblem } from "../equilibration.js";
import type { KktSystem } from "./kkt-system.js";
import type { ProductScaling } from "./product-scaling.js";

/** @internal A point of the embedding: x `[n]`, y and s `[m]`, tau and kappa. */
export interface EmbeddedPoint {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly s: Float64Array;
  readonly tau: number;
  readonly kappa: number;
}

/** @internal The middle of the cones, for as long as nothing is known. */
export function trivialPoint({ n, m }: ScaledProblem, scaling: ProductScaling): EmbeddedPoint {
  const [x, y, s] = [new Float64Array(n), new Float64Array(m), new Float64Array(m)];
  scaling.addIdentity(1, y);
  scaling.addIdentity(1, s);
  return { x, y, s, tau: 1, kappa: 1 };
}

/**
 * @internal The point from which the method starts: least-squares solutions of the equations, moved into the cones
 * (Vandenberghe 2010, section 5.3). The scaling is still the identity.
 */
export function* startingPoint(
  { n, m, P, b, c, blocks }: ScaledProblem,
  kkt: KktSystem,
  scaling: ProductScaling,
): Parts<EmbeddedPoint> {
  const x = new Float64Array(n);
  const y = new Float64Array(m);
  const s = new Float64Array(m);
  const scaled = new Float64Array(m);
  const negative = c.map((value) => -value);
  if (P !== undefined) {
    yield* kkt.solving(negative, b, x, y, scaled);
    for (let i = 0; i < m; i++) s[i] = -y[i];
  } else {
    yield* kkt.solving(new Float64Array(n), b, x, s, scaled);
    for (let i = 0; i < m; i++) s[i] = -s[i];
    yield* kkt.solving(negative, new Float64Array(m), new Float64Array(n), y, scaled);
  }
  if (blocks[0]?.kind === "zero") s.fill(0, 0, blocks[0].length);
  yield* moveInside(s, scaling);
  yield* moveInside(y, scaling);
  return { x, y, s, tau: 1, kappa: 1 };
}

/** Adds a multiple of e to a point that is not well inside the cone. */
function* moveInside(v: Float64Array, scaling: ProductScaling): Parts<void> {
  if (scaling.degree === 0) return;
  let squares = 0;
  for (let i = 0; i < v.length; i++) squares += v[i] * v[i];
  let distance = -Infinity;
  yield* scaling.each((cone) => {
    distance = Math.max(distance, cone.distanceToCone(v));
  });
  if (distance > -1e-8 * Math.max(1, Math.sqrt(squares))) scaling.addIdentity(1 + distance, v);
}
