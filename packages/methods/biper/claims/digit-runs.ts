import { type ClaimContext, memo } from "@offprint/claims";
import { trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { accuracy, cosineSchedule, type Schedule, warmupSchedule } from "@offprint/optim";
import { div, random, reshape, sub } from "@offprint/tensor-core";
import {
  fitStage,
  fitTwoStages,
  periodic,
  predict,
  type SharedFitOptions,
  type StageOptions,
  smallNetwork,
  straightThrough,
  type TrainedNetwork,
  type WeightRule,
} from "../src/index.js";

const TEST = 597;
const BATCH = 64;

/** A network that was trained on digits of 8 x 8 pixels, and how it reads those it has not seen. */
export interface DigitRun {
  /** The binary network. */
  readonly trained: TrainedNetwork;
  /** Its accuracy on the 597 test images. */
  readonly accuracy: number;
  /** That of stage 1 with real weights; NaN in one stage. */
  readonly stage1: number;
  /** That right after the weights of stage 1 were made binary; NaN in one stage. */
  readonly switched: number;
}

/** How much is trained. */
export interface DigitSize {
  /** Training images, at most 1200. */
  readonly images: number;
  /** Epochs of stage 1 and of stage 2; methods with one stage get their sum. */
  readonly epochs: readonly [number, number];
}

/** What is trained, and with which learning rate. */
export interface DigitMethod {
  /** BiPer in two stages, BiPer's stage 2 from scratch, or the straight-through estimator. */
  readonly kind: "two stages" | "one stage" | "straight-through";
  /** Frequency of the square wave. */
  readonly omega: number;
  /** Largest learning rate. */
  readonly learningRate: number;
  /** Number of the split and of the initial values. */
  readonly seed: number;
}

/** 1797 images, values in [-1, 1]; the seed chooses which are for testing. */
export function digitImages(seed: number, images: number) {
  const set = digits();
  const inputs = reshape(sub(div(set.inputs, 8), 1), [1797, 1, 8, 8]);
  const { train, test } = trainTestSplit(
    { inputs, targets: set.targets },
    { test: TEST, rng: random.rng(`${seed}/split`) },
  );
  if (images >= 1797 - TEST) return { train, test };
  return { train: trainTestSplit(train, { test: images }).test, test };
}

/** Linear warm-up over 5 % of the updates, then half a cosine wave. */
function stepSchedule(peak: number, steps: number): Schedule {
  const warm = Math.max(1, Math.round(0.05 * steps));
  return warmupSchedule({
    peak,
    steps: warm,
    after: cosineSchedule({ initial: peak, steps: Math.max(1, steps - warm) }),
  });
}

async function trainDigits(
  context: Pick<ClaimContext, "backend" | "signal">,
  size: DigitSize,
  wave: (omega: number) => WeightRule,
  { kind, omega, learningRate, seed }: DigitMethod,
  onFraction: (fraction: number) => unknown,
): Promise<DigitRun> {
  const { train, test } = digitImages(seed, size.images);
  const perEpoch = Math.floor(train.inputs.shape[0] / BATCH);
  const run = context.backend ? { backend: context.backend } : {};
  const [first, second] = size.epochs;
  const whole = kind === "two stages" ? [0, first / (first + second)] : [0, 0];
  const shared: SharedFitOptions = {
    batchSize: BATCH,
    dropLast: true,
    seed,
    signal: context.signal,
    onProgress: ({ stage, fraction }) =>
      onFraction(stage === 1 ? fraction * whole[1] : whole[1] + fraction * (1 - whole[1])),
    ...run,
  };
  const judge = async (trained: TrainedNetwork) =>
    accuracy(await predict(trained, test.inputs, { ...run, batchSize: TEST }), test.targets).item();
  const stage = (epochs: number, rate: number, weightDecay: number, tauMax: number): StageOptions => {
    return { epochs, learningRate: stepSchedule(rate, epochs * perEpoch), weightDecay, tauMax };
  };
  if (kind === "two stages") {
    const network = smallNetwork({ weights: wave(omega) });
    const result = await fitTwoStages(network, train, {
      ...shared,
      stage1: stage(first, learningRate, 5e-4, 0.037),
      stage2: stage(second, learningRate / 5, 1e-4, 0.0468),
    });
    const { trained, stage1 } = result;
    const switched = await judge({ ...stage1, stage: 2 });
    return { trained, accuracy: await judge(trained), stage1: await judge(stage1), switched };
  }
  const network = smallNetwork({ weights: kind === "one stage" ? wave(omega) : straightThrough() });
  const tau = kind === "one stage" ? 0.037 : 0;
  const { trained } = await fitStage(network, train, {
    ...shared,
    ...stage(first + second, learningRate, 5e-4, tau),
    stage: 2,
  });
  return { trained, accuracy: await judge(trained), stage1: Number.NaN, switched: Number.NaN };
}

/** Networks trained on digits; claims that need the same one share it. */
export interface DigitRuns {
  /** The networks of some methods, one after the other. */
  train(context: ClaimContext, methods: readonly DigitMethod[]): Promise<DigitRun[]>;
}

/**
 * A fresh store of trained networks.
 * @param wave the weights of BiPer; tests put others in their place
 * @param size how much is trained at a scale
 */
export function digitRuns(
  wave: (omega: number) => WeightRule = (omega) => periodic({ omega }),
  size: (scale: "quick" | "full") => DigitSize = (scale) =>
    scale === "full" ? { images: 1200, epochs: [14, 10] } : { images: 1200, epochs: [6, 4] },
): DigitRuns {
  const trained = memo(
    (context, method: DigitMethod, onFraction: (fraction: number) => unknown) =>
      trainDigits(context, size(context.scale), wave, method, onFraction),
    ({ kind, omega, learningRate, seed }) => [kind, omega, learningRate, seed],
  );
  return {
    async train(context, methods) {
      const runs: DigitRun[] = [];
      for (const [i, method] of methods.entries()) {
        runs.push(await trained(context, method, (fraction) => context.onProgress((i + fraction) / methods.length)));
        await context.onProgress((i + 1) / methods.length);
      }
      return runs;
    },
  };
}
