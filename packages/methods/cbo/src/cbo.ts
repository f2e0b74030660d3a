import {
  random,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { Motion } from "./motion.js";
import { type CboProblem, readTensor, settleProblem } from "./problem.js";
import { runSwarm } from "./run-swarm.js";
import { normalStart } from "./start.js";
import type { SwarmOptions, SwarmResult } from "./swarm-options.js";
import type { ParticleBatches } from "./swarm-plan.js";
import {
  firstParticles,
  requireOneOf,
  requireSwarmShape,
  type SwarmSettings,
  swarmSettings,
} from "./swarm-settings.js";

/** How the noise of a particle depends on its displacement u from the consensus. */
export type NoiseKind = "isotropic" | "anisotropic";

/** Options of `cbo`. */
export interface CboOptions extends SwarmOptions {
  /** The first particles, `[N, d]`. Default: drawn from N(mean, std^2). */
  initial?: TensorLike;
  /** Where the first particles are, `[d]` or a number. Default the middle of the bounds, without bounds 0. */
  mean?: TensorLike;
  /** How far they spread, `[d]` or a number, >= 0. Default a quarter of the bounds' width, without bounds 1. */
  std?: TensorLike;
  /** Time step dt, > 0. Default 0.01. */
  dt?: number;
  /** Pull towards the consensus, >= 0, per unit of time. Default 1. lambda dt should not exceed 1. */
  lambda?: number;
  /**
   * Strength of the noise, >= 0, per root of a unit of time. Default 1.6, for anisotropic noise in five dimensions or
   * more 4.
   */
  sigma?: number;
  /**
   * "isotropic": `||u||` in every direction. "anisotropic": `|u_j|` along coordinate j, whose effect does not grow with d.
   * Default isotropic for d <= 2, beyond anisotropic.
   */
  noise?: NoiseKind;
  /** Displacement before the drift (the paper) or after it (the authors' code). Default "pre". */
  noiseAt?: "pre" | "post";
  /**
   * A gradient step after the noise: `v <- v - gamma lr dt grad E(v)`; by automatic differentiation where the objective is
   * written in operations of tensors, else by central differences. Default none.
   */
  gradient?: {
    /** Weight of the drift along the gradient, >= 0. */
    gamma: number;
    /** Learning rate, >= 0. */
    lr: number;
  };
  /** Every `everySteps` steps sigma and alpha are multiplied by these factors (default 1). Default no cooling. */
  cooling?: {
    /** Steps between two changes, >= 1. */
    everySteps: number;
    /** In (0, 1] as a rule; > 0. */
    sigmaFactor?: number;
    /** >= 1 as a rule; > 0. */
    alphaFactor?: number;
  };
  /**
   * Particles that are evaluated in a step, and decide on its consensus: random batches of the swarm, no particle twice in
   * a pass. Between 1 and N. Default all. In the end all particles are evaluated, and decide on the result.
   */
  batchParticles?: number;
  /** With batches: all particles move ("full", default), or only those of the batch ("partial"). */
  batchUpdate?: "full" | "partial";
}

/**
 * Minimises a function from its values by consensus-based optimisation: N particles are pulled to a consensus point weighted
 * towards low values, and shaken by noise that vanishes as they agree. The consensus follows a noisy gradient descent
 * without a gradient being evaluated, and the noise carries it across barriers.
 *
 *     V <- V - lambda dt (V - m) + sigma sqrt(dt) D(V - m) B,     m = sum w V / sum w,  w = exp(-alpha (E(V) - min E))
 *
 * @throws ValueError and ShapeError for options out of range and where the objective is finite at no first particle;
 * UnsupportedError for a backend with an objective that cannot be compiled.
 * @see https://arxiv.org/abs/2306.09778
 * @example
 * ```ts
 * import { cbo } from "@offprint/cbo";
 *
 * const rastrigin = (v: Float64Array) => v.reduce((sum, x) => sum + x * x + 2.5 * (1 - Math.cos(2 * Math.PI * x)), 0);
 * const { x, objective } = await cbo({ objective: { perParticle: rastrigin }, dimension: 2 }, { mean: 3, std: 2 });
 * console.log(String(x), objective); // near 0
 * ```
 */
export async function cbo(problem: CboProblem, options: CboOptions = {}): Promise<SwarmResult> {
  const owner = "cbo";
  const initial = options.initial === undefined ? undefined : readTensor(owner, "initial", options.initial);
  const settled = settleProblem(owner, problem, [initial, options.resume?.particles, options.mean, options.std]);
  const d = settled.dimension;
  const settings = swarmSettings(owner, options, d, initial);
  const { n, alpha, seed } = settings;
  const { dt = 0.01, lambda = 1, noise = d <= 2 ? "isotropic" : "anisotropic", noiseAt = "pre" } = options;
  const sigma = options.sigma ?? (noise === "anisotropic" && d >= 5 ? 4 : 1.6);
  requirePositive(owner, "dt", dt);
  requireNonNegative(owner, "lambda", lambda);
  requireNonNegative(owner, "sigma", sigma);
  requireOneOf(owner, "noise", noise, ["isotropic", "anisotropic"]);
  requireOneOf(owner, "noiseAt", noiseAt, ["pre", "post"]);
  if (initial !== undefined) requireSwarmShape(owner, "initial", initial, n, d);
  const { gamma, lr } = options.gradient ?? { gamma: 0, lr: 0 };
  requireNonNegative(owner, "gradient.gamma", gamma);
  requireNonNegative(owner, "gradient.lr", lr);
  const cooled = coolingOf(owner, options.cooling);
  const fresh = () => initial ?? normalStart(owner, settled, options, n, seed);
  const motion: Motion = { drift: lambda * dt, noise, noiseAt };
  const plan = {
    ...{ owner, problem: settled, n, d, dtype: settings.dtype, steps: settings.steps, motion },
    ...firstParticles(owner, settled, settings, options.resume, fresh),
    // Step k leads from the particles of k to those of k + 1.
    scaleAt: (k: number) => sigma * Math.sqrt(dt) * cooled("sigmaFactor", k - 1),
    alphaAt: (k: number) => alpha * cooled("alphaFactor", k),
    normalsAt: (k: number) => settings.normals(k - 1),
    batches: batchesOf(owner, options, settings),
    descent: gamma * lr * dt,
  };
  const warnings: string[] = [];
  if (lambda * dt > 1) {
    warnings.push(`lambda dt is ${lambda * dt}: particles overshoot the consensus; take dt <= ${1 / lambda}`);
  }
  return runSwarm(plan, options, warnings);
}

function coolingOf(owner: string, cooling: CboOptions["cooling"]) {
  if (cooling === undefined) return () => 1;
  const { everySteps, sigmaFactor = 1, alphaFactor = 1 } = cooling;
  requireInteger(owner, "cooling.everySteps", everySteps, 1);
  requirePositive(owner, "cooling.sigmaFactor", sigmaFactor);
  requirePositive(owner, "cooling.alphaFactor", alphaFactor);
  const factors = { sigmaFactor, alphaFactor };
  return (name: keyof typeof factors, k: number) => factors[name] ** Math.floor(k / everySteps);
}

function batchesOf(
  owner: string,
  { batchParticles: size, batchUpdate = "full" }: CboOptions,
  { n, seed }: SwarmSettings,
): ParticleBatches | undefined {
  requireOneOf(owner, "batchUpdate", batchUpdate, ["full", "partial"]);
  if (size === undefined) return undefined;
  requireInteger(owner, "batchParticles", size, 1);
  if (size > n) throw new ValueError(`${owner}: batchParticles is ${size} of ${n} particles; it must not exceed them`);
  const perPass = Math.floor(n / size);
  let order: { pass: number; rows: Int32Array } | undefined;
  const rowsAt = (k: number) => {
    const pass = Math.floor(k / perPass);
    if (order?.pass !== pass) {
      order = { pass, rows: random.rng(`${seed}/batches/${pass}`).permutation(n).data() as Int32Array };
    }
    const from = (k % perPass) * size;
    return order.rows.slice(from, from + size);
  };
  return { size, partial: batchUpdate === "partial", rowsAt };
}
