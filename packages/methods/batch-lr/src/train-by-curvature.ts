import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  add,
  checkOptions,
  jitSync,
  mul,
  NonFiniteError,
  requireFunction,
  requireInteger,
  requireObject,
  sub,
  type Tensor,
  tree,
  valueAndGrad,
} from "@offprint/tensor-core";
import type { BatchLoss } from "./curvature.js";
import {
  type CurvatureMeasurement,
  type CurvatureRatesOptions,
  curvatureRatesNames,
  type MeasuredRates,
  ratesFor,
} from "./curvature-rates.js";

/** What is trained. */
export interface CurvatureTraining<P, B> {
  /** The loss of a batch, a scalar tensor. */
  readonly loss: BatchLoss<P, B>;
  /** Initial parameters: a tree of float tensors. */
  readonly initial: P;
  /** The batch of a step, from 0: the same whenever it is asked for. */
  readonly batch: (step: number) => B;
  /** The batch on which curvature is measured before a step (default the training batch). */
  readonly curvatureBatch?: (step: number) => B;
}

/** What is told of a step. */
export interface CurvatureRecord {
  /** From 1. */
  readonly step: number;
  /** The loss of the batch before the step. */
  readonly loss: number;
  /** `alpha`. */
  readonly learningRate: number;
  /** `rho`. */
  readonly momentum: number;
  /** Where it was measured before this step: the largest curvature, that stood for the smallest, and damping. */
  readonly measured?: CurvatureMeasurement;
}

/** Where the run stands: a tree, with the rates, and in `measured` what was found before the last step; null where nothing was. */
export interface CurvatureTrainingState<P> extends MeasuredRates {
  /** The parameters. */
  readonly params: P;
  /** `v`, in units of the gradient, so that changing rates keep it. */
  readonly velocity: P;
  /** The loss of the last batch; NaN before the first step. */
  readonly loss: number;
}

/** Options of {@link trainByCurvature}. */
export interface CurvatureTrainingOptions<P>
  extends CurvatureRatesOptions,
    RunOptions<CurvatureRecord, RunState<CurvatureTrainingState<P>, CurvatureRecord>> {
  /** Steps, >= 1. */
  readonly steps: number;
  /** Steps between two measurements, >= 1 (default 40; once per epoch is usual). */
  readonly every?: number;
}

/** What {@link trainByCurvature} gives. */
export interface CurvatureTrainingResult<P> {
  /** The trained parameters. */
  readonly params: P;
  /** How it ended. */
  readonly status: Status;
  /** Steps made, those of resumed runs included. */
  readonly steps: number;
  /** One record for each. */
  readonly history: readonly CurvatureRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<CurvatureTrainingState<P>, CurvatureRecord>;
}

/**
 * Trains with heavy ball whose learning rate and momentum come from the curvature, measured every some steps by Lanczos on
 * a batch: nothing is searched for. What the paper sketches as a learner; this is a reconstruction.
 *
 * @throws ValueError for options out of range; NonFiniteError, with the last good state as its `state`, where the loss
 * stops being finite.
 */
export async function trainByCurvature<P, B>(
  problem: CurvatureTraining<P, B>,
  options: CurvatureTrainingOptions<P>,
): Promise<CurvatureTrainingResult<P>> {
  requireObject("trainByCurvature", "problem", problem, "a CurvatureTraining");
  const owner = "trainByCurvature";
  checkOptions(owner, options, ["steps", "every", ...curvatureRatesNames, ...runOptionNames], ["steps"]);
  const { loss, initial, batch, curvatureBatch = batch } = problem;
  const { steps, every = 40 } = options;
  requireFunction(owner, "batch", batch);
  requireFunction(owner, "curvatureBatch", curvatureBatch);
  requireInteger(owner, "steps", steps, 1);
  requireInteger(owner, "every", every, 1);
  const rates = ratesFor(owner, loss, initial, options);
  const update = jitSync((params: P, velocity: P, data: B, rate: Tensor | number, friction: Tensor | number) => {
    const [value, slope] = valueAndGrad(loss)(params, data) as readonly [Tensor, P];
    const faster = tree.map((v: Tensor, g: Tensor) => add(mul(v, friction), g), velocity, slope);
    const moved = tree.map((w: Tensor, v: Tensor) => sub(w, mul(v, rate)), params, faster);
    return { value, params: moved, velocity: faster };
  });
  try {
    const { last, iterations, ...run } = await runLoop<CurvatureTrainingState<P>, CurvatureRecord>(
      {
        owner,
        limit: steps,
        limitName: "steps",
        initial: () => ({
          params: initial,
          velocity: tree.map((w: Tensor) => mul(w, 0), initial) as P,
          loss: Number.NaN,
          ...rates.first,
        }),
        step(before, k) {
          const { learningRate, momentum, largest } = before;
          const known: MeasuredRates = { learningRate, momentum, largest, measured: null };
          const at = (k - 1) % every === 0 ? rates.at(before.params, curvatureBatch(k - 1), k - 1, known) : known;
          const { value, params, velocity } = update(
            before.params,
            before.velocity,
            batch(k - 1),
            at.learningRate,
            at.momentum,
          );
          const found = value.item();
          if (!Number.isFinite(found)) throw new NonFiniteError(`the loss is ${found}; take a smaller safety`);
          return { ...at, params, velocity, loss: found };
        },
        record({ loss: value, learningRate: rate, momentum: friction, measured }, step) {
          const record = { step, loss: value, learningRate: rate, momentum: friction };
          return measured === null ? record : { ...record, measured };
        },
      },
      options,
    );
    return { params: last.params, steps: iterations, ...run };
  } finally {
    rates.release();
    update.release();
  }
}
