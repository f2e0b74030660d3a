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
  cast,
  checkOptions,
  div,
  greater,
  isTensor,
  jitSync,
  mul,
  NonFiniteError,
  requireInteger,
  requirePositive,
  ShapeError,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  where,
  zerosLike,
} from "@offprint/tensor-core";

/** How Epoch-SGD runs: steps, epochs and balls of its first epoch. */
export interface EpochSettings {
  /** alpha1: step of the first epoch, halved in each; at most 1/(3 mu) and 1/L are safe. */
  readonly stepSize: number;
  /** T1: steps in the first epoch, doubled in each. */
  readonly firstSteps: number;
  /** E: number of epochs. */
  readonly epochs: number;
  /** D1: radius of the first epoch's ball, divided by the root of 2 in each. Default none. */
  readonly radius?: number;
}

/** Where Epoch-SGD stands. */
export interface EpochPoint {
  /** Steps done, through all epochs. */
  readonly step: number;
  /** The present iterate w, `[..., d]`. */
  readonly w: Tensor;
  /** Where the epoch began: the centre of its ball. */
  readonly centre: Tensor;
  /** The sum of the epoch's iterates. */
  readonly total: Tensor;
}

/** The epoch of a step (from 0), its place in it, and how long it is. */
function epochAt(step: number, firstSteps: number): { epoch: number; place: number; length: number } {
  const epoch = Math.floor(Math.log2(step / firstSteps + 1) + 1e-12);
  return { epoch, place: step - firstSteps * (2 ** epoch - 1), length: firstSteps * 2 ** epoch };
}

/** Steps of all epochs together, `T1 (2^E - 1)`. */
export function epochSgdSteps({ firstSteps, epochs }: EpochSettings): number {
  return firstSteps * (2 ** epochs - 1);
}

/** Checks the settings. @throws ValueError */
export function checkEpochSettings(owner: string, { stepSize, firstSteps, epochs, radius }: EpochSettings): void {
  requirePositive(owner, "stepSize", stepSize);
  requireInteger(owner, "firstSteps", firstSteps, 1);
  requireInteger(owner, "epochs", epochs, 1, 50);
  if (radius !== undefined && radius !== Number.POSITIVE_INFINITY) requirePositive(owner, "radius", radius);
}

const float64 = { dtype: "float64" } as const;

/** The nearest point to w of the ball of a radius (which may be infinite) around a centre; vectors lie along the last axis. */
export function nearestInBall(w: Tensor, centre: Tensor, radius: Tensor): Tensor {
  const offset = sub(w, centre);
  const squares = sum(square(offset), { axis: -1, keepDims: true });
  const limit = cast(radius, w.dtype);
  const outside = greater(squares, square(limit));
  return where(outside, add(centre, mul(offset, div(limit, sqrt(where(outside, squares, 1))))), w);
}

interface StepNumbers {
  readonly stepSize: Tensor;
  readonly radius: Tensor;
  readonly length: Tensor;
}

const inside = jitSync((w: Tensor, centre: Tensor, total: Tensor, gradient: Tensor, n: StepNumbers) => {
  const next = nearestInBall(sub(w, mul(cast(n.stepSize, w.dtype), gradient)), centre, n.radius);
  return { w: next, total: add(total, next) };
});

const last = jitSync((w: Tensor, centre: Tensor, total: Tensor, gradient: Tensor, n: StepNumbers) => {
  const next = nearestInBall(sub(w, mul(cast(n.stepSize, w.dtype), gradient)), centre, n.radius);
  return div(add(total, next), cast(n.length, w.dtype));
});

/** A step of Epoch-SGD: projected descent within an epoch, the mean of its iterates at the end. */
export function epochStep(
  { step, w, centre, total }: EpochPoint,
  gradient: Tensor,
  { stepSize, firstSteps, radius = Number.POSITIVE_INFINITY }: EpochSettings,
): EpochPoint {
  const { epoch, place, length } = epochAt(step, firstSteps);
  const numbers = {
    stepSize: tensor(stepSize / 2 ** epoch, float64),
    radius: tensor(radius / 2 ** (epoch / 2), float64),
    length: tensor(length, float64),
  };
  if (place + 1 < length) return { step: step + 1, centre, ...inside(w, centre, total, gradient, numbers) };
  const mean = last(w, centre, total, gradient, numbers);
  return { step: step + 1, w: mean, centre: mean, total: zerosLike(mean) };
}

/** Before the first step. */
export function epochStart(y: Tensor): EpochPoint {
  return { step: 0, w: y, centre: y, total: zerosLike(y) };
}

/** What is told at the end of an epoch. */
export interface EpochRecord {
  /** Epochs done, from 1. */
  readonly epoch: number;
  /** Gradients so far. */
  readonly gradients: number;
  /** The mean of the epoch's iterates, `[..., d]`. */
  readonly y: Tensor;
}

/** Options of {@link epochSgd}. */
export interface EpochSgdOptions extends EpochSettings, RunOptions<EpochRecord, RunState<EpochPoint, EpochRecord>> {}

/** What {@link epochSgd} gives. */
export interface EpochSgdResult {
  /** The mean of the last epoch's iterates; where it was interrupted, the last iterate. */
  readonly y: Tensor;
  /** Steps made. */
  readonly steps: number;
  /** How it ended; `limit` after all epochs. */
  readonly status: Status;
  /** The record of every epoch. */
  readonly history: readonly EpochRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<EpochPoint, EpochRecord>;
}

/**
 * Epoch-SGD (Hazan and Kale 2014) with shrinking balls: in each epoch projected stochastic descent whose mean is the next
 * centre; then the step is halved, the epoch doubled, the radius divided by the root of 2. The squared error falls as
 * one over the number of gradients, with high probability.
 * @param gradient - a stochastic gradient at y, `[..., d]`; leading axes are a batch of problems. Steps count from 0,
 * through all epochs; what it draws must follow from the step, so that a resumed run sees the same.
 * @throws ShapeError for a gradient of another shape; NonFiniteError, with the last good state, for one that is not finite.
 * @example
 * const { y } = await epochSgd((y) => sub(y, 1), [5, 5], { stepSize: 0.3, firstSteps: 10, epochs: 6 });
 */
export async function epochSgd(
  gradient: (y: Tensor, step: number) => Tensor | Promise<Tensor>,
  initial: TensorLike,
  options: EpochSgdOptions,
): Promise<EpochSgdResult> {
  checkOptions("epochSgd", options, ["stepSize", "firstSteps", "epochs", "radius", ...runOptionNames]);
  if (options === undefined)
    throw new ValueError("epochSgd: options are missing; give { stepSize, firstSteps, epochs }");
  checkEpochSettings("epochSgd", options);
  const first = isTensor(initial) ? initial : tensor(initial, float64);
  const run = await runLoop<EpochPoint, EpochRecord, "limit">(
    {
      owner: "epochSgd",
      limit: Number.POSITIVE_INFINITY,
      limitName: "epochs",
      initial: () => epochStart(first),
      async step(point) {
        const slope = await gradient(point.w, point.step);
        if (slope?.shape?.join() !== first.shape.join()) {
          throw new ShapeError(
            `epochSgd: the gradient has shape [${slope?.shape}], y [${first.shape}]; both must agree`,
          );
        }
        const next = epochStep(point, slope, options);
        if (next.w.data().every((v: number) => Number.isFinite(v))) return next;
        throw new NonFiniteError("the iterate is not finite; take a smaller stepSize or give a radius");
      },
      record({ step, w }) {
        const { epoch, place } = epochAt(step, options.firstSteps);
        return place === 0 ? { epoch, gradients: step, y: w } : undefined;
      },
      finished: ({ step }) => (step >= epochSgdSteps(options) ? "limit" : undefined),
      check: (point) => requireStateLike("epochSgd", point, epochStart(first)),
    },
    options,
  );
  return { y: run.last.w, steps: run.iterations, status: run.status, history: run.history, state: run.state };
}
