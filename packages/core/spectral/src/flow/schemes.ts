import { add, div, mul, requireObject, sub, type TensorLike } from "@offprint/tensor-core";
import { type Complex, mapParts, plus, scale } from "../complex.js";
import type { StiffSystem } from "./system.js";

/** A step of a {@link StiffSystem} whose linear part is implicit and whose nonlinear part is explicit. */
export interface Scheme {
  /** Order of accuracy. */
  readonly order: number;
  /** The coefficients after a time step `dt`; pure and traceable. */
  step(system: StiffSystem, state: Complex, dt: TensorLike): Complex;
}

/** (1 + h L) x. */
function explicitHalf(system: StiffSystem, x: Complex, h: TensorLike): Complex {
  return scale(x, add(1, mul(system.linear, h)));
}

/** x / (1 - h L). */
function implicitHalf(system: StiffSystem, x: Complex, h: TensorLike): Complex {
  const denominator = sub(1, mul(system.linear, h));
  return mapParts(x, (part) => div(part, denominator));
}

/** Euler for the nonlinear part, Crank-Nicolson for the linear one: order 1. */
const imex1: Scheme = {
  order: 1,
  step(system, w, dt) {
    const half = mul(dt, 0.5);
    const rate = system.nonlinear(w);
    return implicitHalf(system, plus(explicitHalf(system, w, half), scale(rate, dt)), half);
  },
};

/** Heun for the nonlinear part, Crank-Nicolson for the linear one: order 2. */
const imex2: Scheme = {
  order: 2,
  step(system, w, dt) {
    const half = mul(dt, 0.5);
    const known = explicitHalf(system, w, half);
    const rate = system.nonlinear(w);
    const first = implicitHalf(system, plus(known, scale(rate, dt)), half);
    return implicitHalf(system, plus(known, scale(plus(system.nonlinear(first), rate), half)), half);
  },
};

/** Numbers of a low-storage Runge-Kutta method: times A of the stages, and the factors B and G of each. */
export interface LowStorageTableau {
  /** Times of the stages, 0 first and 1 last. */
  readonly A: readonly number[];
  /** How much of the rate before is kept. */
  readonly B: readonly number[];
  /** How far the rate is followed. */
  readonly G: readonly number[];
}

/** Five stages, order 4 without the linear part (Carpenter and Kennedy, NASA TM-109112, 1994). */
export const carpenterKennedy: LowStorageTableau = {
  A: [0, 0.1496590219993, 0.3704009573644, 0.6222557631345, 0.9582821306748, 1],
  B: [0, -0.4178904745, -1.192151694643, -1.697784692471, -1.514183444257],
  G: [0.1496590219993, 0.3792103129999, 0.8229550293869, 0.6994504559488, 0.1530572479681],
};

/** A low-storage Runge-Kutta method with Crank-Nicolson for the linear part: order 2 because of that. */
export function lowStorageScheme(lowStorageTableau: LowStorageTableau): Scheme {
  requireObject("lowStorageScheme", "lowStorageTableau", lowStorageTableau, "a LowStorageTableau");
  const { A, B, G } = lowStorageTableau;
  return {
    order: 2,
    step(system, state, dt) {
      let w = state;
      let h = system.nonlinear(w);
      for (let k = 0; k < G.length; k++) {
        if (k > 0) h = plus(system.nonlinear(w), scale(h, B[k]));
        const mu = mul(dt, 0.5 * (A[k + 1] - A[k]));
        const known = plus(explicitHalf(system, w, mu), scale(h, mul(dt, G[k])));
        w = implicitHalf(system, known, mu);
      }
      return w;
    },
  };
}

/** Names of the schemes. */
export type SchemeName = "imex1" | "imex2" | "rk4";

/** The schemes by name; `rk4` is {@link carpenterKennedy} with Crank-Nicolson. */
export const schemes: Readonly<Record<SchemeName, Scheme>> = {
  imex1,
  imex2,
  rk4: lowStorageScheme(carpenterKennedy),
};
