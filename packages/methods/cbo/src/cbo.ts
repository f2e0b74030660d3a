import { runOptionNames } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  random,
  refuseIdle,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { overshooting, unitFor } from "./motion.js";
import { type CboProblem, feasible, readTensor, settleProblem, widthOf } from "./problem.js";
import { runSwarm } from "./run-swarm.js";
import { firstParticles, type StartOptions } from "./start.js";
import { type SwarmOptions, type SwarmResult, swarmOptionNames } from "./swarm-options.js";
import type { ParticleBatches, SwarmPlan } from "./swarm-plan.js";
import { requireSwarmShape, type SwarmDefaults, type SwarmSettings, swarmSettings } from "./swarm-settings.js";

/** How the noise of a particle depends on its displacement u from the consensus. */
export type NoiseKind = "isotropic" | "anisotropic";

/** Options of `cbo`. */
export interface CboOptions extends SwarmOptions, StartOptions {
  /** The first particles, `[N, d]`. Default: drawn by `mean` and `std`. */
  initial?: TensorLike;
  /** Time step dt, > 0. Default 0.01, within bounds 0.5. */
  dt?: number;
  /** Pull towards the consensus, >= 0, per unit of time. Default 1. lambda dt should not exceed 1. */
  lambda?: number;
  /**
   * Strength of the noise, >= 0, per root of a unit of time. Default 1.6, for anisotropic noise in five dimensions or
   * more 4; within bounds the root of 2.
   */
  sigma?: number;
  /**
   * "isotropic": `||u||` in every direction. "anisotropic": `|u_j|` along coordinate j, whose effect does not grow with d.
   * Default isotropic for d <= 2, beyond and within bounds anisotropic.
   */
  noise?: NoiseKind;
  /** Displacement before the drift (the paper) or after it (the authors' code). Default "pre". */
  noiseAt?: "pre" | "post";
  /**
   * A gradient step after the noise: `v <- v - gamma learningRate dt grad E(v)`; by automatic differentiation where the objective is
   * written in operations of tensors, else by central differences. Default none.
   */
  gradient?: {
    /** Weight of the drift along the gradient, >= 0. */
    gamma: number;
    /** >= 0. */
    learningRate: number;
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
  /**
   * Fresh swarms, at most, in the place of one that has collapsed (`tolerance`) or stalled (`patience`), >= 0. They end where
   * one finds the best point of before again. Default 0, within bounds 10.
   */
  restarts?: number;
}

const cboOptionNames = [
  "initial",
  "mean",
  "std",
  "dt",
  "lambda",
  "sigma",
  "noise",
  "noiseAt",
  "gradient",
  "cooling",
  "batchParticles",
  "batchUpdate",
  "restarts",
] as const satisfies readonly (keyof CboOptions)[];

/**
 * Minimises a function from its values by consensus-based optimisation: N particles are pulled to a consensus point weighted
 * towards low values, and shaken by noise that vanishes as they agree. The consensus follows a noisy gradient descent
 * without a gradient being evaluated, and the noise carries it across barriers.
 *
 *     V <- V - lambda dt (V - m) + sigma sqrt(dt) D(V - m) B,     m = sum w V / sum w,  w = exp(-alpha (E(V) - min E))
 *
 * @throws ValueError and ShapeError for options out of range and where the objective is finite at no first particle;
 * UnsupportedError for a backend with an objective that cannot be compiled; NonFiniteError, with the last good state, where
 * the particles leave the range of numbers.
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
  checkOptions(owner, options, [...cboOptionNames, ...swarmOptionNames, ...runOptionNames]);
  const initial = options.initial === undefined ? undefined : readTensor(owner, "initial", options.initial);
  const resumed = options.resume?.inner?.particles;
  const settled = settleProblem(owner, problem, {
    initial,
    "resume.particles": resumed,
    mean: options.mean,
    std: options.std,
  });
  const d = settled.dimension;
  const width = widthOf(settled);
  const defaults = width === undefined ? paperDefaults(d, options) : boxDefaults(d, width);
  const settings = swarmSettings(owner, options, d, {
    ...defaults,
    particles: initial?.shape[0] ?? defaults.particles,
  });
  const { n, alpha, seed, dtype } = settings;
  const { dt = defaults.dt, lambda = 1, noise = defaults.noise, noiseAt = "pre", sigma = defaults.sigma } = options;
  const { restarts = defaults.restarts } = options;
  requirePositive(owner, "dt", dt);
  requireNonNegative(owner, "lambda", lambda);
  requireNonNegative(owner, "sigma", sigma);
  requireInteger(owner, "restarts", restarts, 0);
  requireChoice(owner, "noise", noise, ["isotropic", "anisotropic"]);
  requireChoice(owner, "noiseAt", noiseAt, ["pre", "post"]);
  if (initial !== undefined) {
    requireSwarmShape(owner, "initial", initial, n, d);
    refuseIdle(owner, "initial particles", options, ["mean", "std"]);
  }
  if (!settings.collapses && options.patience === undefined && restarts > 0) {
    refuseIdle(owner, "neither tolerance nor patience", options, ["restarts"]);
  }
  if (options.gradient !== undefined) {
    checkOptions(`${owner}: gradient`, options.gradient, ["gamma", "learningRate"]);
  }
  const { gamma, learningRate } = options.gradient ?? { gamma: 0, learningRate: 0 };
  requireNonNegative(owner, "gradient.gamma", gamma);
  requireNonNegative(owner, "gradient.learningRate", learningRate);
  const cooled = coolingOf(owner, options.cooling);
  const spread = initial ?? options.std;
  const sizes = width ?? (spread === undefined ? [] : Array.from(asTensor(spread, "float64").data()));
  const drawn = (swarm: number) =>
    firstParticles(owner, settled.box, options, n, d, `${seed}/start${swarm === 0 ? "" : `/${swarm}`}`);
  const plan: SwarmPlan = {
    ...{ owner, problem: settled, n, d, dtype, maxIterations: settings.maxIterations, restarts },
    startOf: (swarm) => feasible(settled, asTensor(swarm === 0 && initial ? initial : drawn(swarm), dtype), owner),
    motion: { drift: lambda * dt, noise, noiseAt, unit: unitFor(sizes, dtype) },
    // Step k leads from the particles of k to those of k + 1.
    scaleAt: (k) => sigma * Math.sqrt(dt) * cooled("sigmaFactor", k - 1),
    alphaAt: (k) => alpha * cooled("alphaFactor", k),
    automatic: settings.automatic,
    normalsAt: (k, out) => settings.normals(k - 1, out),
    batches: batchesOf(owner, options, settings),
    descent: gamma * learningRate * dt,
    ...{ unit: settings.unit, collapses: settings.collapses },
  };
  return runSwarm(plan, options, overshooting(lambda, dt));
}

type Defaults = SwarmDefaults & Required<Pick<CboOptions, "dt" | "sigma" | "noise" | "restarts">>;

/** The paper's, where the scale of things is not known. */
function paperDefaults(d: number, options: CboOptions): Defaults {
  const noise = options.noise ?? (d <= 2 ? "isotropic" : "anisotropic");
  const sigma = noise === "anisotropic" && d >= 5 ? 4 : 1.6;
  return { particles: 200, alpha: 100, tolerance: undefined, dt: 0.01, sigma, noise, restarts: 0 };
}

/** Within bounds: few particles, long steps, and an alpha that suits the energies; swarms that collapse soon begin anew. */
function boxDefaults(d: number, width: readonly number[]): Defaults {
  const tolerance = width.map((own) => own * 1e-3);
  const particles = Math.max(40, 10 * d);
  return { particles, alpha: "auto", tolerance, dt: 0.5, sigma: Math.SQRT2, noise: "anisotropic", restarts: 10 };
}

function coolingOf(owner: string, cooling: CboOptions["cooling"]) {
  if (cooling === undefined) return () => 1;
  checkOptions(`${owner}: cooling`, cooling, ["everySteps", "sigmaFactor", "alphaFactor"]);
  const { everySteps, sigmaFactor = 1, alphaFactor = 1 } = cooling;
  requireInteger(owner, "cooling.everySteps", everySteps, 1);
  requirePositive(owner, "cooling.sigmaFactor", sigmaFactor);
  requirePositive(owner, "cooling.alphaFactor", alphaFactor);
  const factors = { sigmaFactor, alphaFactor };
  return (name: keyof typeof factors, k: number) => factors[name] ** Math.floor(k / everySteps);
}

function batchesOf(owner: string, options: CboOptions, { n, seed }: SwarmSettings): ParticleBatches | undefined {
  const { batchParticles: size, batchUpdate = "full" } = options;
  requireChoice(owner, "batchUpdate", batchUpdate, ["full", "partial"]);
  if (size === undefined) {
    refuseIdle(owner, "no batchParticles", options, ["batchUpdate"]);
    return undefined;
  }
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
