import type { Schedule } from "@offprint/optim";
import {
  cast,
  checkOptions,
  div,
  floor,
  requireDecayRate,
  requireInteger,
  requireNonNegative,
  sub,
  take,
  tensor,
} from "@offprint/tensor-core";
import { learningRateAt, tauAt } from "./schedules.js";

/** How one stage is trained. The optimizer is SGD with momentum. */
export interface StageOptions {
  /** Passes over the data, >= 0, those of the resumed run included. */
  epochs: number;
  /** Largest learning rate of the paper's schedule (see `learningRateAt`), or a schedule of the update's number. */
  learningRate: number | Schedule;
  /** In [0, 1). Default 0.9. */
  momentum?: number;
  /** Of an L2 penalty on all parameters, latent weights included, >= 0. Default 0. */
  weightDecay?: number;
  /** Weight of the regulariser in the first epoch, >= 0 (see `tauAt`). Default `tauMax`. */
  tauMin?: number;
  /** Weight of the regulariser after the last epoch, >= 0. Default 0. */
  tauMax?: number;
  /** Epochs of linear warm-up, >= 0. Default 5. */
  warmUpEpochs?: number;
}

const names = ["epochs", "learningRate", "momentum", "weightDecay", "tauMin", "tauMax", "warmUpEpochs"];

/** The paper's settings for CIFAR-10, with batches of 256. */
export const cifar10Stages: { readonly stage1: StageOptions; readonly stage2: StageOptions } = {
  stage1: { epochs: 600, learningRate: 0.021, weightDecay: 0.0016, tauMax: 0.037 },
  stage2: { epochs: 300, learningRate: 0.0037, weightDecay: 1.6e-4, tauMax: 0.0468 },
};

/** The paper's settings for ImageNet, with batches of 512. */
export const imagenetStages: { readonly stage1: StageOptions; readonly stage2: StageOptions } = {
  stage1: { epochs: 200, learningRate: 0.1, weightDecay: 1e-4 },
  stage2: { epochs: 100, learningRate: 0.01, weightDecay: 1e-4 },
};

/** `StageOptions` checked and filled in. */
export interface SettledStage {
  /** Passes over the data. */
  readonly epochs: number;
  /** Learning rate of every update, as a schedule that compiles into the step. */
  readonly schedule: Schedule;
  /** Learning rate of an epoch; null where the user's own schedule decides. */
  readonly rates: readonly number[] | null;
  /** Weight of the regulariser, by epoch. */
  readonly taus: readonly number[];
  /** Of SGD. */
  readonly momentum: number;
  /** Of the L2 penalty. */
  readonly weightDecay: number;
}

/**
 * Checks the options of a stage.
 * @param batchesPerEpoch turns epochs into updates
 * @throws ValueError for options that are unknown or out of range.
 */
export function settleStage(owner: string, options: StageOptions, batchesPerEpoch: number): SettledStage {
  checkOptions(owner, options, names);
  const { epochs, learningRate, momentum = 0.9, weightDecay = 0, tauMax = 0, warmUpEpochs = 5 } = options;
  const { tauMin = tauMax } = options;
  requireInteger(owner, "epochs", epochs, 0);
  requireInteger(owner, "warmUpEpochs", warmUpEpochs, 0);
  requireDecayRate(owner, "momentum", momentum);
  requireNonNegative(owner, "weightDecay", weightDecay);
  requireNonNegative(owner, "tauMin", tauMin);
  requireNonNegative(owner, "tauMax", tauMax);
  if (typeof learningRate !== "function") requireNonNegative(owner, "learningRate", learningRate);
  const each = Array.from({ length: epochs }, (_, e) => e);
  const taus = each.map((e) => tauAt(e, { epochs, tauMin, tauMax }));
  const common = { epochs, taus, momentum, weightDecay };
  if (typeof learningRate === "function") return { ...common, schedule: learningRate, rates: null };
  const rates = each.map((e) => learningRateAt(e, { epochs, learningRate, warmUpEpochs }));
  const table = tensor(rates);
  const schedule: Schedule = (step) => take(table, cast(floor(div(sub(step, 1), batchesPerEpoch)), "int32"));
  return { ...common, schedule, rates };
}
