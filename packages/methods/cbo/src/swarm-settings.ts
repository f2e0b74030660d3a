import {
  random,
  requireChoice,
  requireInteger,
  requirePositive,
  ShapeError,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { requireAlpha } from "./consensus-point.js";
import { readTensor } from "./problem.js";
import type { SwarmOptions } from "./swarm-options.js";

/** @internal The options that every swarm shares, checked, with defaults. */
export interface SwarmSettings {
  readonly n: number;
  readonly maxIterations: number;
  /** A number where `automatic` is false. */
  readonly alpha: number;
  readonly automatic: boolean;
  readonly seed: number | string;
  readonly dtype: "float32" | "float64";
  /** The tolerance along each coordinate, `[d]`. */
  readonly unit: readonly number[];
  readonly collapses: boolean;
  /** Writes the random numbers `[n, d]` of the user's source or from the seed. */
  readonly normals: (k: number, out: Float32Array | Float64Array) => void;
}

/** @internal What options default to, where that differs from case to case. */
export interface SwarmDefaults {
  readonly particles: number;
  readonly alpha: number | "auto";
  /** Tolerance along each coordinate, where there is one. */
  readonly tolerance: readonly number[] | undefined;
}

/** Where no tolerance is given, swarms that stalled found the same point within this. */
const NEAR = 1e-4;

/** @internal */
export function swarmSettings(owner: string, options: SwarmOptions, d: number, defaults: SwarmDefaults): SwarmSettings {
  const { maxIterations = 250, alpha = defaults.alpha, seed = 0, maxEvaluations, tolerance, patience } = options;
  const n = options.particles ?? options.resume?.inner?.particles?.shape?.[0] ?? defaults.particles;
  requireInteger(owner, "particles", n, 2);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  if (alpha !== "auto") requireAlpha(owner, alpha);
  if (maxEvaluations !== undefined) requireInteger(owner, "maxEvaluations", maxEvaluations, 1);
  if (tolerance !== undefined) requirePositive(owner, "tolerance", tolerance);
  if (patience !== undefined) requireInteger(owner, "patience", patience, 1);
  requireChoice(owner, "recordPath", options.recordPath, [true, false]);
  const onGpu = options.backend !== undefined && !["cpu", "host"].includes(options.backend.device);
  const dtype = options.dtype ?? (onGpu ? "float32" : "float64");
  requireChoice(owner, "dtype", dtype, ["float32", "float64"]);
  const unit = tolerance === undefined ? defaults.tolerance : new Array<number>(d).fill(tolerance);
  return {
    ...{ n, maxIterations, alpha: alpha === "auto" ? 0 : alpha, automatic: alpha === "auto", seed, dtype },
    unit: unit ?? new Array<number>(d).fill(NEAR),
    collapses: unit !== undefined,
    normals: normalsOf(owner, options, seed, n, d),
  };
}

function normalsOf(
  owner: string,
  { noiseSource }: SwarmOptions,
  seed: number | string,
  n: number,
  d: number,
): SwarmSettings["normals"] {
  if (noiseSource === undefined) return (k, out) => random.rng(`${seed}/noise/${k}`).fillNormal(out);
  if (typeof noiseSource !== "function") {
    throw new ValueError(`${owner}: noiseSource is ${String(noiseSource)}; give a function of the step, k => [n, d]`);
  }
  return (k, out) => {
    const z = readTensor(owner, `noiseSource(${k})`, noiseSource(k));
    requireSwarmShape(owner, `noiseSource(${k})`, z, n, d);
    out.set(z.data());
  };
}

/** @internal Throws unless `x` is `[d]`. */
export function requirePoint(owner: string, name: string, x: Tensor | undefined, d: number): void {
  if (x?.rank === 1 && x.shape[0] === d) return;
  const given = Array.isArray(x?.shape) ? `has shape [${x?.shape}]` : `is ${String(x)}`;
  throw new ShapeError(`${owner}: ${name} ${given}; a point of ${d} coordinates is [${d}]`);
}

/** @internal Throws unless `x` is `[n, d]`. */
export function requireSwarmShape(owner: string, name: string, x: Tensor, n: number, d: number): void {
  if (x.rank !== 2 || x.shape[0] !== n || x.shape[1] !== d) {
    throw new ShapeError(
      `${owner}: ${name} has shape [${x.shape}]; ${n} particles of ${d} coordinates are [${n}, ${d}]`,
    );
  }
}
