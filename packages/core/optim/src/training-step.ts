import { type Backend, isTensor, jit, NonFiniteError, type Tensor, tree, valueAndGrad } from "@offprint/tensor-core";
import { globalNorm } from "./gradient-transforms.js";
import { traceableStep } from "./traceable-step.js";
import { applyUpdates, type GradientTransformation } from "./transformation.js";

/** What one step of training gives. */
export interface StepResult<P = unknown, S = unknown, E = unknown> {
  /** The parameters after the step. */
  readonly params: P;
  /** The optimizer's state after the step. */
  readonly optimizerState: S;
  /** Whatever the loss returned beside its value; null for nothing. */
  readonly extra: E;
  /** The loss at the parameters before the step: a scalar. */
  readonly loss: Tensor;
  /** Euclidean norm of the gradient, all leaves together: a scalar. */
  readonly gradientNorm: Tensor;
}

/** Loss, gradient and update as one pure function, to be run as it is or compiled as a whole. */
export type TrainingStep<P, S, I extends unknown[], E> = (
  params: P,
  optimizerState: S,
  ...inputs: I
) => StepResult<P, S, E>;

/**
 * One step of training as a function of everything it needs.
 * @param loss takes the parameters and any further inputs; returns a scalar, or `[scalar, extra]`
 * @example const step = jit(trainingStep(loss, adam()), { backend });
 */
export function trainingStep<S, P = Tensor, I extends unknown[] = Tensor[], E = null>(
  loss: (params: P, ...inputs: I) => Tensor | readonly [Tensor, E],
  optimizer: GradientTransformation<S>,
): TrainingStep<P, S, I, E> {
  const withExtra = (params: P, ...inputs: I): readonly [Tensor, E] => {
    const result = loss(params, ...inputs);
    return isPair(result) ? result : [result, null as E];
  };
  const derivative = valueAndGrad(withExtra, { hasAux: true });
  return (params, optimizerState, ...inputs) => {
    const [[value, extra], gradients] = derivative(params, ...inputs);
    const gradientNorm = globalNorm(gradients);
    const { updates, state } = optimizer.update(gradients, optimizerState, params);
    return { params: applyUpdates(params, updates), optimizerState: state, extra, loss: value, gradientNorm };
  };
}

/** Whether a loss gave something beside its value. */
export function isPair<E>(result: Tensor | readonly [Tensor, E]): result is readonly [Tensor, E] {
  return Array.isArray(result) && !isTensor(result);
}

/** A training step that awaits the two figures by which a loop judges it. */
export interface CheckedStep<P, S, I extends unknown[], E> {
  (params: P, optimizerState: S, ...inputs: I): Promise<CheckedResult<P, S, E>>;
  /** Whether the loss is still what was compiled. @throws ValueError where a variable of it has changed. */
  verify(): void;
  /** Frees what was compiled. */
  release(): Promise<void>;
}

/** What a checked step gives. */
export interface CheckedResult<P = unknown, S = unknown, E = unknown>
  extends Omit<StepResult<P, S, E>, "loss" | "gradientNorm"> {
  /** The loss at the parameters before the step. */
  readonly loss: number;
  /** Euclidean norm of the gradient. */
  readonly gradientNorm: number;
}

async function read(x: Tensor): Promise<number> {
  return (await x.host()).item();
}

/** Who carries a step out. */
export interface StepMachine {
  /** Compiles the step. */
  readonly backend?: Backend | undefined;
  /** Without a backend: whether tensor-core's compiler does, where the step can be traced. */
  readonly compile: boolean;
}

/** Squares of numbers above this may be infinite in float32; optimizers that divide by their root would stand still. */
const SQUARES_OVERFLOW = 1e18;

async function isFinite(state: unknown): Promise<boolean> {
  const leaves = tree.leaves<unknown>(await onHost(state));
  return leaves.every((leaf) => !isTensor(leaf) || leaf.data().every(Number.isFinite));
}

/**
 * The step, compiled where it is to be. It rejects with a NonFiniteError, and so leaves the caller with the
 * state before it, when the loss or the gradient is not finite.
 * @param explain - what that comes from, where what the loss gave beside its value tells
 */
export function checkedStep<P, S, I extends unknown[], E>(
  step: TrainingStep<P, S, I, E>,
  { backend, compile }: StepMachine,
  explain: (extra: E) => string | undefined = () => undefined,
): CheckedStep<P, S, I, E> {
  const traceable = backend === undefined && compile ? traceableStep(step) : undefined;
  const compiled = backend !== undefined ? jit(step, { backend }) : traceable;
  const call = async (params: P, optimizerState: S, ...inputs: I): Promise<CheckedResult<P, S, E>> => {
    const result: StepResult<P, S, E> = await (compiled ?? step)(params, optimizerState, ...inputs);
    const loss = await read(result.loss);
    const gradientNorm = await read(result.gradientNorm);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      const reason = explain(await onHost(result.extra));
      throw new NonFiniteError(
        `the loss is ${loss} and the norm of its gradient ${gradientNorm}: ` +
          (reason ?? "training diverged, and the step was not taken; lower the learning rate or clip the gradients"),
      );
    }
    if (gradientNorm > SQUARES_OVERFLOW && !(await isFinite(result.optimizerState))) {
      throw new NonFiniteError(
        `the norm of the gradient is ${gradientNorm}, and the optimizer cannot hold its square: the step was not taken; ` +
          "clip the gradients before the optimizer, scale the loss or train in float64",
      );
    }
    return { ...result, loss, gradientNorm };
  };
  return Object.assign(call, {
    verify: () => traceable?.verify(),
    release: async () => {
      await compiled?.release();
    },
  });
}

/** A tree with its tensors in memory. */
export async function onHost<T>(value: T): Promise<T> {
  const flat = tree.flatten(value);
  const leaves = await Promise.all(flat.leaves.map((leaf) => (isTensor(leaf) ? leaf.host() : leaf)));
  return tree.unflatten<T>(flat.structure, leaves);
}

/** Frees the device memory of a tree that a newer one replaces. */
export function disposeReplaced(old: unknown, next: unknown): void {
  const kept = new Set(tree.leaves<unknown>(next));
  for (const leaf of tree.leaves<unknown>(old)) {
    if (isTensor(leaf) && !kept.has(leaf)) leaf.dispose();
  }
}
