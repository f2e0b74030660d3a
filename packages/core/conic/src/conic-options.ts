import { type RunOptions, type RunState, runOptionNames } from "@offprint/solvers";
import { checkOptions, requireChoice, requireInteger, ShapeError, ValueError } from "@offprint/tensor-core";
import type { CheckedProblem } from "./problem.js";
import type { ConicResiduals } from "./termination.js";

/** How a programme is solved. */
export type ConicMethod = "interior-point" | "splitting";

/** What a check of {@link solveConic} saw: after every interior-point iteration, and every 25 of the splitting. */
export interface ConicProgress {
  /** Iterations so far. */
  readonly iteration: number;
  /** Which method made it. */
  readonly method: ConicMethod;
  /** Residuals of the unscaled problem; infinite where tau vanishes. */
  readonly residuals: ConicResiduals;
  /** Value of the objective. */
  readonly objective: number;
  /** Interior point: length of the step, at most 1. Splitting: scale of the dual variables. */
  readonly stepSize: number;
}

/** What a run of {@link solveConic} goes on from: a tree. */
export type ConicState = RunState<unknown, ConicProgress>;

/** Options of {@link solveConic}. */
export interface ConicOptions extends RunOptions<ConicProgress, ConicState> {
  /**
   * `interior-point`: few and dear iterations, to many digits. `splitting`: many cheap ones, for large programmes and
   * warm starts. Default `auto`: the interior-point method where its iterations are not too dear, and the splitting
   * method where it is stuck.
   */
  readonly method?: ConicMethod | "auto";
  /**
   * Absolute and relative tolerance of the residuals, in (0, 1); default 1e-6. Where the largest entry of A, b or c is below
   * 0.01, absolute is beside that entry.
   */
  readonly tolerance?: number;
  /** Iterations at most; default 10000. */
  readonly maxIterations?: number;
  /** Where to start: x, y, s of a similar problem of the same size. With it `auto` is the splitting method. */
  readonly initial?: {
    readonly x: ArrayLike<number>;
    readonly y: ArrayLike<number>;
    readonly s: ArrayLike<number>;
  };
  /** Equilibrates the data first; default true. */
  readonly normalize?: boolean;
  /** Splitting: over-relaxation in (0, 2); default 1.5. */
  readonly relaxation?: number;
  /** Splitting: first scale of the dual variables, in (0, 1e7); default 0.1. */
  readonly scale?: number;
  /** Splitting: lets the scale follow the residuals; default true. */
  readonly adaptScale?: boolean;
  /** Splitting: Anderson acceleration; default true. */
  readonly anderson?: boolean;
}

/** The names of {@link ConicOptions}, for `checkOptions`. */
export const conicOptionNames = [
  "method",
  "tolerance",
  "maxIterations",
  "initial",
  "normalize",
  "relaxation",
  "scale",
  "adaptScale",
  "anderson",
  ...runOptionNames,
] as const;

/** @internal Options with their defaults. */
export type ConicSettings = Required<Omit<ConicOptions, keyof RunOptions<unknown, unknown> | "initial">> &
  Pick<ConicOptions, "initial">;

/** @internal @throws ValueError and ShapeError for options that make no sense */
export function conicSettings(options: ConicOptions, { n, m }: CheckedProblem): ConicSettings {
  checkOptions("solveConic", options, conicOptionNames);
  const { method = "auto", tolerance = 1e-6, maxIterations = 10000, relaxation = 1.5, scale = 0.1, initial } = options;
  requireChoice("solveConic", "method", method, ["auto", "interior-point", "splitting"]);
  range(tolerance, 1, "tolerance");
  range(relaxation, 2, "relaxation");
  range(scale, 1e7, "scale");
  requireInteger("solveConic", "maxIterations", maxIterations, 1);
  const { adaptScale = true, normalize = true, anderson = true } = options;
  for (const [name, value] of Object.entries({ adaptScale, normalize, anderson })) {
    requireChoice("solveConic", name, value, [true, false]);
  }
  if (initial !== undefined) checkInitial(initial, n, m);
  return { method, tolerance, maxIterations, initial, relaxation, scale, adaptScale, normalize, anderson };
}

function range(value: number, below: number, name: string): void {
  if (typeof value === "number" && value > 0 && value < below) return;
  throw new ValueError(`solveConic: ${name} must be between 0 and ${below}, got ${value}`);
}

function checkInitial(initial: NonNullable<ConicOptions["initial"]>, n: number, m: number): void {
  checkOptions("solveConic: initial", initial, ["x", "y", "s"]);
  for (const [name, size] of [["x", n] as const, ["y", m] as const, ["s", m] as const]) {
    const values = initial[name];
    if (values?.length !== size) {
      throw new ShapeError(`solveConic: initial.${name} must hold ${size} values, got ${values?.length}`);
    }
    const bad = Array.from(values).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new ValueError(`solveConic: initial.${name}[${bad}] is ${values[bad]}; it must be finite`);
  }
}
