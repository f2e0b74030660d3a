import { type ClaimContext, memo } from "@offprint/claims";
import { type Dataset, trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { accuracy, cosineSchedule, type Schedule, warmupSchedule } from "@offprint/optim";
import { div, random, reshape, sub } from "@offprint/tensor-core";
import {
  type FitRecord,
  fitNetwork,
  periodic,
  predict,
  type StageOptions,
  smallNetwork,
  straightThrough,
  type TrainedNetwork,
  type WeightRule,
} from "../src/index.js";

const IMAGES = 1797;

type Samples = Pick<Dataset, "inputs" | "targets">;

/** A network that was trained on digits of 8 x 8 pixels, and how it reads those it has not seen. */
export interface DigitRun {
  /** The binary network. */
  readonly model: TrainedNetwork;
  /** The images that it has not seen. */
  readonly test: Samples;
  /** Its accuracy on them. */
  readonly accuracy: number;
  /** That of stage 1 with real weights; NaN in one stage. */
  readonly stage1: number;
  /** That right after the weights of stage 1 were made binary; NaN in one stage. */
  readonly switched: number;
}

/** How much is trained. */
export interface DigitSize {
  /** Training images; all others are for testing. */
  readonly images: number;
  /** Images of a batch. */
  readonly batch: number;
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

/** 1797 images, values in [-1, 1]; the seed chooses which are learned from. */
function digitImages(seed: number, images: number): { train: Samples; test: Samples } {
  const set = digits();
  const inputs = reshape(sub(div(set.inputs, 8), 1), [IMAGES, 1, 8, 8]);
  const rng = random.rng(`${seed}/split`);
  return trainTestSplit({ inputs, targets: set.targets }, { test: IMAGES - images, rng });
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
  const perEpoch = Math.floor(size.images / size.batch);
  const run = context.backend ? { backend: context.backend } : {};
  const [first, second] = size.epochs;
  const before = kind === "two stages" ? first * perEpoch : 0;
  const shared = {
    batchSize: size.batch,
    dropLast: true,
    seed,
    signal: context.signal,
    onProgress: ({ stage, step }: FitRecord) =>
      onFraction((step + (stage === 2 ? before : 0)) / ((first + second) * perEpoch)),
    ...run,
  };
  const judge = async (model: TrainedNetwork) =>
    accuracy(await predict(model, test.inputs, { ...run, batchSize: IMAGES }), test.targets).item();
  const stage = (epochs: number, rate: number, weightDecay: number, tauMax: number): StageOptions => {
    return { epochs, learningRate: stepSchedule(rate, epochs * perEpoch), weightDecay, tauMax };
  };
  if (kind === "two stages") {
    const network = smallNetwork({ weights: wave(omega) });
    const { model, stage1 } = await fitNetwork(network, train, {
      ...shared,
      stage1: stage(first, learningRate, 5e-4, 0.037),
      stage2: stage(second, learningRate / 5, 1e-4, 0.0468),
    });
    const switched = await judge({ ...stage1!, stage: 2 });
    return { model, test, accuracy: await judge(model), stage1: await judge(stage1!), switched };
  }
  const network = smallNetwork({ weights: kind === "one stage" ? wave(omega) : straightThrough() });
  const tau = kind === "one stage" ? 0.037 : 0;
  const { model } = await fitNetwork(network, train, {
    ...shared,
    stage2: stage(first + second, learningRate, 5e-4, tau),
  });
  return { model, test, accuracy: await judge(model), stage1: Number.NaN, switched: Number.NaN };
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
    scale === "full" ? { images: 1200, batch: 64, epochs: [14, 10] } : { images: 700, batch: 32, epochs: [5, 4] },
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
