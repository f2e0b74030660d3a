import { adam, type GradientTransformation, minimize, partition } from "@offprint/optim";
import {
  checkRunOptions,
  type MinimizerStatus,
  minimizeLbfgs,
  type RunOptions,
  type RunState,
  runLoop,
  runOptionNames,
} from "@offprint/solvers";
import type { StiffSystem } from "@offprint/spectral";
import {
  abs,
  checkOptions,
  hostBackend,
  jit,
  max,
  requireChoice,
  requireFinite,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  ShapeError,
  type Tensor,
  ValueError,
  valueAndGrad,
} from "@offprint/tensor-core";
import { SHIFT, type TimeDerivative } from "./estimate.js";
import { type Forecast, framesOf, requireFewTimes, requireModes } from "./forecast.js";
import { type Corrections, objectiveOf, type Refinement, refinementOf } from "./refinement.js";

/** The record of an iteration; of a round of the convex variant. */
export interface RefineRecord {
  /** Iterations done. */
  readonly iteration: number;
  /** eta^2 + initialWeight ||u(t_0) - last||^2. */
  readonly objective: number;
}

/** What a refinement goes on from; a tree. */
export type RefineState = RunState<unknown, RefineRecord>;

/** Options of {@link refine}. */
export interface RefineOptions extends RunOptions<RefineRecord, RefineState> {
  /** Time between two frames, > 0. */
  readonly spacing: number;
  /**
   * Frequencies that are free: along both axes at most half of the points, and in time. Default: all, and in time as many as
   * the frames determine, (frames + 2) / 2 rounded down: more let the residual vanish at the frames and not between them.
   */
  readonly modes?: readonly [number, number, number];
  /** Weight of the known frame, >= 0. Default 1; with 0 nothing holds the start of the flow. */
  readonly initialWeight?: number;
  /** `"lbfgs"` (default), or `"adam"` as in the paper, on coefficients as they are. */
  readonly method?: "lbfgs" | "adam";
  /** Of Adam. Default 3e-4. */
  readonly learningRate?: number;
  /** Of Adam for weights, where they are refined, too. Default 1e-4, the paper's. */
  readonly weightsLearningRate?: number;
  /** Pairs that L-BFGS remembers. Default 20. */
  readonly memory?: number;
  /**
   * Rounds of the convex variant, in each of which the velocity that carries the vorticity is held fixed, so that the
   * objective is quadratic; `maxIterations` are divided among them. Default 0: the objective as it is.
   */
  readonly rounds?: number;
  /** Iterations at most. Default 200. */
  readonly maxIterations?: number;
  /** Converged when the root of the objective is at most this. Default 0. */
  readonly tolerance?: number;
  /**
   * Converged, too, when no entry of the gradient is larger, or than this times the largest value of the forecast where that
   * is below 1. Default 1e-8; of `"lbfgs"` only.
   */
  readonly gradientTolerance?: number;
  /** Times for each frame at which the residual is looked at, >= 1. Default 1. */
  readonly oversample?: number;
  /** Default `"spectral"`: the exact derivative of the trajectory. The others are for comparison. */
  readonly timeDerivative?: TimeDerivative;
  /** Whether the weights of the last layer are refined beside its biases. Default false. */
  readonly weights?: boolean;
  /** Order of the norm. Default -1. */
  readonly order?: number;
  /** What is added to |omega|^2 in it, > 0. Default 10^-1.5. */
  readonly shift?: number;
}

/** What {@link refine} gives. */
export interface RefineResult {
  /** The frames of the forecast, `[frames, n, n]`. */
  readonly frames: Tensor;
  /** Their derivatives in time, likewise. */
  readonly rate: Tensor;
  /** The trajectory, to be refined again or looked at at other times. */
  readonly forecast: Forecast;
  /** The estimate of its error: the root of the mean squared norm of the residual. */
  readonly eta: number;
  /** ||u(t_0) - last||, in root mean square. */
  readonly initialError: number;
  /** eta^2 + initialWeight initialError^2. */
  readonly objective: number;
  /** How it ended; `inaccurate` where no step lowers the objective any more. */
  readonly status: MinimizerStatus;
  /** Iterations done. */
  readonly iterations: number;
  /** The records of all. */
  readonly history: readonly RefineRecord[];
  /** What `resume` goes on from. */
  readonly state: RefineState;
}

const names = [
  ...[
    "spacing",
    "modes",
    "initialWeight",
    "method",
    "learningRate",
    "weightsLearningRate",
    "memory",
    "rounds",
    "maxIterations",
    "tolerance",
    "gradientTolerance",
  ],
  ...["oversample", "timeDerivative", "weights", "order", "shift", ...runOptionNames],
];

interface Outcome {
  readonly corrections: Corrections;
  readonly status: MinimizerStatus;
  readonly iterations: number;
  readonly history: readonly RefineRecord[];
  readonly state: RefineState;
}

/** @throws ValueError for an option of the other method, which would do nothing. */
function requireOfMethod(owner: string, method: "lbfgs" | "adam", options: RefineOptions): void {
  const others = method === "lbfgs" ? (["learningRate", "weightsLearningRate"] as const) : (["memory"] as const);
  const unused = others.find((name) => options[name] !== undefined);
  if (unused === undefined) return;
  throw new ValueError(`${owner}: ${unused} is of the other method, and this is "${method}"; leave it out`);
}

/**
 * Refines a forecast of one flow without knowing the truth: the coefficients of its last layer are optimised until the
 * trajectory solves the equation, as measured by the residual in a negative Sobolev norm, and begins at the known frame.
 * @param system the equation, such as `navierStokes` of `@offprint/spectral`
 * @param start of `flowOperator(...).forecast`, or {@link persistence}
 * @throws ValueError, ShapeError; NonFiniteError where the objective is not finite
 */
export async function refine(system: StiffSystem, start: Forecast, options: RefineOptions): Promise<RefineResult> {
  requireObject("refine", "system", system, "a StiffSystem");
  requireObject("refine", "start", start, "a Forecast");
  const owner = "refine";
  checkOptions(owner, options, names, ["spacing"]);
  checkRunOptions(owner, options);
  const { spacing, initialWeight = 1, method = "lbfgs", maxIterations = 200, tolerance = 0 } = options;
  const { oversample = 1, timeDerivative = "spectral", order = -1, shift = SHIFT, rounds = 0 } = options;
  requirePositive(owner, "spacing", spacing);
  requireNonNegative(owner, "initialWeight", initialWeight);
  requireChoice(owner, "method", method, ["lbfgs", "adam"]);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireNonNegative(owner, "tolerance", tolerance);
  requireInteger(owner, "oversample", oversample, 1);
  requireChoice(owner, "timeDerivative", timeDerivative, ["spectral", "finite-difference", "solver-step"]);
  requirePositive(owner, "shift", shift);
  requireNonNegative(owner, "weightsLearningRate", options.weightsLearningRate ?? 0);
  requireInteger(owner, "rounds", rounds, 0);
  requireChoice(owner, "weights", options.weights, [true, false]);
  requireOfMethod(owner, method, options);
  if (!Number.isFinite(order)) throw new ValueError(`${owner}: order is ${order}; it must be a finite number`);
  const modes = modesOf(owner, system, start, options.modes);
  requireFewTimes(owner, { n: start.last.shape[0], length: start.length, first: 0, frames: start.frames, oversample });
  if (rounds > 0 && !("transport" in system && method === "lbfgs")) {
    throw new ValueError(`${owner}: rounds need method "lbfgs" and a system with a transport, such as navierStokes`);
  }
  if (options.weights === true && start.window === undefined) {
    throw new ValueError(`${owner}: weights can be refined of a network's forecast only; leave them out`);
  }
  const scaled = method === "lbfgs";
  const weights = options.weights ?? false;
  const settings = { modes, spacing, order, shift, oversample, timeDerivative, weights, scaled };
  const refinement = refinementOf(system, start, settings);
  const gradientTolerance = (options.gradientTolerance ?? 1e-8) * smallUnit(framesOf(start));
  const run = { ...options, maxIterations, tolerance, initialWeight, gradientTolerance };
  const outcome =
    method === "adam"
      ? await byAdam(refinement, run)
      : rounds > 0
        ? await byRounds(refinement, { ...run, rounds })
        : await byLbfgs(refinement, run);
  const { corrections } = outcome;
  const { frames, rate } = refinement.trajectory(corrections);
  const { residual, start: error } = refinement.terms(corrections);
  const chosen = [{ start: oversample, step: oversample }];
  return {
    frames: frames.slice(chosen),
    rate: rate.slice(chosen),
    forecast: { ...start, coefficients: refinement.coefficients(corrections), modes },
    eta: Math.sqrt(residual.item()),
    initialError: Math.sqrt(error.item()),
    objective: residual.item() + initialWeight * error.item(),
    status: outcome.status,
    iterations: outcome.iterations,
    history: outcome.history,
    state: outcome.state,
  };
}

/** @internal The largest value of frames where it is below 1: what residuals and gradients of flows in a small unit are made of. */
export function smallUnit(frames: Tensor): number {
  return Math.min(1, max(abs(frames)).item()) || 1;
}

type Run = RefineOptions &
  Required<Pick<RefineOptions, "maxIterations" | "tolerance" | "initialWeight" | "gradientTolerance">>;

/** The options of every run, and an end where the goal is reached. */
function watched({ onProgress, signal, checkpoint, resume, tolerance }: Run) {
  const reached = ({ objective }: RefineRecord) => Math.sqrt(objective) <= tolerance;
  return {
    reached,
    options: {
      signal,
      checkpoint: checkpoint as never,
      resume: resume as never,
      async onProgress(record: RefineRecord) {
        const answer = await onProgress?.(record);
        return reached(record) ? "stop" : answer;
      },
    },
  };
}

/** The word for an end that was asked for because the goal was reached. */
function statusOf(status: MinimizerStatus, reached: boolean): MinimizerStatus {
  return status === "stopped" && reached ? "converged" : status;
}

async function byLbfgs(refinement: Refinement, run: Run): Promise<Outcome> {
  const { memory = 20, maxIterations, initialWeight, gradientTolerance } = run;
  const { reached, options } = watched(run);
  const objective = jit(valueAndGrad((c: Corrections) => objectiveOf(refinement.terms(c), initialWeight)));
  const result = await minimizeLbfgs(objective, refinement.initial, {
    memory,
    maxIterations,
    gradientTolerance,
    ...options,
  });
  const { x, status, iterations, history, state } = result;
  const done = history.length > 0 && reached(history[history.length - 1]);
  return { corrections: x, status: statusOf(status, done), iterations, history, state };
}

async function byAdam(refinement: Refinement, run: Run): Promise<Outcome> {
  const { learningRate = 3e-4, weightsLearningRate = 1e-4, maxIterations, initialWeight } = run;
  const { reached, options } = watched(run);
  const rates = { bias: adam({ learningRate }), weight: adam({ learningRate: weightsLearningRate }) };
  const optimizer: GradientTransformation<unknown> =
    refinement.initial.weight === undefined
      ? rates.bias
      : partition(rates, (path) => (path.startsWith("weight") ? "weight" : "bias"));
  const recordOf = ({ step, loss }: { step: number; loss: number }) => ({ iteration: step, objective: loss });
  const result = await minimize(
    (c: Corrections) => objectiveOf(refinement.terms(c), initialWeight),
    refinement.initial,
    optimizer,
    {
      steps: maxIterations,
      backend: hostBackend,
      ...options,
      onProgress: (record) => options.onProgress(recordOf(record)),
    },
  );
  const history = result.history.map(recordOf);
  const done = history.length > 0 && reached(history[history.length - 1]);
  const { params, status, steps, state } = result;
  return { corrections: params, status: statusOf(status, done), iterations: steps, history, state: state as never };
}

interface Round {
  readonly corrections: Corrections;
  readonly objective: number;
  readonly round: number;
}

/** The convex variant: minimise with the velocity held fixed, take the velocity of the result, and again. */
async function byRounds(refinement: Refinement, run: Run & { readonly rounds: number }): Promise<Outcome> {
  const { memory = 20, maxIterations, initialWeight, gradientTolerance, rounds, signal } = run;
  const { reached, options } = watched(run);
  const each = Math.max(1, Math.ceil(maxIterations / rounds));
  const frozen = jit(
    valueAndGrad((c: Corrections, carrier: Tensor) => objectiveOf(refinement.terms(c, carrier), initialWeight)),
  );
  const carrierOf = jit((c: Corrections) => refinement.carrier(c));
  const objectiveAt = jit((c: Corrections) => objectiveOf(refinement.terms(c), initialWeight));
  const { last, status, iterations, history, state } = await runLoop<Round, RefineRecord>(
    {
      owner: "refine",
      limit: maxIterations,
      initial: () => ({ corrections: refinement.initial, objective: Number.POSITIVE_INFINITY, round: 0 }),
      async step(before) {
        const carrier = await carrierOf(before.corrections);
        const inner = await minimizeLbfgs((c: Corrections) => frozen(c, carrier), before.corrections, {
          memory,
          maxIterations: Math.min(each, maxIterations - before.round * each),
          gradientTolerance,
          signal,
        });
        // A round that was broken off is made again by whoever resumes.
        if (inner.status === "aborted") return before;
        const objective = await objectiveAt(inner.x);
        return { corrections: inner.x, objective: objective.item(), round: before.round + 1 };
      },
      count: ({ round }) => Math.min(maxIterations, round * each),
      record: ({ objective }, iteration) => (signal?.aborted ? undefined : { iteration, objective }),
      finished: (now) => (reached({ iteration: 0, objective: now.objective }) ? "converged" : undefined),
    },
    options,
  );
  return { corrections: last.corrections, status, iterations, history, state };
}

function modesOf(
  owner: string,
  system: StiffSystem,
  start: Forecast,
  given: readonly [number, number, number] | undefined,
): readonly [number, number, number] {
  const { points } = system.grid;
  const [n] = points;
  const { last, frames } = start;
  requireFinite(owner, "start.last", last);
  if (points.length !== 2 || points[1] !== n || n % 2 !== 0) {
    throw new ShapeError(`${owner}: the grid has [${points}] points; it must be a square with an even number`);
  }
  if (last.rank !== 2 || last.shape[0] !== n || last.shape[1] !== n) {
    throw new ShapeError(`${owner}: the known frame has shape [${last.shape}]; the grid's is [${points}]`);
  }
  const modes = given ?? ([n / 2, n / 2, Math.floor((frames + 2) / 2)] as const);
  if (!Array.isArray(modes) || modes.length !== 3) {
    throw new ValueError(`${owner}: modes is ${JSON.stringify(modes)}; give three numbers: two of space, one of time`);
  }
  requireModes(owner, modes, start);
  modes.forEach((m, axis) => {
    requireInteger(owner, `modes[${axis}]`, m, start.modes[axis]);
  });
  return modes as readonly [number, number, number];
}
