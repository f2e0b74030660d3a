import { exp, log } from "./elementary.js";
import { standardNormal } from "./normal.js";
import type { Source } from "./source.js";

/**
 * Gamma number of unit rate for concentration >= 1: Marsaglia and Tsang, "A simple method for generating gamma
 * variables", ACM Trans. Math. Softw. 26 (2000).
 */
function gammaAboveOne(source: Source, concentration: number): number {
  const d = concentration - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = standardNormal(source);
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    const u = source.openUniform();
    const square = x * x;
    if (u < 1 - 0.0331 * square * square) return d * v;
    if (log(u) < 0.5 * square + d * (1 - v + log(v))) return d * v;
  }
}

/** Gamma number of unit rate; underflows to 0 for tiny concentrations, where `logGamma` does not. */
export function standardGamma(source: Source, concentration: number): number {
  if (concentration >= 1) return gammaAboveOne(source, concentration);
  return exp(logGamma(source, concentration));
}

/** Logarithm of a gamma number: below concentration 1, G(a) = G(a + 1) U^(1/a). */
export function logGamma(source: Source, concentration: number): number {
  if (concentration >= 1) return log(gammaAboveOne(source, concentration));
  return log(gammaAboveOne(source, concentration + 1)) - source.exponential() / concentration;
}

/** Beta number a / (a + b) of two gamma numbers, by logarithms so that tiny parameters give no 0 / 0. */
export function beta(source: Source, a: number, b: number): number {
  if (a >= 1 && b >= 1) {
    const x = gammaAboveOne(source, a);
    return x / (x + gammaAboveOne(source, b));
  }
  const x = logGamma(source, a);
  return 1 / (1 + exp(logGamma(source, b) - x));
}

/** Student t number: a normal over the root of a chi-square by its degrees of freedom. */
export function studentT(source: Source, degrees: number): number {
  const z = standardNormal(source);
  if (degrees === Infinity) return z;
  const half = degrees / 2;
  if (half >= 1) return z * Math.sqrt(half / gammaAboveOne(source, half));
  return z * exp(0.5 * (log(half) - logGamma(source, half)));
}

/** Fills `out` with a point of the simplex; `concentration` has its length. */
export function dirichlet(source: Source, concentration: ArrayLike<number>, offset: number, out: Float64Array): void {
  let largest = -Infinity;
  for (let k = 0; k < out.length; k++) {
    out[k] = logGamma(source, concentration[offset + k]);
    if (out[k] > largest) largest = out[k];
  }
  let total = 0;
  for (let k = 0; k < out.length; k++) total += out[k] = exp(out[k] - largest);
  for (let k = 0; k < out.length; k++) out[k] /= total;
}
