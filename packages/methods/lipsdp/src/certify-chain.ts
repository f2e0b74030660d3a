import { inOneGo, type Parts } from "@offprint/solvers";
import { feasible, rootTimes } from "./box-weights.js";
import { type Certificate, claimedBound } from "./certificate.js";
import { eliminatedLayer } from "./eliminated-layer.js";
import type { Chain } from "./feed-forward.js";
import { assembled, type LayerInequality } from "./layer-inequality.js";
import {
  absolute,
  choleskyFactor,
  forwardSolve,
  identity,
  isFiniteMatrix,
  largestEigenvalue,
  largestRelative,
  type Matrix,
  matrix,
  multiplyTransposed,
  multiplyTransposedVector,
  multiplyVector,
  smallestEigenvalue,
  symmetrized,
} from "./matrix.js";
import type { NeuronGroup } from "./neuron-group.js";
import { provePositive, ROUNDOFF } from "./positive-proof.js";
import type { Multipliers } from "./quadratic-constraint.js";
import { stackedLayer } from "./stacked-layer.js";

/*
 * Certificates of feed-forward networks, layer by layer. With storage matrices Q_0 = rho I (or diag mu), ..., Q_{l-1} the
 * matrix inequality of the whole network follows from a small one per layer (see LayerInequality) and
 * Q_{l-1} >= W_l^T W_l (or W_l^T diag(delta)^-1 W_l), as their sum over the layers telescopes. The least storages are
 * found backwards by Schur complements.
 */

/** @internal How multipliers are repaired before the storages are computed. */
export interface Repair {
  /** Part of the mean of lambda in a layer that is added to each lambda. */
  readonly shift: number;
  /** Relative room that is left above the storages. */
  readonly room: number;
}

function layerMultipliers({ groups, offsets }: Chain, m: Multipliers, layer: number): Multipliers {
  const [from, to] = [offsets[layer], offsets[layer] + groups[layer].length];
  const cut = (x: Float64Array): Float64Array => x.slice(from, to);
  return { lambda: cut(m.lambda), gamma: cut(m.gamma), nu: cut(m.nu), tau: cut(m.tau) };
}

function inequalityOf(chain: Chain, m: Multipliers, layer: number, eliminated: boolean): LayerInequality {
  const make = eliminated ? eliminatedLayer : stackedLayer;
  return make(chain.weights[layer], chain.groups[layer], layerMultipliers(chain, m, layer));
}

/** lambda >= 0, a small shift, and -M22 >= 0. */
function clipped(groups: readonly NeuronGroup[], m: Multipliers, shift: number): Multipliers {
  const lambda = m.lambda.map((value) => Math.max(value, 0));
  const mean = lambda.reduce((sum, value) => sum + value, 0) / Math.max(1, lambda.length);
  for (let g = 0; g < lambda.length; g++) lambda[g] += shift * mean;
  const gamma = m.gamma.slice();
  for (const [g, { kind, size }] of groups.entries()) {
    if (kind === "slope") continue;
    // -M22 = lambda I + (gamma + 2 nu) J, and the largest eigenvalue of J is the group size or 1.
    const least = -(lambda[g] - (shift * mean) / 2) / (kind === "sort" ? size : 1);
    gamma[g] += Math.max(0, least - (gamma[g] + 2 * m.nu[g]));
  }
  return { lambda, gamma, nu: m.nu, tau: m.tau };
}

/** own + cross^T corner^-1 cross, or nothing where a corner that is needed is not positive definite. */
function stepBack(inequality: LayerInequality, Q: Matrix): Matrix | undefined {
  const own = inequality.own(Q);
  if (!inequality.crossed) return own;
  const L = choleskyFactor(inequality.corner(Q));
  if (L === undefined) return undefined;
  const Y = forwardSolve(L, inequality.cross(Q));
  const passed = multiplyTransposed(Y, Y);
  return symmetrized(
    matrix(
      own.rows,
      own.rows,
      own.values.map((value, k) => value + passed.values[k]),
    ),
  );
}

/** V_{l-1}: W^T W, or W^T diag(delta)^-1 W. */
function lastStorage(W: Matrix, delta: Float64Array | undefined): Matrix {
  if (delta === undefined) return symmetrized(multiplyTransposed(W, W));
  const weighted = matrix(
    W.rows,
    W.columns,
    W.values.map((value, k) => value / delta[Math.floor(k / W.columns)]),
  );
  return symmetrized(multiplyTransposed(W, weighted));
}

/**
 * @internal Repairs multipliers into a certificate: every layer's multipliers are scaled so that they stay above the
 * storage that comes from behind. Nothing where that fails. The result is right up to rounding; `proveChain` decides.
 */
export function* repairChain(
  chain: Chain,
  raw: Omit<Certificate, "rho">,
  repair: Repair,
): Parts<Certificate | undefined> {
  const repaired = yield* repairMultipliers(chain, raw, repair);
  if (repaired === undefined) return undefined;
  const { multipliers, delta, storage } = repaired;
  const { norm, eliminated = false } = raw;
  const shared = { norm, multipliers, ...(eliminated ? { eliminated } : {}) };
  if (delta === undefined) return { ...shared, rho: Math.max(0, largestEigenvalue(storage)) };
  return { ...shared, mu: feasible(rootTimes(storage, chain.weights[0]), raw.mu as Float64Array), delta };
}

/**
 * @internal The multipliers of a certificate and the storage on the input, or nothing where a storage is not positive or
 * overflows; from a box it is S, for which W_1^T S W_1 is
 * that storage, as the weights of the inputs can still be chosen.
 */
export function* repairMultipliers(
  chain: Chain,
  raw: Omit<Certificate, "rho">,
  repair: Repair,
): Parts<{ multipliers: Multipliers; delta: Float64Array | undefined; storage: Matrix } | undefined> {
  const { weights, groups, offsets } = chain;
  const { eliminated = false } = raw;
  const last = weights.length - 1;
  const delta = raw.delta === undefined ? undefined : positive(raw.delta, repair.shift);
  const { lambda, gamma, nu, tau } = raw.multipliers;
  const out: Multipliers = { lambda: lambda.slice(), gamma: gamma.slice(), nu: nu.slice(), tau: tau.slice() };
  let V = lastStorage(weights[last], delta);
  let scale = 1;
  for (let layer = last - 1; layer >= 0; layer--) {
    yield;
    const own = clipped(groups[layer], layerMultipliers(chain, raw.multipliers, layer), repair.shift);
    const place = (factor: number): void => {
      for (const key of ["lambda", "gamma", "nu", "tau"] as const) {
        for (let g = 0; g < own[key].length; g++) out[key][offsets[layer] + g] = own[key][g] * factor;
      }
    };
    place(1);
    const unscaled = inequalityOf(chain, out, layer, eliminated);
    const L = choleskyFactor(unscaled.corner(matrix(V.rows, V.rows)));
    if (L === undefined) return undefined;
    const needed = largestRelative(unscaled.free(V), L);
    // Without a cross term the least scale is the best; with one, a scale that falls behind the next layer's is loose.
    scale = (unscaled.crossed ? Math.max(needed, scale) : needed) * (1 + repair.room);
    if (!(scale > 0) || !Number.isFinite(scale)) return undefined;
    place(scale);
    const inner = layer === 0 && delta !== undefined ? withIdentity(chain) : chain;
    const next = stepBack(inequalityOf(inner, out, layer, eliminated), V);
    if (next === undefined) return undefined;
    V = next;
  }
  if (!isFiniteMatrix(V)) return undefined;
  return { multipliers: out, delta, storage: last === 0 && delta !== undefined ? inverseDiagonal(delta) : V };
}

/** The chain with an identity for its first weight. */
function withIdentity(chain: Chain): Chain {
  return { ...chain, weights: [identity(chain.weights[0].rows), ...chain.weights.slice(1)] };
}

function inverseDiagonal(delta: Float64Array): Matrix {
  const n = delta.length;
  const out = matrix(n, n);
  for (let i = 0; i < n; i++) out.values[i * (n + 1)] = 1 / delta[i];
  return out;
}

function positive(x: Float64Array, shift: number): Float64Array {
  const clippedValues = x.map((value) => Math.max(value, 0));
  const mean = clippedValues.reduce((sum, value) => sum + value, 0) / x.length;
  return clippedValues.map((value) => value + shift * mean);
}

/** @internal The inequalities that make up a proof, as far as they were looked at. */
export interface ChainProof {
  readonly proved: boolean;
  readonly inequalities: readonly Matrix[];
}

/**
 * @internal Whether a certificate holds for every rounding error: storages that are `slack` (relatively) above the Schur
 * complements are computed, and every inequality is proved by `provePositive`.
 */
export function* proveChain(chain: Chain, certificate: Certificate, slack: number): Parts<ChainProof> {
  const { weights } = chain;
  const { multipliers, delta, eliminated = false } = certificate;
  const last = weights.length - 1;
  const inequalities: Matrix[] = [];
  const failed = (): ChainProof => ({ proved: false, inequalities });
  if (!multipliers.lambda.every((value) => value >= 0)) return failed();
  const check = (X: Matrix, errorTimes: (s: Float64Array) => Float64Array): boolean => {
    inequalities.push(X);
    return provePositive(X, errorTimes);
  };
  let inequality: LayerInequality | undefined;
  // Without a cross term -M22 itself is the best storage; else one a little above the Schur complement.
  const storageBefore = (layer: number, needed: Matrix): Matrix => {
    if (layer === 0) return inputForm(certificate, needed.rows);
    inequality = inequalityOf(chain, multipliers, layer - 1, eliminated);
    return inequality.crossed ? raised(needed, slack) : inequality.natural();
  };
  const V = lastStorage(weights[last], delta);
  let Q = storageBefore(last, V);
  if (!check(difference(Q, V), lastError(weights[last], delta, Q))) return failed();
  for (let layer = last - 1; layer >= 0; layer--) {
    yield;
    const own = inequality as LayerInequality;
    const needed = stepBack(own, Q);
    if (needed === undefined) return failed();
    const before = storageBefore(layer, needed);
    const after = Q;
    if (!check(assembled(own, before, after), (s) => own.errorTimes(before, after, s))) return failed();
    Q = before;
  }
  return { proved: true, inequalities };
}

function inputForm({ rho, mu }: Certificate, n: number): Matrix {
  const Q = matrix(n, n);
  for (let i = 0; i < n; i++) Q.values[i * (n + 1)] = mu === undefined ? (rho as number) : mu[i];
  return Q;
}

function raised(V: Matrix, slack: number): Matrix {
  const n = V.rows;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += Math.max(0, V.values[i * (n + 1)]);
  const Q = matrix(
    n,
    n,
    V.values.map((value) => value * (1 + slack)),
  );
  for (let i = 0; i < n; i++) Q.values[i * (n + 1)] += (slack * trace) / n;
  return Q;
}

function difference(a: Matrix, b: Matrix): Matrix {
  return matrix(
    a.rows,
    a.columns,
    a.values.map((value, k) => value - b.values[k]),
  );
}

function lastError(W: Matrix, delta: Float64Array | undefined, Q: Matrix): (s: Float64Array) => Float64Array {
  const magnitudes = absolute(W);
  const absQ = absolute(Q);
  const rounding = 2 * (W.rows + 24) * ROUNDOFF;
  return (s) => {
    const outputs = multiplyVector(magnitudes, s);
    if (delta !== undefined) for (let i = 0; i < outputs.length; i++) outputs[i] /= delta[i];
    const own = multiplyTransposedVector(magnitudes, outputs);
    const storage = multiplyVector(absQ, s);
    return own.map((value, i) => rounding * (value + storage[i]));
  };
}

/** Slacks of the storages that are tried until a proof succeeds. */
const SLACKS = [1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3];

/** @internal The certificate with its gain raised until it is proved, if that stays below a limit. */
export function* provenChain(chain: Chain, certificate: Certificate, limit: number): Parts<Certificate | undefined> {
  const layers = chain.weights.length;
  for (const slack of SLACKS) {
    // A slack in every storage adds up over the layers, and corners that are nearly singular amplify it.
    for (const extra of [1, layers, 10 * layers, 100 * layers]) {
      const factor = 1 + slack * extra;
      const { rho, mu } = certificate;
      const gain = mu === undefined ? { rho: (rho as number) * factor } : { mu: mu.map((value) => value * factor) };
      const candidate: Certificate = { ...certificate, ...gain };
      if (claimedBound(candidate) >= limit) break;
      if ((yield* proveChain(chain, candidate, slack)).proved) return candidate;
    }
  }
  return undefined;
}

/** @internal For third parties: tries storages of growing slack for the gain as it stands. */
export function checkChain(chain: Chain, certificate: Certificate): { proved: boolean; minEigenvalue: number } {
  let proof: ChainProof = { proved: false, inequalities: [] };
  for (const slack of SLACKS) {
    proof = inOneGo(proveChain(chain, certificate, slack));
    if (proof.proved) break;
  }
  return { proved: proof.proved, minEigenvalue: Math.min(...proof.inequalities.map(scaledSmallest)) };
}

/** @internal Smallest eigenvalue of a symmetric matrix scaled to unit diagonal, to rounding. */
export function scaledSmallest(X: Matrix): number {
  const n = X.rows;
  const roots = Float64Array.from({ length: n }, (_, i) => Math.sqrt(Math.max(X.values[i * (n + 1)], 1e-300)));
  const scaledValues = X.values.map((value, k) => value / (roots[Math.floor(k / n)] * roots[k % n]));
  return smallestEigenvalue(matrix(n, n, scaledValues));
}
