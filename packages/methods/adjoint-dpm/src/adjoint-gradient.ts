import {
  prepareSampling,
  runTrajectory,
  type SamplerRecord,
  type SamplerResult,
  type SamplerState,
  stateOf,
} from "@offprint/diffusion";
import type { RunOptions } from "@offprint/solvers";
import {
  checkOptions,
  isTensor,
  mean,
  requireObject,
  ShapeError,
  square,
  type Tensor,
  type TensorLike,
  tree,
  ValueError,
  zerosLike,
} from "@offprint/tensor-core";
import { type AdjointTape, counted, formOf } from "./adjoint-sample.js";
import { type Augmented, augmentedRate } from "./field.js";
import { callsOf, denoiserOf, isParametric, type Wanted } from "./model.js";
import { intervalStep, type Past, requireOfSolver, type SolverOptions, solverNames } from "./ode-step.js";
import { treeCombination } from "./tree-combination.js";

/** Options of {@link adjointGradient}. */
export interface AdjointGradientOptions extends SolverOptions, RunOptions<SamplerRecord, SamplerState> {
  /** What gradients are wanted of, beside the noise. */
  readonly want?: Wanted;
  /** Gradients of the loss by the recorded states, in their order. */
  readonly states?: readonly TensorLike[];
}

/** Gradients of a loss of samples. */
export interface AdjointGradient<P, C> extends Pick<SamplerResult, "steps" | "calls" | "status" | "history" | "state"> {
  /** By the noise at the beginning, `[batch, ...]`. */
  readonly noise: Tensor;
  /** By the condition; undefined where it is not wanted. */
  readonly condition: C | undefined;
  /** By the parameters; undefined where they are not wanted. */
  readonly params: P | undefined;
  /** How far the way back missed where it began, relative: an estimate of its error, for nothing. */
  readonly reverseDrift: number;
}

interface Ascending<P, C> extends Augmented<P, C> {
  readonly past: readonly Past<Augmented<P, C>>[];
}

/**
 * Gradients by the adjoint equation, solved backwards from the end of a sample: `da/drho = -alpha (d noise / dx)^T a`, with the products for condition
 * and parameters gathered beside it. Memory is that of one call of the network, whatever the number of steps.
 * @param gradient of the loss by the samples, `[batch, ...]`
 * @throws ShapeError for a gradient of another shape; UnsupportedError for an external denoiser without `vjp`.
 */
export async function adjointGradient<P = null, C = Tensor>(
  tape: AdjointTape<P, C>,
  gradient: TensorLike,
  options: AdjointGradientOptions = {},
): Promise<AdjointGradient<P, C>> {
  const owner = "adjointGradient";
  requireObject(owner, "tape", tape, "an AdjointTape");
  if (!isTensor(tape.y)) throw new ValueError(`${owner}: tape holds no state; give the \`tape\` of adjointSample`);
  checkOptions(owner, options, [...solverNames, "want", "states", "onProgress", "signal", "checkpoint", "resume"]);
  const { model, levels, condition, form, record } = tape;
  const denoiser = denoiserOf(model);
  const {
    want,
    states = [],
    solver: _,
    order: __,
    relativeTolerance: ___,
    absoluteTolerance: ____,
    ...running
  } = options;
  checkOptions(`${owner}: want`, want, ["condition", "params"]);
  const wanted = {
    condition: want?.condition ?? condition !== undefined,
    params: want?.params ?? isParametric(model),
  };
  if (wanted.condition && condition === undefined)
    throw new ValueError(`${owner}: want.condition is true, but the sample had none`);
  if (wanted.params && !isParametric(model)) {
    throw new ValueError(
      `${owner}: want.params is true, but the model is a denoiser without parameters; give { network, params }`,
    );
  }
  const fits = (name: string, value: TensorLike): Tensor => {
    const given = stateOf(owner, name, value, tape.y.dtype as "float64");
    if (given.shape.join() === tape.y.shape.join()) return given;
    throw new ShapeError(`${owner}: ${name} has shape [${given.shape}] for samples of shape [${tape.y.shape}]`);
  };
  const end = fits("gradient", gradient);
  if (states.length !== record.length && states.length !== 0) {
    throw new ValueError(`${owner}: states has ${states.length} gradients for ${record.length} recorded states`);
  }
  const jumps = states.map((each, i) => fits(`states[${i}]`, each));
  const equation = formOf(form, denoiser);
  const step = intervalStep(owner, { ...tape.solving, ...options });
  requireOfSolver(owner, { solver: tape.solving.solver, ...options });
  const { calls, count } = counted(callsOf(owner, model, tape.backend));
  const rate = augmentedRate(equation, calls, condition, wanted);
  const sampling = prepareSampling(owner, denoiser, tape.y, { levels, ...running });
  const jumped = (a: Tensor, place: number): Tensor => {
    const at = record.indexOf(place);
    return at < 0 || jumps.length === 0 ? a : treeCombination([1, equation.scale(levels[place])], [a, jumps[at]]);
  };
  const zero = <T>(value: T): T => tree.map((leaf) => (isTensor(leaf) ? zerosLike(leaf) : leaf), value) as T;
  const { carried, ...result } = await runTrajectory<C, Ascending<P, C>>(
    { ...sampling, count },
    {
      initial: () => ({
        y: tape.y,
        a: jumped(treeCombination([equation.scale(levels[0])], [end]), 0),
        condition: wanted.condition ? zero(condition as C) : null,
        params: wanted.params && isParametric(model) ? zero(model.params) : null,
        past: [],
      }),
      async step({ past, ...state }, k) {
        const [from, to] = [levels[k - 1], levels[k]];
        const next = await step<Augmented<P, C>>(rate, state, equation.time(from), equation.time(to), past);
        return { ...next.state, a: jumped(next.state.a, k), past: next.past };
      },
      position: ({ a }) => a,
      placeAfter: (k) => k,
    },
  );
  const missed = Math.sqrt(mean(square(carried.y.sub(tape.start))).item() / mean(square(tape.start)).item());
  const { steps, calls: made, status, history, state } = result;
  return {
    noise: treeCombination([1 / equation.scale(levels[levels.length - 1])], [carried.a]),
    condition: carried.condition ?? undefined,
    params: carried.params ?? undefined,
    reverseDrift: missed,
    steps,
    calls: made,
    status,
    history,
    state,
  };
}
