import {
  asTensor,
  cast,
  random,
  requireInteger,
  requirePositive,
  ShapeError,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { requireAlpha } from "./consensus-point.js";
import { feasible, readTensor, type SettledProblem } from "./problem.js";
import type { SwarmOptions, SwarmState } from "./swarm-options.js";

/** @internal The options that every swarm shares, checked, with defaults. */
export interface SwarmSettings {
  readonly n: number;
  readonly steps: number;
  readonly alpha: number;
  readonly seed: number | string;
  readonly dtype: "float32" | "float64";
  /** Random numbers `[n, d]` of the user's source or from the seed. */
  readonly normals: (k: number) => ArrayLike<number>;
}

/** @internal */
export function swarmSettings(owner: string, options: SwarmOptions, d: number, given?: Tensor): SwarmSettings {
  const { steps = 250, alpha = 100, seed = 0, maxEvaluations, tolerance, patience, stepsPerRun, resume } = options;
  const n = options.particles ?? resume?.particles.shape[0] ?? given?.shape[0] ?? 200;
  requireInteger(owner, "particles", n, 2);
  requireInteger(owner, "steps", steps, 0);
  requireAlpha(owner, alpha);
  if (maxEvaluations !== undefined) requireInteger(owner, "maxEvaluations", maxEvaluations, 1);
  if (tolerance !== undefined) requirePositive(owner, "tolerance", tolerance);
  if (patience !== undefined) requireInteger(owner, "patience", patience, 1);
  if (stepsPerRun !== undefined) requireInteger(owner, "stepsPerRun", stepsPerRun, 1);
  const onGpu = options.backend !== undefined && options.backend.device !== "cpu";
  const dtype = options.dtype ?? (onGpu ? "float32" : "float64");
  requireOneOf(owner, "dtype", dtype, ["float32", "float64"]);
  return { n, steps, alpha, seed, dtype, normals: normalsOf(owner, options, seed, n, d) };
}

function normalsOf(
  owner: string,
  { noiseSource }: SwarmOptions,
  seed: number | string,
  n: number,
  d: number,
): SwarmSettings["normals"] {
  random.rng(seed); // a bad seed is told here
  if (noiseSource === undefined) {
    return (k) => random.rng(`${seed}/noise/${k}`).normal([n, d], { dtype: "float64" }).data();
  }
  return (k) => {
    const z = readTensor(owner, `noiseSource(${k})`, noiseSource(k));
    requireSwarmShape(owner, `noiseSource(${k})`, z, n, d);
    return z.data();
  };
}

/** @internal Throws unless `x` is `[n, d]`. */
export function requireSwarmShape(owner: string, name: string, x: Tensor, n: number, d: number): void {
  if (x.rank !== 2 || x.shape[0] !== n || x.shape[1] !== d) {
    throw new ShapeError(
      `${owner}: ${name} has shape [${x.shape}]; ${n} particles of ${d} coordinates are [${n}, ${d}]`,
    );
  }
}

/** @internal The first particles, feasible and in the dtype of the run; those of the state where one is resumed. */
export function firstParticles(
  owner: string,
  problem: SettledProblem,
  { n, steps, dtype }: SwarmSettings,
  resume: SwarmState | undefined,
  fresh: () => Tensor,
): { readonly start: Tensor; readonly first: number } {
  if (resume === undefined) return { start: feasible(problem, cast(fresh(), dtype), owner), first: 0 };
  const particles = readTensor(owner, "resume.particles", resume.particles);
  requireSwarmShape(owner, "resume.particles", particles, n, problem.dimension);
  requireInteger(owner, "resume.step", resume.step, 0);
  if (resume.step > steps) {
    throw new ValueError(`${owner}: the state is at step ${resume.step}, beyond steps ${steps}; give more steps`);
  }
  return { start: asTensor(particles, dtype), first: resume.step };
}

/** @internal Throws unless `value` is one of the words. */
export function requireOneOf(owner: string, name: string, value: unknown, allowed: readonly string[]): void {
  if (!allowed.includes(value as string)) {
    throw new ValueError(`${owner}: ${name} is ${String(value)}; it must be ${allowed.join(" or ")}`);
  }
}
