import type { RunOptions, RunState, Status } from "@offprint/solvers";
import {
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { SaddleSettings } from "./saddle-system.js";
import { checkSketch, type Sketch } from "./sketch.js";

/** How the accuracy of the directions grows: theta_k in (0, 1] of iteration k, which counts from 0. */
export type Theta = "constant" | "inverseSquare" | "residual" | ((k: number, kkt: number) => number);

/** How often a problem was asked; the work of a run where derivatives are dear. */
export interface Evaluations {
  /** f. */
  readonly objective: number;
  /** c. */
  readonly constraints: number;
  /** grad f and G: the exact penalty looks at both at every trial point. */
  readonly gradient: number;
  /** The Hessian of the Lagrangian. */
  readonly hessian: number;
}

/** How solving a problem ended. */
export type EqualityStatus =
  | Status
  /** The constraints' Jacobian has lost its rank: no Newton direction exists. */
  | "singularJacobian"
  /** No step lowers the merit function any more. */
  | "inaccurate";

/** One iteration: what `onProgress` is told. */
export interface AdaSketchRecord {
  /** From 1. */
  readonly iteration: number;
  /** f after it. */
  readonly objective: number;
  /** Norm of the KKT residual (grad L, c) after it. */
  readonly kkt: number;
  /** ||c|| after it. */
  readonly infeasibility: number;
  /** Penalties and accuracy with which its direction was accepted. */
  readonly eta1: number;
  /** See `eta1`. */
  readonly eta2: number;
  /** See `eta1`. */
  readonly delta: number;
  /** Steps of the sketching solver. */
  readonly innerSteps: number;
  /** Whether `maxInnerSteps` ended them before the direction was accurate enough. */
  readonly capped: boolean;
  /** ||K D + res|| / ||res|| of the direction. */
  readonly relativeResidual: number;
  /** How often the penalties were changed. */
  readonly penaltyUpdates: number;
  /** Derivative of the merit function along the direction. */
  readonly slope: number;
  /** The merit function at the new point, with these penalties. */
  readonly merit: number;
  /** alpha of the line search: 1 is a full step. */
  readonly stepSize: number;
  /** What was added to the Hessian's diagonal. */
  readonly shift: number;
}

/** A direction on its way. */
export interface DirectionState {
  /** `[d]` (dx, dl). */
  readonly D: Tensor;
  /** ||K D + res||. */
  readonly residual: number;
  /** Steps made. */
  readonly steps: number;
  /** Calls of the compiled loop. */
  readonly calls: number;
  /** Changes of the penalties. */
  readonly penaltyUpdates: number;
}

/** Where a run stands. */
export interface AdaSketchState {
  /** `[n]`. */
  readonly x: Tensor;
  /** `[m]`. */
  readonly multipliers: Tensor;
  /** f, the norms of the KKT residual and of c there. */
  readonly objective: number;
  /** See `objective`. */
  readonly kkt: number;
  /** See `objective`. */
  readonly infeasibility: number;
  /** Penalties and accuracy, which are carried from iteration to iteration. */
  readonly eta1: number;
  /** See `eta1`. */
  readonly eta2: number;
  /** See `eta1`. */
  readonly delta: number;
  /** Iterations done. */
  readonly iteration: number;
  /** The direction that is being computed; null where the next is to be begun. */
  readonly direction: DirectionState | null;
  /** Why it cannot go on. */
  readonly obstacle: "singularJacobian" | "inaccurate" | null;
  /** How often the problem was asked. */
  readonly evaluations: Evaluations;
  /** The last iteration. */
  readonly record: AdaSketchRecord | null;
}

/** Options of `adaSketchNewton`, with the paper's defaults. */
export interface AdaSketchOptions extends RunOptions<AdaSketchRecord, RunState<AdaSketchState, AdaSketchRecord>> {
  /** How Newton systems are solved (default `{ kind: "kaczmarz" }`; `{ kind: "gaussian" }` for products). */
  readonly sketch?: Sketch;
  /** `[m]` the multipliers to begin from. Default zeros. */
  readonly multipliers?: TensorLike;
  /** Converged when the norm of (grad L, c) is at most this, >= 0 (default 1e-4). */
  readonly tolerance?: number;
  /** Iterations at most, an integer >= 0 (default 1e4). */
  readonly maxIterations?: number;
  /** Steps of the sketching solver for a direction at most, an integer >= 1 (default 1e5). */
  readonly maxInnerSteps?: number;
  /** First penalty of the constraints, > 0 (default 1). */
  readonly eta1?: number;
  /** First penalty of the Lagrangian's gradient, > 0 (default 0.1). */
  readonly eta2?: number;
  /** First accuracy of directions, > 0 (default 0.1). */
  readonly delta?: number;
  /** It never falls below this, > 0 (default 1e-6): beyond, float64 has no digits to give. */
  readonly deltaFloor?: number;
  /** Sufficient decrease of the line search, in (0, 1/2) (default 0.1). */
  readonly beta?: number;
  /** By which penalties and accuracy change, > 1 (default 1.5). */
  readonly nu?: number;
  /** What the reduced Hessian is lifted to, > 0 (default 0.1). */
  readonly xiB?: number;
  /** theta_k: `"constant"` is 1 (linear rate, default), `"inverseSquare"` 1/(k+1)^2, `"residual"` min(1, ||res||). */
  readonly theta?: Theta;
  /** Bound of ||K^-1||: the paper's (default), the norm itself, or a number of one's own. */
  readonly psi?: SaddleSettings["psi"];
  /** What is added to the Hessian: by the look at the reduced Hessian (default), or a number; 0 for products. */
  readonly shift?: SaddleSettings["shift"];
  /** The reduced Hessian is shifted where it has an eigenvalue below this (default 1e-6). */
  readonly reducedHessianTolerance?: number;
  /** Ends as `"singularJacobian"` where lambda_min(G G^T) is below this, >= 0 (default 1e-8). */
  readonly singularTolerance?: number;
  /** Whether H and G are formed (default), or only multiplied with vectors: O(n + m) memory. */
  readonly derivatives?: "matrices" | "products";
  /** Of the random sketches (default 0). */
  readonly seed?: number | string;
}

/** What `adaSketchNewton` gives. */
export interface AdaSketchResult<X> {
  /** The last point. */
  readonly x: X;
  /** `[m]` the multipliers. */
  readonly multipliers: Tensor;
  /** f there. */
  readonly objective: number;
  /** Norm of the KKT residual (grad L, c). */
  readonly kkt: number;
  /** Norm of c. */
  readonly infeasibility: number;
  /** How it ended. */
  readonly status: EqualityStatus;
  /** Iterations done, those of resumed runs included. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly AdaSketchRecord[];
  /** How often the problem was asked. */
  readonly evaluations: Evaluations;
  /** What a further run resumes from. */
  readonly state: RunState<AdaSketchState, AdaSketchRecord>;
}

/** @internal Options with their defaults. */
export interface AdaSketchSettings extends SaddleSettings {
  readonly sketch: Sketch;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly maxInnerSteps: number;
  readonly eta1: number;
  readonly eta2: number;
  readonly delta: number;
  readonly deltaFloor: number;
  readonly beta: number;
  readonly nu: number;
  readonly theta: (k: number, kkt: number) => number;
  readonly singularTolerance: number;
  readonly derivatives: "matrices" | "products";
  readonly seed: number | string;
}

/** @internal */
export const adaSketchOptionNames = [
  "sketch",
  "multipliers",
  "tolerance",
  "maxIterations",
  "maxInnerSteps",
  "eta1",
  "eta2",
  "delta",
  "deltaFloor",
  "beta",
  "nu",
  "xiB",
  "theta",
  "psi",
  "shift",
  "reducedHessianTolerance",
  "singularTolerance",
  "derivatives",
  "seed",
];

const schedules = {
  constant: () => 1,
  inverseSquare: (k: number) => 1 / (k + 1) ** 2,
  residual: (_: number, kkt: number) => Math.min(1, kkt),
};

/** @internal Reads the options. */
export function readSettings(owner: string, options: AdaSketchOptions): AdaSketchSettings {
  const { derivatives = "matrices" } = options;
  requireChoice(owner, "derivatives", derivatives, ["matrices", "products"]);
  const formed = derivatives === "matrices";
  const { sketch = { kind: formed ? "kaczmarz" : "gaussian" }, theta = "constant", psi = "bound" } = options;
  const { shift = formed ? "reduced" : 0, seed = 0 } = options;
  checkSketch(owner, sketch);
  if (!formed && (sketch.kind === "kaczmarz" || sketch.kind === "exact")) {
    throw new ValueError(
      `${owner}: sketch ${sketch.kind} reads rows of K, which derivatives: "products" does not form`,
    );
  }
  if (typeof theta !== "function") requireChoice(owner, "theta", theta, Object.keys(schedules));
  if (typeof psi === "number") requirePositive(owner, "psi", psi);
  else requireChoice(owner, "psi", psi, formed ? ["bound", "inverseNorm"] : ["bound"]);
  if (typeof shift === "number") requireNonNegative(owner, "shift", shift);
  else requireChoice(owner, "shift", shift, formed ? ["reduced"] : []);
  const { tolerance = 1e-4, maxIterations = 1e4, maxInnerSteps = 1e5, eta1 = 1, eta2 = 0.1, delta = 0.1 } = options;
  const { deltaFloor = 1e-6, beta = 0.1, nu = 1.5, xiB = 0.1 } = options;
  const { reducedHessianTolerance = 1e-6, singularTolerance = 1e-8 } = options;
  requireNonNegative(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireInteger(owner, "maxInnerSteps", maxInnerSteps, 1);
  for (const [name, value] of Object.entries({ eta1, eta2, delta, deltaFloor, xiB }))
    requirePositive(owner, name, value);
  requireNonNegative(owner, "singularTolerance", singularTolerance);
  if (!Number.isFinite(reducedHessianTolerance)) {
    throw new ValueError(`${owner}: reducedHessianTolerance is ${reducedHessianTolerance}; it must be a finite number`);
  }
  if (!(beta > 0 && beta < 0.5)) throw new ValueError(`${owner}: beta is ${beta}; it must be in (0, 1/2)`);
  if (!(nu > 1 && nu < Infinity)) throw new ValueError(`${owner}: nu is ${nu}; it must be a finite number > 1`);
  return {
    ...{
      sketch,
      psi,
      shift,
      seed,
      derivatives,
      tolerance,
      maxIterations,
      maxInnerSteps,
      eta1,
      eta2,
      delta,
      deltaFloor,
    },
    ...{ beta, nu, xiB, reducedHessianTolerance, singularTolerance },
    theta: typeof theta === "function" ? checkedTheta(owner, theta) : schedules[theta],
  };
}

function checkedTheta(owner: string, theta: (k: number, kkt: number) => number) {
  return (k: number, kkt: number) => {
    const value = theta(k, kkt);
    if (value > 0 && value <= 1) return value;
    throw new ValueError(`${owner}: theta gave ${value} for iteration ${k}; it must be in (0, 1]`);
  };
}
