import {
  type Denoiser,
  type Level,
  prepareSampling,
  runTrajectory,
  type SamplerOptions,
  type SamplerResult,
} from "@offprint/diffusion";
import { requireChoice, type Tensor, type TensorLike, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { type Form, type Forward, forwardRate, rawFlow, reparametrised } from "./field.js";
import { type AdjointModel, type Calls, callsOf, denoiserOf, requireModel } from "./model.js";
import { intervalStep, type Past, requireOfSolver, type SolverOptions, solverNames, treeBytes } from "./ode-step.js";
import { treeCombination } from "./tree-combination.js";

/** Options of {@link adjointSample}. */
export interface AdjointOptions<C = Tensor> extends SamplerOptions<C>, SolverOptions {
  /** The equation that is solved: the paper's, or the raw one in time, a baseline. Default `"reparametrised"`. */
  readonly form?: "reparametrised" | "raw";
  /** Places of the grid, 0 at the clean end, whose states are given back too, for losses that read them. */
  readonly record?: readonly number[];
}

/** @internal Names beside those of samplers. */
export const adjointNames = [...solverNames, "form", "record"] as const;

/** What the way back needs: constant in size, whatever the number of steps. */
export interface AdjointTape<P, C> {
  /** The variable at the clean end. */
  readonly y: Tensor;
  /** The variable at the noisy end, to judge the way back by. */
  readonly start: Tensor;
  /** The grid, from clean to noisy. */
  readonly levels: readonly Level[];
  /** The condition. */
  readonly condition: C | undefined;
  /** Which equation. */
  readonly form: "reparametrised" | "raw";
  /** How it was solved. */
  readonly solving: SolverOptions;
  /** The model. */
  readonly model: AdjointModel<P, C>;
  /** Places whose states were recorded. */
  readonly record: readonly number[];
  /** Where the model is compiled. */
  readonly backend: SamplerOptions["backend"];
}

/** What {@link adjointSample} gives. */
export interface AdjointSample<P, C> extends SamplerResult {
  /** For `adjointGradient`. */
  readonly tape: AdjointTape<P, C>;
  /** Bytes of the tape's tensors. */
  readonly tapeBytes: number;
  /** States at the recorded places, in their order. */
  readonly states: readonly Tensor[];
}

interface Descending extends Forward {
  readonly past: readonly Past<Forward>[];
  readonly states: readonly Tensor[];
}

/** @internal Options of samplers with the grid that both equations want: evenly spaced in the logarithm, no clean end. */
export function usualGrid<C>(owner: string, denoiser: Denoiser<C>, options: SamplerOptions<C>): SamplerOptions<C> {
  if (options.clean !== undefined && options.clean !== "none") {
    throw new ValueError(`${owner}: clean is "${options.clean}"; the equation ends at a level with noise, "none"`);
  }
  if (options.levels !== undefined) {
    if (!(options.levels[0]?.sigma > 0))
      throw new ValueError(`${owner}: levels[0] has no noise; the equation must end above it`);
    return options;
  }
  return {
    steps: 20,
    spacing: denoiser.schedule.kind === "variance-exploding" ? "karras" : "logSnr",
    ...options,
    clean: "none",
  };
}

/** @internal The form of an equation. */
export function formOf(form: "reparametrised" | "raw", denoiser: Pick<Denoiser<never>, "schedule">): Form {
  return form === "raw" ? rawFlow(denoiser.schedule) : reparametrised(denoiser.schedule);
}

/** @internal Calls of a model that are counted. */
export function counted<P, C>(calls: Calls<P, C>): { calls: Calls<P, C>; count: () => number } {
  let made = 0;
  return {
    calls: {
      noise(z, level, condition) {
        made++;
        return calls.noise(z, level, condition);
      },
      pulled(z, level, condition, cotangent, wanted) {
        made++;
        return calls.pulled(z, level, condition, cotangent, wanted);
      },
    },
    count: () => made,
  };
}

/**
 * Samples by the probability-flow equation, `dy/drho = noise(alpha y)` with `y = x / alpha`, and keeps what the way back needs: the end
 * alone.
 * @param initial states at the noisiest level, `[batch, ...]`
 * @throws ValueError for grids that do not grow or end without noise; NonFiniteError that names the level.
 * @see https://arxiv.org/abs/2307.10711
 */
export async function adjointSample<P = null, C = Tensor>(
  model: AdjointModel<P, C>,
  initial: TensorLike,
  options: AdjointOptions<C> = {},
): Promise<AdjointSample<P, C>> {
  requireModel("adjointSample", model);
  const owner = "adjointSample";
  const denoiser = denoiserOf(model);
  const { form = "reparametrised", record = [], condition, backend } = options;
  const sampling = prepareSampling(owner, denoiser, initial, usualGrid(owner, denoiser, options), adjointNames);
  requireChoice(owner, "form", form, ["reparametrised", "raw"]);
  const step = intervalStep(owner, options);
  requireOfSolver(owner, options);
  const { levels, z } = sampling;
  if (form === "raw" && denoiser.schedule.kind === "variance-exploding" && levels[0].alpha !== 1) {
    throw new UnsupportedError(`${owner}: form "raw" needs levels of the schedule`);
  }
  const top = levels.length - 1;
  for (const place of record) {
    if (Number.isInteger(place) && place >= 0 && place < top) continue;
    throw new ValueError(`${owner}: record holds ${place}; places are integers from 0 to ${top - 1}`);
  }
  const equation = formOf(form, denoiser);
  const { calls, count } = counted(callsOf(owner, model, backend));
  const rate = forwardRate(equation, calls, condition);
  const start = treeCombination([1 / equation.scale(levels[top])], [z]);
  const { carried, ...result } = await runTrajectory<C, Descending>(
    { ...sampling, count },
    {
      initial: () => ({ y: start, past: [], states: [] }),
      async step({ y, past, states }, k) {
        const [from, to] = [levels[top - k + 1], levels[top - k]];
        const next = await step(rate, { y }, equation.time(from), equation.time(to), past);
        const kept = record.includes(top - k) ? [treeCombination([equation.scale(to)], [next.state.y])] : [];
        return { y: next.state.y, past: next.past, states: [...states, ...kept] };
      },
      position: ({ y }) => y,
      placeAfter: (k) => top - k,
    },
  );
  const { solver, order, relativeTolerance, absoluteTolerance } = options;
  const solving = {
    ...(solver && { solver }),
    ...(order && { order }),
    ...(relativeTolerance && { relativeTolerance }),
    ...(absoluteTolerance && { absoluteTolerance }),
  };
  const tape = { y: carried.y, start, levels, condition, form, solving, model, record, backend };
  const reached = levels[Math.max(0, top - result.steps)];
  // Recorded on the way down, they come in the order that was asked for.
  const descending = [...record].sort((a, b) => b - a);
  return {
    ...result,
    x: treeCombination([equation.scale(reached)], [carried.y]),
    tape,
    tapeBytes: treeBytes([tape.y, tape.start, condition ?? null, levels.map((level) => ({ ...level }))]),
    states: result.steps < top ? [] : record.map((place) => carried.states[descending.indexOf(place)]),
  };
}
