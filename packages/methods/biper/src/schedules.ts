import { checkOptions, requireInteger, requireNonNegative, ValueError } from "@offprint/tensor-core";

/** Options of `learningRateAt`. */
export interface LearningRateOptions {
  /** Number of epochs, >= 1. */
  epochs: number;
  /** Largest learning rate, >= 0. */
  learningRate: number;
  /** Epochs of linear warm-up, >= 0. Default 5. */
  warmUpEpochs?: number;
}

function requireEpoch(owner: string, epoch: number, epochs: number): void {
  requireInteger(owner, "epochs", epochs, 1);
  requireInteger(owner, "epoch", epoch, 0);
  if (epoch >= epochs) throw new ValueError(`${owner}: epoch is ${epoch} of ${epochs}; epochs count from 0`);
}

/**
 * The learning rate of an epoch (from 0): a line up to the largest rate over the warm-up, then half a cosine wave that
 * would reach 0 one epoch after the last.
 * @throws ValueError for an epoch or an option out of range.
 */
export function learningRateAt(epoch: number, options: LearningRateOptions): number {
  checkOptions("learningRateAt", options, ["epochs", "learningRate", "warmUpEpochs"], ["epochs", "learningRate"]);
  const { epochs, learningRate, warmUpEpochs = 5 } = options;
  requireEpoch("learningRateAt", epoch, epochs);
  requireInteger("learningRateAt", "warmUpEpochs", warmUpEpochs, 0);
  requireNonNegative("learningRateAt", "learningRate", learningRate);
  if (epoch < warmUpEpochs) return (learningRate * (epoch + 1)) / warmUpEpochs;
  const start = Math.max(0, warmUpEpochs - 1);
  return (learningRate * (1 + Math.cos((Math.PI * (epoch - start)) / (epochs - start)))) / 2;
}

/** Options of `tauAt`. */
export interface TauOptions {
  /** Number of epochs, >= 1. */
  epochs: number;
  /** Weight of the regulariser in epoch 0, >= 0. */
  tauMin: number;
  /** What it would reach one epoch after the last, >= 0. */
  tauMax: number;
}

/**
 * The weight of the regulariser in an epoch (from 0): `a exp(e / epochs) + b`, exponential from `tauMin` to `tauMax`.
 * @throws ValueError for an epoch or an option out of range.
 */
export function tauAt(epoch: number, options: TauOptions): number {
  checkOptions("tauAt", options, ["epochs", "tauMin", "tauMax"], ["epochs", "tauMin", "tauMax"]);
  const { epochs, tauMin, tauMax } = options;
  requireEpoch("tauAt", epoch, epochs);
  requireNonNegative("tauAt", "tauMin", tauMin);
  requireNonNegative("tauAt", "tauMax", tauMax);
  const a = (tauMax - tauMin) / (Math.E - 1);
  return a * Math.exp(epoch / epochs) + (tauMin - a);
}
