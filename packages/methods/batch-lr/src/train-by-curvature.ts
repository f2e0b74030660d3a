import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  add,
  checkOptions,
  jitSync,
  mul,
  NonFiniteError,
  random,
  requireDecayRate,
  requireInteger,
  requireNonNegative,
  requirePositive,
  sub,
  type Tensor,
  tree,
  valueAndGrad,
} from "@offprint/tensor-core";
import { spiked, trueExtreme } from "./batch-extremes.js";
import { type BatchLoss, curvature } from "./curvature.js";
import { effectiveBatch } from "./effective-batch.js";
import { krylovSpectrum, randomDirection } from "./krylov.js";
import { type PolyakOptions, polyak } from "./learning-rates.js";
import { shrinkageDamping } from "./shrinkage-damping.js";

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

/** The noise of batch Hessians, for what is measured on one batch and used on another, and for damping. */
export interface LearnerNoise {
  /** `Gamma`, such as that of {@link estimateNoise}. */
  readonly gamma: number;
  /** Isotropic `Gamma`, for the damping (default `gamma`). */
  readonly isotropic?: number;
  /** Samples of a batch on which curvature is measured. */
  readonly measuredBatch: number;
  /** Samples of a training batch. */
  readonly trainingBatch: number;
  /** `N` (default infinite). */
  readonly samples?: number;
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

/** A measurement of the curvature. */
export interface CurvatureMeasurement {
  /** Whether it gave new rates; else the ones before were kept. */
  readonly outcome: "measured" | "no-positive-curvature" | "diverged";
  /** `L`; NaN where it was not finite. */
  readonly largest: number;
  /** `mu`; NaN where there are no new rates. */
  readonly smallest: number;
  /** `delta`, for methods of second order, where the noise is known. */
  readonly damping?: number;
}

/** Where the run stands: a tree. */
export interface CurvatureTrainingState<P> {
  /** The parameters. */
  readonly params: P;
  /** `v`, in units of the gradient, so that changing rates keep it. */
  readonly velocity: P;
  /** `alpha`. */
  readonly learningRate: number;
  /** `rho`. */
  readonly momentum: number;
  /** The running mean of the largest curvature; NaN before the first. */
  readonly largest: number;
  /** The loss of the last batch; NaN before the first step. */
  readonly loss: number;
  /** What was measured before the last step; null where nothing was. */
  readonly measured: CurvatureMeasurement | null;
}

/** Options of {@link trainByCurvature}. */
export interface CurvatureTrainingOptions<P>
  extends Omit<PolyakOptions, "largest">,
    RunOptions<CurvatureRecord, RunState<CurvatureTrainingState<P>, CurvatureRecord>> {
  /** Steps, >= 1. */
  readonly steps: number;
  /** Steps between two measurements, >= 1 (default 40; once per epoch is usual). */
  readonly every?: number;
  /** Lanczos steps of a measurement, >= 1 (default `min(P, 16)`). */
  readonly lanczosSteps?: number;
  /** Weight of the earlier largest curvature in a running mean, in [0, 1) (default 0). */
  readonly smoothing?: number;
  /** Rate used before a positive curvature was found, > 0 (default 0.01). */
  readonly learningRate?: number;
  /** Known noise: the largest curvature is carried over from the measured batch to the training batch by Theorem 1. */
  readonly noise?: LearnerNoise;
  /** Source of the probes (default 0). */
  readonly seed?: number | string;
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

const own = ["steps", "every", "lanczosSteps", "smoothing", "learningRate", "noise", "seed"];
const ofPolyak = ["smallest", "safety", "maxMomentum", "momentum"];

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
  const owner = "trainByCurvature";
  checkOptions(owner, options, [...own, ...ofPolyak, ...runOptionNames]);
  const { loss, initial, batch, curvatureBatch = batch } = problem;
  const hessian = curvature(loss);
  const size = hessian.sizeOf(initial);
  const { steps, every = 40, lanczosSteps = Math.min(size, 16), smoothing = 0, learningRate = 0.01 } = options;
  const { noise, seed = 0, smallest, safety, maxMomentum, momentum } = options;
  requireInteger(owner, "steps", steps, 1);
  requireInteger(owner, "every", every, 1);
  requireInteger(owner, "lanczosSteps", lanczosSteps, 1, size);
  requireDecayRate(owner, "smoothing", smoothing);
  requirePositive(owner, "learningRate", learningRate);
  const rates: PolyakOptions = { smallest, safety, maxMomentum, momentum };
  polyak({ nodes: [1], weights: [1] }, rates);
  if (noise !== undefined) {
    checkOptions(`${owner}: noise`, noise, ["gamma", "isotropic", "measuredBatch", "trainingBatch", "samples"]);
    checkNoise(noise);
  }

  /** Rates from a measurement at `state`, before step `k`; those that there are where it gives none. */
  const measure = (state: CurvatureTrainingState<P>, k: number): CurvatureTrainingState<P> => {
    const without = (outcome: "no-positive-curvature" | "diverged", largest: number) => ({
      ...state,
      measured: { outcome, largest, smallest: Number.NaN },
    });
    const apply = hessian.at(state.params, curvatureBatch(k));
    const start = randomDirection(random.rng(`${seed}/probe/${k}`), size);
    let spectrum: ReturnType<typeof krylovSpectrum>;
    try {
      spectrum = krylovSpectrum(apply, start, lanczosSteps);
    } catch (error) {
      if (error instanceof NonFiniteError) return without("diverged", Number.NaN);
      throw error;
    }
    const found = carriedOver(spectrum.nodes[spectrum.nodes.length - 1], noise);
    const largest = Number.isNaN(state.largest) ? found : smoothing * state.largest + (1 - smoothing) * found;
    const next = polyak(spectrum, { ...rates, largest });
    if (next === undefined) return without("no-positive-curvature", found);
    const damping = noise && shrinkageDamping(spectrum, noise.isotropic ?? noise.gamma, noise.measuredBatch, largest);
    const measured = { outcome: "measured", largest, smallest: next.smallest } as const;
    return {
      ...state,
      learningRate: next.learningRate,
      momentum: next.momentum,
      largest,
      measured: damping === undefined ? measured : { ...measured, damping },
    };
  };

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
          learningRate,
          momentum: 0,
          largest: Number.NaN,
          loss: Number.NaN,
          measured: null,
        }),
        step(before, k) {
          const at = (k - 1) % every === 0 ? measure(before, k - 1) : { ...before, measured: null };
          const { value, params, velocity } = update(
            at.params,
            at.velocity,
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
    hessian.release();
    update.release();
  }
}

function checkNoise({ gamma, isotropic = 0, measuredBatch, trainingBatch, samples }: LearnerNoise): void {
  const owner = "trainByCurvature";
  requireNonNegative(owner, "noise.gamma", gamma);
  requireNonNegative(owner, "noise.isotropic", isotropic);
  if (samples !== undefined) requireInteger(owner, "noise.samples", samples, 1);
  requireInteger(owner, "noise.measuredBatch", measuredBatch, 1, samples);
  requireInteger(owner, "noise.trainingBatch", trainingBatch, 1, samples);
}

/** The top eigenvalue on training batches from that on measured ones; as it is where it drowns in the noise. */
function carriedOver(top: number, noise: LearnerNoise | undefined): number {
  if (noise === undefined) return top;
  const { gamma, measuredBatch, trainingBatch, samples } = noise;
  const full = trueExtreme({ top, gamma, effective: effectiveBatch(measuredBatch, samples) });
  if (full === undefined) return top;
  return spiked(full, gamma / effectiveBatch(trainingBatch, samples), "always-spike");
}
