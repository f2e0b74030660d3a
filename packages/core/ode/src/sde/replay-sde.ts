import { asVariables, raveling } from "@offprint/solvers";
import {
  add,
  arange,
  cast,
  checkOptions,
  concatenate,
  customVjp,
  div,
  equal,
  expandDims,
  greaterEqual,
  isTensor,
  less,
  lessEqual,
  logicalAnd,
  maximum,
  mul,
  reshape,
  ShapeError,
  scatterAdd,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  tree,
  vjp,
  where,
  whileLoop,
  zeros,
  zerosLike,
} from "@offprint/tensor-core";
import { tolerancesOf } from "../options.js";
import type { TensorRate } from "../solve.js";
import { checkedFactors, noiseForm } from "./noise-form.js";
import type { StochasticSteps } from "./solve-sde.js";
import { stochasticError } from "./stochastic-machine.js";
import { checkStochastic, type StochasticSteppingOptions } from "./stochastic-options.js";

/** Options of {@link replaySde}: method, tolerances and noise as in the solve. */
export interface ReplayOptions<P = unknown>
  extends Pick<StochasticSteppingOptions, "method" | "relativeTolerance" | "absoluteTolerance" | "noise"> {
  /** Handed to drift and diffusion: a tree of float tensors, which gets a gradient. */
  readonly parameters?: P;
  /** Times of `ys`, `[m]`; between steps states are interpolated linearly, outside the steps they are NaN. */
  readonly saveAt?: TensorLike;
}

/** What {@link replaySde} gives: tensors with gradients. */
export interface Replay<Y> {
  /** The state at the end. */
  readonly y: Y;
  /** The states at the times of `saveAt`, as vectors `[m, n]`. */
  readonly ys: Tensor;
  /** Errors of the steps, relative to the tolerances, `[room]`; 0 behind the last. */
  readonly errors: Tensor;
  /** Estimates of the largest eigenvalue of the drift's Jacobian, `[room]`. */
  readonly stiffness: Tensor;
}

/**
 * Makes the steps of a stochastic solve again, with the increments of its path and its sizes as constants: an operation of
 * tensors with the exact gradient of these steps by `u0` and the parameters, from the last step to the first; states are
 * all that is kept.
 * @throws ValueError for options out of range.
 */
export function replaySde<Y, P = unknown>(
  drift: TensorRate<Y, P>,
  diffusion: TensorRate<Y, P>,
  u0: Y,
  steps: StochasticSteps,
  options: ReplayOptions<P> = {},
): Replay<Y> {
  const owner = "replaySde";
  checkOptions(owner, options, ["method", "relativeTolerance", "absoluteTolerance", "noise", "parameters", "saveAt"]);
  const stepping = checkStochastic(owner, options);
  const { method } = stepping;
  const example = asVariables(u0) as Y;
  const state = raveling(owner, example);
  const tolerances = tolerancesOf(owner, stepping, state);
  const noise = noiseForm(owner, state.size, isTensor(example) ? example.shape : undefined, options.noise);
  requireSteps(owner, steps, noise.size);
  const factors = (parameters: P) => (t: Tensor, u: Tensor) => {
    const g = diffusion(cast(t, state.dtype), state.unravel(u), parameters);
    return noise.diagonal
      ? state.ravel(g)
      : checkedFactors(owner, g as unknown as TensorLike, noise.factors, state.dtype);
  };
  const vector = (f: TensorRate<Y, P>, parameters: P) => (t: Tensor, u: Tensor) =>
    state.ravel(f(cast(t, state.dtype), state.unravel(u), parameters));
  const stepAt = (u: Tensor, parameters: P, { t, h, dW, dZ }: StepInputs) => {
    const system = { size: state.size, drift: vector(drift, parameters), diffusion: factors(parameters), noise };
    const step = method.step(system, t, u, h, { dW: cast(dW, state.dtype), dZ: cast(dZ, state.dtype) });
    const error = stochasticError(u, step, tolerances);
    return {
      next: step.next,
      error,
      stiffness: step.stiffness === undefined ? mul(error, 0) : cast(step.stiffness, "float64"),
    };
  };
  const all = differentiableSteps(stepAt);
  const parameters = (options.parameters === undefined ? null : asVariables(options.parameters)) as P;
  const first = state.ravel(example);
  const { last, ends, errors, stiffness } = all(first, parameters, steps);
  const times = options.saveAt === undefined ? undefined : tensor(options.saveAt, { dtype: "float64" });
  const ys = times === undefined ? zeros([0, state.size], state.dtype) : interpolated(first, ends, steps, times);
  return { y: state.unravel(last), ys, errors, stiffness };
}

/** @throws ShapeError unless every step has a time, a size and increments of its own */
function requireSteps(owner: string, { t, h, dW, dZ }: StochasticSteps, size: number): void {
  const [room] = h.shape;
  const wanted = { t: [room], h: [room], dW: [room, size], dZ: [room, size] };
  for (const [name, each] of Object.entries({ t, h, dW, dZ })) {
    const expected = wanted[name as keyof typeof wanted];
    if (each?.shape?.join() === expected.join()) continue;
    throw new ShapeError(`${owner}: ${name} of the steps has shape [${each?.shape}]; these steps need [${expected}]`);
  }
}

interface StepInputs {
  readonly t: Tensor;
  readonly h: Tensor;
  readonly dW: Tensor;
  readonly dZ: Tensor;
}

interface StepValues {
  readonly next: Tensor;
  readonly error: Tensor;
  readonly stiffness: Tensor;
}

interface Made {
  readonly last: Tensor;
  /** States at the ends of the steps, `[room, n]`. */
  readonly ends: Tensor;
  readonly errors: Tensor;
  readonly stiffness: Tensor;
}

/** All steps, and their gradient. */
function differentiableSteps<P>(stepAt: (u: Tensor, parameters: P, inputs: StepInputs) => StepValues) {
  const inputsAt = (steps: StochasticSteps, step: Tensor): StepInputs => ({
    t: take(steps.t, step),
    h: take(steps.h, step),
    dW: take(steps.dW, step),
    dZ: take(steps.dZ, step),
  });
  const forward = (u0: Tensor, parameters: P, steps: StochasticSteps): Made => {
    const [room] = steps.h.shape;
    const column = zeros([room], "float64");
    const start = {
      step: tensor(0, { dtype: "int32" }),
      last: u0,
      ends: zeros([room, u0.size], u0.dtype),
      errors: column,
      stiffness: column,
    };
    const end = whileLoop(
      ({ step }) => less(step, steps.count),
      (s: typeof start): typeof start => {
        const made = stepAt(s.last, parameters, inputsAt(steps, s.step));
        return {
          step: add(s.step, 1),
          last: made.next,
          ends: scatterAdd(s.ends, s.step, made.next),
          errors: scatterAdd(s.errors, s.step, made.error),
          stiffness: scatterAdd(s.stiffness, s.step, made.stiffness),
        };
      },
      start,
    );
    return { last: end.last, ends: end.ends, errors: end.errors, stiffness: end.stiffness };
  };
  const withoutRecord = (...given: [Tensor, P, StochasticSteps]) =>
    forward(...(tree.map(stopGradient, given) as [Tensor, P, StochasticSteps]));
  return customVjp(
    withoutRecord,
    (u0: Tensor, parameters: P, steps: StochasticSteps) => {
      const made = withoutRecord(u0, parameters, steps);
      return [made, { made, u0, parameters, steps }];
    },
    ({ made, u0, parameters, steps }, cotangents: Made) => {
      const start = {
        step: sub(steps.count, 1),
        state: cotangents.last,
        parameters: tree.map(zerosLike, parameters) as P,
      };
      const end = whileLoop(
        ({ step }) => greaterEqual(step, 0),
        (s: typeof start): typeof start => {
          const before = where(equal(s.step, 0), u0, take(made.ends, maximum(sub(s.step, 1), 0)));
          const inputs = inputsAt(steps, s.step);
          const [, pullback] = vjp((u: Tensor, p: P) => stepAt(u, p, inputs), before, parameters);
          const [state, slopes] = pullback({
            next: add(s.state, take(cotangents.ends, s.step)),
            error: take(cotangents.errors, s.step),
            stiffness: take(cotangents.stiffness, s.step),
          });
          return {
            step: sub(s.step, 1),
            state,
            parameters: tree.map((a: Tensor, b: Tensor) => add(a, b), s.parameters, slopes),
          };
        },
        start,
      );
      return [end.state, end.parameters, null];
    },
  ) as (u0: Tensor, parameters: P, steps: StochasticSteps) => Made;
}

/** Rounding of a time, as a part of a step. */
const NEARLY = 1e-9;

/** States at some times, `[m, n]`, linearly between the ends of steps. */
function interpolated(first: Tensor, ends: Tensor, { t, h, count }: StochasticSteps, times: Tensor): Tensor {
  const there = less(arange(0, t.size, 1, "int32"), count);
  const begun = logicalAnd(lessEqual(expandDims(t, 0), expandDims(times, 1)), expandDims(there, 0));
  const step = maximum(sub(sum(cast(begun, "int32"), 1), 1), 0);
  const size = take(h, step);
  const none = equal(size, 0);
  const within = div(sub(times, take(t, step)), where(none, 1, size));
  // But for rounding no time may lie before the first step or behind the last.
  const known = logicalAnd(greaterEqual(within, -NEARLY), lessEqual(within, 1 + NEARLY));
  const part = cast(where(none, 0, where(known, within, Number.NaN)), first.dtype);
  const states = concatenate([expandDims(first, 0), ends]);
  const [from, to] = [take(states, step), take(states, add(step, 1))];
  return add(from, mul(reshape(part, [times.size, 1]), sub(to, from)));
}
