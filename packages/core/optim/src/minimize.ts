import {
  type Figures,
  figuresOf,
  type RunOptions,
  type RunState,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  type Backend,
  checkOptions,
  requireFunction,
  requireInteger,
  requireNonNegative,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { checkedStep, disposeReplaced, onHost, trainingStep } from "./training-step.js";
import type { GradientTransformation } from "./transformation.js";

/** What is told of a step. */
export interface MinimizeRecord {
  /** Number of the update, 1 for the first. */
  readonly step: number;
  /** The loss before it. */
  readonly loss: number;
  /** Euclidean norm of the gradient before it. */
  readonly gradientNorm: number;
  /** What `evaluate` gave after it. */
  readonly evaluation?: Readonly<Record<string, number>>;
}

/** Where a minimisation stands. */
export interface MinimizePoint<P, S = unknown> {
  /** The parameters. */
  readonly params: P;
  /** The optimizer's state. */
  readonly optimizerState: S;
  /** The loss before the last update; null before the first. */
  readonly loss: number | null;
  /** Euclidean norm of the gradient there. */
  readonly gradientNorm: number | null;
}

/** A state to go on from; a tree of tensors and numbers. */
export type MinimizeState<P, S = unknown> = RunState<MinimizePoint<P, S>, MinimizeRecord>;

/** Options of `minimize`. */
export interface MinimizeOptions<P, S = unknown> extends RunOptions<MinimizeRecord, MinimizeState<P, S>> {
  /** Number of updates, >= 0, those of the resumed run included. */
  steps: number;
  /** State of the optimizer to begin with. Default: `optimizer.init(initial)`. */
  optimizerState?: S;
  /** Converged once the norm of the gradient is at most this. Default: never, as momentum may lead on. */
  gradientTolerance?: number;
  /** Figures of the parameters to record after each step. */
  evaluate?: (params: P) => Figures;
  /** Compiles each step; without it steps run eagerly. */
  backend?: Backend;
}

/** What `minimize` gives. */
export interface MinimizeResult<P, S = unknown> {
  /** The last parameters, in memory. */
  readonly params: P;
  /** The optimizer's state. */
  readonly optimizerState: S;
  /** The record of every step. */
  readonly history: readonly MinimizeRecord[];
  /** Number of updates made. */
  readonly steps: number;
  /** How the run ended. */
  readonly status: Status;
  /** What `resume` goes on from. */
  readonly state: MinimizeState<P, S>;
}

const names = ["steps", "optimizerState", "gradientTolerance", "evaluate", "backend", ...runOptionNames];

/**
 * Minimises a differentiable function of a tree of parameters.
 * @param loss takes the parameters and the number of the update (a float32 scalar, 1 for the first); returns a scalar
 * @param initial the parameters to begin with
 * @throws NonFiniteError, with the last good state as its `state`, when loss or gradient stop being finite; ValueError for
 * options that are unknown or out of range.
 * @example
 * const { params } = await minimize((x) => square(sub(x, 3)), tensor(0), adam({ learningRate: 0.1 }), { steps: 200 });
 */
export async function minimize<P, S = unknown>(
  loss: (params: P, step: Tensor) => Tensor,
  initial: P,
  optimizer: GradientTransformation<S>,
  options: MinimizeOptions<P, S>,
): Promise<MinimizeResult<P, S>> {
  if (typeof loss !== "function")
    throw new ValueError(`minimize: the loss is ${loss}; give a function of the parameters`);
  if (typeof optimizer?.update !== "function") {
    throw new ValueError("minimize: the third argument must be an optimizer, such as adam({ learningRate: 0.1 })");
  }
  if (options === undefined) throw new ValueError("minimize: the options are missing; give { steps } at least");
  checkOptions("minimize", options, names);
  const { steps, gradientTolerance, backend, evaluate, resume } = options;
  requireInteger("minimize", "steps", steps, 0);
  if (evaluate !== undefined) requireFunction("minimize", "evaluate", evaluate);
  if (gradientTolerance !== undefined) requireNonNegative("minimize", "gradientTolerance", gradientTolerance);
  const step = checkedStep(trainingStep(loss, optimizer), { backend, compile: false });
  const kept = [initial, options.optimizerState, resume];
  try {
    const run = await runLoop<MinimizePoint<P, S>, MinimizeRecord>(
      {
        owner: "minimize",
        limit: steps,
        limitName: "steps",
        initial() {
          const optimizerState = options.optimizerState ?? optimizer.init(initial);
          return { params: initial, optimizerState, loss: null, gradientNorm: null };
        },
        async step(state, k) {
          const result = await step(state.params, state.optimizerState, tensor(k));
          const { params, optimizerState, loss: value, gradientNorm } = result;
          disposeReplaced([state.params, state.optimizerState], [params, optimizerState, kept]);
          return { params, optimizerState, loss: value, gradientNorm };
        },
        async record(state, k) {
          const [value, gradientNorm] = [state.loss ?? Number.NaN, state.gradientNorm ?? Number.NaN];
          const told = { step: k, loss: value, gradientNorm };
          if (evaluate === undefined) return told;
          const evaluation = await figuresOf("minimize", "evaluate", evaluate(await onHost(state.params)));
          return { ...told, evaluation };
        },
        finished: ({ gradientNorm }) =>
          gradientTolerance !== undefined && gradientNorm !== null && gradientNorm <= gradientTolerance
            ? "converged"
            : undefined,
        snapshot: onHost,
        check(state) {
          if (state.params === undefined || state.optimizerState === undefined) {
            throw new ValueError("minimize: resume has no parameters; give the `state` of a result or of a checkpoint");
          }
        },
      },
      options,
    );
    const { status, iterations, history, last, state } = run;
    return { params: last.params, optimizerState: last.optimizerState, history, steps: iterations, status, state };
  } finally {
    await step.release();
  }
}
