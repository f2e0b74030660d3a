import {
  type Backend,
  NonFiniteError,
  requireInteger,
  requireNonNegative,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { checkedStep, disposeReplaced, onHost, trainingStep } from "./training-step.js";
import type { GradientTransformation } from "./transformation.js";

/** What `onStep` is told. */
export interface MinimizeProgress<P> {
  /** Number of the update that was just made, 1 for the first. */
  readonly step: number;
  /** The loss before that update. */
  readonly loss: number;
  /** Euclidean norm of the gradient before that update. */
  readonly gradientNorm: number;
  /** The parameters after it. */
  readonly params: P;
}

/** Options of `minimize`. */
export interface MinimizeOptions<P> {
  /** Number of updates, >= 0. */
  steps: number;
  /** State to go on from, of an earlier run with the same optimizer. Default: `optimizer.init(params)`. */
  optimizerState?: unknown;
  /** Stop once the norm of the gradient is at most this. Default: never, as momentum may lead on. */
  tolerance?: number;
  /** Compiles each step; without it steps run eagerly. */
  backend?: Backend;
  /** Stops before the next step. */
  signal?: AbortSignal;
  /** Called after each step, and awaited; `"stop"` ends the run. */
  onStep?: (progress: MinimizeProgress<P>) => unknown;
}

/** How a run ended: all steps made, the gradient small enough, or stopped by the caller. */
export type MinimizeStatus = "completed" | "converged" | "stopped" | "aborted";

/** What `minimize` gives. */
export interface MinimizeResult<P> {
  /** The last parameters, in memory. */
  readonly params: P;
  /** The optimizer's state, to go on from. */
  readonly optimizerState: any;
  /** The loss before each update. */
  readonly losses: readonly number[];
  /** Number of updates made. */
  readonly steps: number;
  /** How the run ended. */
  readonly status: MinimizeStatus;
}

/**
 * Minimises a differentiable function of a tree of parameters.
 * @param loss takes the parameters and the number of the update (a float32 scalar, 1 for the first); returns a scalar
 * @throws NonFiniteError, with the last good `{ params, optimizerState, losses, steps }` as its `state`, when loss or
 * gradient stop being finite.
 * @example
 * const { params } = await minimize((x) => square(sub(x, 3)), tensor(0), adam({ learningRate: 0.1 }), { steps: 200 });
 */
export async function minimize<P>(
  loss: (params: P, step: Tensor) => Tensor,
  params: P,
  optimizer: GradientTransformation,
  options: MinimizeOptions<P>,
): Promise<MinimizeResult<P>> {
  const { steps, tolerance, backend, signal, onStep } = options;
  requireInteger("minimize", "steps", steps, 0);
  if (tolerance !== undefined) requireNonNegative("minimize", "tolerance", tolerance);
  const step = checkedStep(trainingStep(loss as any, optimizer), backend);
  let current = params;
  let state: unknown = options.optimizerState ?? optimizer.init(params as any);
  const losses: number[] = [];
  let status: MinimizeStatus = "completed";
  try {
    while (losses.length < steps) {
      if (signal?.aborted) {
        status = "aborted";
        break;
      }
      const result = await step(current, state, tensor(losses.length + 1));
      disposeReplaced([current, state], [result.params, result.optimizerState, params, options.optimizerState]);
      current = result.params;
      state = result.optimizerState;
      losses.push(result.loss);
      const { loss: value, gradientNorm } = result;
      const answer = await onStep?.({ step: losses.length, loss: value, gradientNorm, params: current });
      if (answer === "stop" || (tolerance !== undefined && gradientNorm <= tolerance)) {
        status = answer === "stop" ? "stopped" : "converged";
        break;
      }
    }
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    const last = await onHost({ params: current, optimizerState: state });
    const message = `minimize: step ${losses.length + 1}: ${error.message}`;
    throw new NonFiniteError(message, { state: { ...last, losses, steps: losses.length }, cause: error });
  } finally {
    await step.release();
  }
  const last = await onHost({ params: current, optimizerState: state });
  return { ...last, losses, steps: losses.length, status };
}
