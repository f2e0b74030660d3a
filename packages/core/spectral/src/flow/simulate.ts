import {
  type RunOptions,
  type RunState,
  requireStateLike,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  add,
  all,
  cast,
  checkOptions,
  isFinite,
  jit,
  less,
  NonFiniteError,
  requireChoice,
  requireFinite,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  stack,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  whileLoop,
} from "@offprint/tensor-core";
import type { Complex } from "../complex.js";
import { asField, toField, toSpectrum } from "../transform.js";
import { type Scheme, type SchemeName, schemes } from "./schemes.js";
import type { StiffSystem } from "./system.js";

/** The record of a frame. */
export interface FrameRecord {
  /** Its number, from 1. */
  readonly frame: number;
  /** Time since the start. */
  readonly time: number;
  /** Root mean square of the field. */
  readonly rootMeanSquare: number;
}

/** When a simulation keeps frames. */
export interface SimulationPace {
  /** Time between two steps. */
  readonly stepSize: number;
  /** Steps between two frames. */
  readonly between: number;
  /** Steps before the first frame. */
  readonly before: number;
}

/** Where a simulation stands. */
export interface SimulationPoint {
  /** What steps and frames are counted by. */
  readonly pace: SimulationPace;
  /** Coefficients of the fields now. */
  readonly spectrum: Complex;
  /** Steps done. */
  readonly steps: number;
  /** Frames kept. */
  readonly frames: readonly Tensor[];
}

/** Options of {@link simulate}. */
export interface SimulateOptions extends RunOptions<FrameRecord, RunState<SimulationPoint, FrameRecord>> {
  /** Time between two steps, > 0. */
  readonly stepSize: number;
  /** Frames to keep, >= 1. */
  readonly frames: number;
  /** Time between two frames, a whole number of steps. Default `stepSize`. */
  readonly spacing?: number;
  /** Time before the first frame, a whole number of steps. Default `spacing`. */
  readonly warmUp?: number;
  /** Default "imex2". */
  readonly scheme?: SchemeName | Scheme;
}

/** What {@link simulate} gives. */
export interface Simulation {
  /** `[..., frames, ...points]`. */
  readonly frames: Tensor;
  /** Times of the frames. */
  readonly times: Float64Array;
  /** Steps done. */
  readonly steps: number;
  /** How it ended; `limit` after all frames. */
  readonly status: Status;
  /** The records of all frames. */
  readonly history: FrameRecord[];
  /** What it goes on from. */
  readonly state: RunState<SimulationPoint, FrameRecord>;
}

const called: Readonly<Record<keyof SimulationPace, string>> = {
  stepSize: "stepSize",
  between: "spacing in steps",
  before: "warmUp in steps",
};

/** Steps of one call of the compiled loop: few, so that a signal is looked at often. */
const CHUNK = 32;

/**
 * Runs a system from given fields and keeps frames. Steps are compiled.
 * @param initial fields `[..., ...points]`; plain numbers are read in float64
 * @throws NonFiniteError where fields stop being finite: the step is too large; its `state` is the last good one
 */
export async function simulate(
  system: StiffSystem,
  initial: TensorLike,
  options: SimulateOptions,
): Promise<Simulation> {
  requireObject("simulate", "system", system, "a StiffSystem");
  const names = ["stepSize", "frames", "spacing", "warmUp", "scheme", ...runOptionNames];
  checkOptions("simulate", options, names, ["stepSize", "frames"]);
  if (system.grid === undefined || typeof system.nonlinear !== "function") {
    throw new ValueError("simulate: system is not a StiffSystem; give { grid, linear, nonlinear }, as of navierStokes");
  }
  const { grid } = system;
  const { stepSize, frames, spacing = stepSize, warmUp = spacing } = options;
  requirePositive("simulate", "stepSize", stepSize);
  requireInteger("simulate", "frames", frames, 1);
  requireNonNegative("simulate", "warmUp", warmUp);
  const between = wholeSteps("spacing", spacing, stepSize, 1);
  const before = wholeSteps("warmUp", warmUp, stepSize, 0);
  const scheme = schemeOf(options.scheme ?? "imex2");
  const field = cast(asField("simulate", grid, initial), system.linear.dtype);
  requireFinite("simulate", "initial", field);
  const advance = jit((spectrum: Complex, count: Tensor) => {
    const begin = { done: tensor(0, { dtype: "int32" }), spectrum };
    const end = whileLoop(
      ({ done }: typeof begin) => less(done, count),
      ({ done, spectrum: w }) => ({ done: add(done, 1), spectrum: scheme.step(system, w, stepSize) }),
      begin,
    );
    return end.spectrum;
  });
  const stepOf = (frame: number) => before + (frame - 1) * between;
  const pace = { stepSize, between, before };
  const run = await runLoop<SimulationPoint, FrameRecord>(
    {
      owner: "simulate",
      limit: frames,
      limitName: "frames",
      initial: () => ({ pace, spectrum: toSpectrum(grid, field), steps: 0, frames: [] }),
      async step({ spectrum, steps, frames: kept }) {
        const count = Math.min(CHUNK, stepOf(kept.length + 1) - steps);
        const next = await advance(spectrum, tensor(count, { dtype: "int32" }));
        return keep({ pace, spectrum: next, steps: steps + count, frames: kept });
      },
      check(point) {
        requireStateLike("simulate", point, { pace, spectrum: toSpectrum(grid, field), steps: 0 });
        if (!Array.isArray(point.frames))
          throw new ValueError("simulate: resume has no frames; give a state of simulate");
        for (const [name, is] of Object.entries(pace)) {
          const was = point.pace[name as keyof SimulationPace];
          if (was === is) continue;
          throw new ValueError(
            `simulate: resume is of a run with ${called[name as keyof SimulationPace]} ${was}, not ${is}: its frames would not be at these times; give the options of that run`,
          );
        }
      },
      count: (state) => state.frames.length,
      record({ frames: kept, steps }) {
        if (kept.length === 0 || steps !== stepOf(kept.length)) return undefined;
        const rootMeanSquare = Math.sqrt(kept[kept.length - 1].square().mean().item());
        return { frame: kept.length, time: steps * stepSize, rootMeanSquare };
      },
    },
    options,
  );
  const { last, status, history, state } = run;
  return {
    frames: framesOf(last, field, field.rank - grid.dimensions),
    times: Float64Array.from(last.frames, (_, i) => stepOf(i + 1) * stepSize),
    steps: last.steps,
    status,
    history,
    state,
  };

  /** Keeps a frame where one is due. */
  function keep(point: SimulationPoint): SimulationPoint {
    if (point.frames.length >= frames || point.steps !== stepOf(point.frames.length + 1)) return point;
    const now = toField(grid, point.spectrum);
    if (!all(isFinite(now)).item()) {
      throw new NonFiniteError(
        `the field is not finite at time ${point.steps * stepSize}; take a stepSize below ${stepSize}`,
      );
    }
    return { ...point, frames: [...point.frames, now] };
  }
}

function framesOf({ frames }: SimulationPoint, field: Tensor, axis: number): Tensor {
  if (frames.length > 0) return stack(frames, axis);
  const shape = [...field.shape.slice(0, axis), 0, ...field.shape.slice(axis)];
  return tensor(new Float64Array(0), { shape, dtype: field.dtype });
}

function schemeOf(scheme: SchemeName | Scheme): Scheme {
  if (typeof scheme === "object" && typeof scheme?.step === "function") return scheme;
  requireChoice("simulate", "scheme", scheme, Object.keys(schemes));
  return schemes[scheme as SchemeName];
}

function wholeSteps(option: string, time: number, stepSize: number, least: number): number {
  const steps = Math.round(time / stepSize);
  if (!(Math.abs(time / stepSize - steps) < 1e-6) || steps < least) {
    throw new ValueError(
      `simulate: ${option} is ${time}; it must be a whole number of steps of ${stepSize}, at least ${least}`,
    );
  }
  return steps;
}
