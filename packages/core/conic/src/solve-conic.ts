import { AbortedError } from "@offprint/tensor-core";
import { AndersonMemory } from "./anderson.js";
import { ConicInputError } from "./conic-input-error.js";
import { Embedding, Evaluation } from "./embedding.js";
import { equilibrate, type ScaledProblem } from "./equilibration.js";
import { type CheckedProblem, type ConicProblem, checkProblem } from "./problem.js";
import { ScaleRule } from "./scale-rule.js";
import { type CheckResult, type ConicResiduals, Termination } from "./termination.js";

/** Iterations between checks. */
const CHECK_EVERY = 25;
/** Iterations between accelerations. */
const ACCELERATE_EVERY = 10;
/** The norm of w may leave sqrt(size) by this factor before it is renormalised. */
const LARGEST_DRIFT = 16;

/** `solved`: to the tolerance. `inaccurate`: out of iterations. The others come with a certificate. */
export type ConicStatus = "solved" | "inaccurate" | "infeasible" | "unbounded";

/** What a check of {@link solveConic} saw. */
export interface ConicProgress {
  /** Iterations so far. */
  readonly iteration: number;
  /** Residuals of the unscaled problem; infinite where tau vanishes. */
  readonly residuals: ConicResiduals;
  /** Value of the objective. */
  readonly objective: number;
  /** Current scale of the dual variables. */
  readonly scale: number;
}

/** Options of {@link solveConic}. */
export interface ConicOptions {
  /** Absolute and relative tolerance of the residuals; default 1e-6. */
  readonly eps?: number;
  /** Default 10000. */
  readonly maxIter?: number;
  /** Over-relaxation in (0, 2); default 1.5. */
  readonly alpha?: number;
  /** First scale of the dual variables, in [1e-6, 1e6]; default 0.1. */
  readonly scale?: number;
  /** Lets the scale follow the residuals; default true. */
  readonly adaptScale?: boolean;
  /** Equilibrates the data first; default true. */
  readonly normalize?: boolean;
  /** Anderson acceleration; default true. */
  readonly anderson?: boolean;
  /** Where to start: x, y, s of a similar problem of the same size. */
  readonly warmStart?: {
    readonly x: ArrayLike<number>;
    readonly y: ArrayLike<number>;
    readonly s: ArrayLike<number>;
  };
  /** Called at every check, that is every 25 iterations. */
  readonly onProgress?: (progress: ConicProgress) => void;
  /** Stops the solver at the next check with an `AbortedError`. */
  readonly signal?: AbortSignal;
}

/** Result of {@link solveConic}. */
export interface ConicResult {
  /** How it ended. */
  readonly status: ConicStatus;
  /** `[n]`; for `unbounded` a ray with c^T x = -1; NaN for `infeasible`. */
  readonly x: Float64Array;
  /** `[m]` dual variable in K*; for `infeasible` the certificate with b^T y = -1; NaN for `unbounded`. */
  readonly y: Float64Array;
  /** `[m]` slack in K. */
  readonly s: Float64Array;
  /** 1/2 x^T P x + c^T x; Infinity if infeasible, -Infinity if unbounded. */
  readonly objective: number;
  /** -1/2 x^T P x - b^T y. */
  readonly dualObjective: number;
  /** Residuals of the unscaled problem. */
  readonly residuals: ConicResiduals;
  /** Iterations. */
  readonly iterations: number;
  /** Factorisations of the linear system. */
  readonly factorizations: number;
  /** Wall-clock time in seconds. */
  readonly seconds: number;
  /** One entry per check. */
  readonly history: readonly ConicProgress[];
}

/**
 * Minimises 1/2 x^T P x + c^T x subject to A x + s = b, s in K, by operator splitting of the homogeneous self-dual
 * embedding with Anderson acceleration. Deterministic. `s` lies in K and `y` in K* to rounding; the equations hold to
 * the tolerance.
 *
 * @throws ConicInputError for a problem or options that make no sense; AbortedError through `signal`
 * @see O'Donoghue, "Operator splitting for a homogeneous embedding of the linear complementarity problem", 2021
 * @example
 * ```ts
 * import { solveConic } from "@offprint/conic";
 *
 * // maximise x1 + x2 with x1 + 2 x2 <= 4, 4 x1 + 2 x2 <= 12, x >= 0
 * const { objective } = solveConic({
 *   A: [[1, 2], [4, 2], [-1, 0], [0, -1]],
 *   b: [4, 12, 0, 0],
 *   c: [-1, -1],
 *   cones: { l: 4 },
 * });
 * console.log(objective.toFixed(4)); // -3.3333
 * ```
 */
export function solveConic(problem: ConicProblem, options: ConicOptions = {}): ConicResult {
  const start = performance.now();
  const checked = checkProblem(problem);
  const settings = checkOptions(options, checked);
  const scaled = equilibrate(checked, settings.normalize);
  const embedding = new Embedding(scaled, settings.alpha, settings.scale);
  const termination = new Termination(checked, scaled, settings.eps, settings.eps);
  const w = startingPoint(scaled, embedding.Ry, options.warmStart);
  const run = new Run(embedding, termination, w, settings);
  const { last, iterations } = run.iterate();
  return {
    status: last.status ?? "inaccurate",
    x: last.x,
    y: last.y,
    s: last.s,
    objective: last.objective,
    dualObjective: last.dualObjective,
    residuals: last.residuals,
    iterations,
    factorizations: embedding.factorizations,
    seconds: (performance.now() - start) / 1000,
    history: run.history,
  };
}

type Settings = Required<Omit<ConicOptions, "warmStart" | "onProgress" | "signal">> &
  Pick<ConicOptions, "onProgress" | "signal">;

/** The loop: evaluate, check, adapt the scale, accelerate. */
class Run {
  readonly history: ConicProgress[] = [];
  private current: Evaluation;
  private trial: Evaluation;
  private readonly memory: AndersonMemory;
  private readonly candidate: Float64Array;
  private readonly rule: ScaleRule;

  constructor(
    private readonly embedding: Embedding,
    private readonly termination: Termination,
    private w: Float64Array,
    private readonly settings: Settings,
  ) {
    this.current = new Evaluation(embedding.size);
    this.trial = new Evaluation(embedding.size);
    this.memory = new AndersonMemory(embedding.size);
    this.candidate = new Float64Array(embedding.size);
    this.rule = new ScaleRule(settings.scale);
  }

  iterate(): { last: CheckResult; iterations: number } {
    const { embedding, settings } = this;
    let evaluated = false;
    for (let iteration = 1; ; iteration++) {
      if (!evaluated) embedding.evaluate(this.w, this.current);
      evaluated = false;
      if (iteration % CHECK_EVERY === 0 || iteration === settings.maxIter) {
        const last = this.check(iteration);
        if (last.status !== undefined || iteration >= settings.maxIter) return { last, iterations: iteration };
        if (settings.adaptScale && this.rule.update(iteration, last.relativePrimal, last.relativeDual)) {
          embedding.rescale(this.rule.scale, this.current, this.w);
          this.memory.clear();
          continue;
        }
      }
      evaluated = this.advance(iteration);
      this.renormalize();
    }
  }

  /** Brings ||w|| back to about sqrt(size) by a power of two, with everything that was derived from it; exact. */
  private renormalize(): void {
    let squares = 0;
    for (let i = 0; i < this.w.length; i++) squares += this.w[i] * this.w[i];
    const size = Math.sqrt(squares / this.w.length);
    if (size === 0 || (size > 1 / LARGEST_DRIFT && size < LARGEST_DRIFT)) return;
    const factor = 2 ** -Math.round(Math.log2(size));
    for (let i = 0; i < this.w.length; i++) this.w[i] *= factor;
    this.current.scale(factor);
    this.memory.scale(factor);
  }

  private check(iteration: number): CheckResult {
    const { settings, embedding } = this;
    if (settings.signal?.aborted) throw new AbortedError(`solveConic: aborted after ${iteration} iterations`);
    const result = this.termination.check(this.current, embedding.Ry);
    const progress = {
      iteration,
      residuals: result.residuals,
      objective: result.objective,
      scale: this.rule.scale,
    };
    this.history.push(progress);
    settings.onProgress?.(progress);
    return result;
  }

  /** Moves w on; true if the new w has been evaluated already, as an accepted extrapolation is. */
  private advance(iteration: number): boolean {
    const { embedding, memory, current, candidate, settings } = this;
    if (settings.anderson) {
      memory.record(this.w, current.f);
      if (iteration % ACCELERATE_EVERY === 0 && memory.extrapolate(current.next, current.f, candidate)) {
        embedding.evaluate(candidate, this.trial);
        // F is positively homogeneous: steps compare only beside the size of their points, or w -> 0 would always win.
        if (this.trial.relativeStep <= current.relativeStep) {
          this.w.set(candidate);
          this.current = this.trial;
          this.trial = current;
          return true;
        }
      }
    }
    this.w.set(current.next);
    return false;
  }
}

function startingPoint(
  { n, m, D, E, sigma }: ScaledProblem,
  Ry: Float64Array,
  warm: ConicOptions["warmStart"],
): Float64Array {
  const w = new Float64Array(n + m + 1);
  w[n + m] = 1;
  if (warm === undefined) return w;
  for (let j = 0; j < n; j++) w[j] = (sigma * warm.x[j]) / E[j];
  for (let i = 0; i < m; i++) w[n + i] = sigma * (warm.y[i] / D[i] + (D[i] * warm.s[i]) / Ry[i]);
  return w;
}

function checkOptions(options: ConicOptions, { n, m }: CheckedProblem): Settings {
  const { eps = 1e-6, maxIter = 10000, alpha = 1.5, scale = 0.1, warmStart } = options;
  const range = (value: number, low: number, high: number, name: string): void => {
    if (!(value > low && value < high)) {
      throw new ConicInputError(`solveConic: ${name} must be between ${low} and ${high}, got ${value}`);
    }
  };
  range(eps, 0, 1, "eps");
  range(alpha, 0, 2, "alpha");
  range(scale, 0, 1e7, "scale");
  if (!Number.isSafeInteger(maxIter) || maxIter < 1) {
    throw new ConicInputError(`solveConic: maxIter must be an integer >= 1, got ${maxIter}`);
  }
  if (warmStart !== undefined) {
    for (const [name, size] of [["x", n] as const, ["y", m] as const, ["s", m] as const]) {
      const values = Float64Array.from(warmStart[name]);
      if (values.length !== size || !values.every(Number.isFinite)) {
        throw new ConicInputError(`solveConic: warmStart.${name} must hold ${size} finite values`);
      }
    }
  }
  const { adaptScale = true, normalize = true, anderson = true, onProgress, signal } = options;
  return { eps, maxIter, alpha, scale, adaptScale, normalize, anderson, onProgress, signal };
}
