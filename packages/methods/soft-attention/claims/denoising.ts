import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import type { HeadAttention } from "../src/index.js";
import {
  type DenoiserParams,
  type DenoisingAttentions,
  denoiser,
  denoisers,
  denoisingAttentions,
  denoisingError,
  denoisingImages,
  SMALL,
  SMALL_TRAINING,
  TRAINING,
  type TrainingSize,
  trainDenoisers,
} from "./denoising-network.js";
import { assetName, shippedNetwork } from "./shipped-networks.js";

/** What the claim trains and tests. */
export interface DenoisingSize extends TrainingSize {
  /** Runs, which differ in parameters and images; 0 to test the shipped networks. */
  readonly runs: number;
  /** Images of the test. */
  readonly test: number;
  /** How small networks are trained besides; null for none. */
  readonly small: TrainingSize | null;
}

/** The networks that were trained before with seed 0. */
async function shippedDenoisers(): Promise<Record<keyof DenoisingAttentions, DenoiserParams>> {
  const shapes = denoisingAttentions();
  const load = (name: keyof DenoisingAttentions): Promise<DenoiserParams> =>
    shippedNetwork(assetName("denoising", name, 0), denoiser(shapes[name]).init(random.rng(0)));
  const networks = await Promise.all(denoisers.map(async (name) => [name, await load(name)] as const));
  return Object.fromEntries(networks) as Record<keyof DenoisingAttentions, DenoiserParams>;
}

/** Errors of SOFT and SOFT++ over that of no attention, for small networks that are trained with the seed of the run. */
async function smallRatios(context: ClaimContext, training: TrainingSize, softOf: SoftPair, test: number) {
  const [plain, plusPlus] = softOf;
  const attentions = { none: null, plain, plusPlus };
  const onFraction = (fraction: number, name: string) => context.onProgress(0.5 + fraction / 2, `small, ${name}`);
  const trained = await trainDenoisers(context, attentions, context.seed, 0, training, onFraction);
  const images = denoisingImages(random.rng(`${context.seed}/small-test-images`), test, training.size);
  const error = (name: keyof typeof attentions) =>
    denoisingError(context, attentions[name], trained[name], images, training.size);
  const none = await error("none");
  return [(await error("plain")) / none, (await error("plusPlus")) / none];
}

type SoftPair = readonly [HeadAttention | null, HeadAttention | null];

/**
 * A task that only attention solves: tokens of one kind, far apart, must be averaged. At the quick scale shipped networks,
 * trained before with seed 0, are tested on images of the seed of the run, and small ones are trained with it; at the full
 * scale three runs of the whole networks are.
 * @param attentions what the networks compute with
 * @param small what the small networks of SOFT and SOFT++ compute with
 */
export function denoising(
  attentions: DenoisingAttentions = denoisingAttentions(),
  size: (context: ClaimContext) => DenoisingSize = ({ scale }) => ({
    ...TRAINING,
    runs: scale === "full" ? 3 : 0,
    test: 64,
    small: SMALL_TRAINING,
  }),
  small: SoftPair = [denoisingAttentions(SMALL).SOFT, denoisingAttentions(SMALL)["SOFT++"]],
): Claim {
  return {
    id: "denoising-by-far-tokens",
    statement:
      "SOFT and SOFT++ learn to use far-away tokens: they denoise much better than no attention, as softmax does (small " +
      "networks are trained with the seed of the run; the large ones at full scale, quick: shipped ones of seed 0 see " +
      "images of the seed of the run)",
    source: "Section 5, at small scale on a task of our own",
    paper: "on a par with softmax attention",
    async run(context: ClaimContext) {
      const { runs, test, small: smallTraining, ...training } = size(context);
      const judged = denoisingImages(random.rng(`${context.seed}/test-images`), test, training.size);
      const errors: number[][] = denoisers.map(() => []);
      for (let run = 0; run < Math.max(runs, 1); run++) {
        const onFraction = (fraction: number, name: string) => context.onProgress((run + fraction) / runs / 2, name);
        const networks =
          runs === 0
            ? await shippedDenoisers()
            : await trainDenoisers(context, attentions, context.seed, run, training, onFraction);
        for (const [i, name] of denoisers.entries()) {
          errors[i].push(await denoisingError(context, attentions[name], networks[name], judged, training.size));
        }
      }
      const ratios = smallTraining === null ? [] : await smallRatios(context, smallTraining, small, test);
      const means = errors.map(meanOf);
      const [none, softmax, ...soft] = means;
      const smallNames = ["small SOFT / none", "small SOFT++ / none"];
      return {
        measured: {
          ...Object.fromEntries(denoisers.map((name, i) => [name, means[i]])),
          ...Object.fromEntries(ratios.map((ratio, i) => [smallNames[i], ratio])),
        },
        holds:
          soft.every((error) => error <= 0.65 * none && error <= 2 * softmax) &&
          ratios.every((ratio) => ratio <= SMALL_LIMIT),
        detail:
          `Mean squared error on ${test} images of seed ${context.seed} after ${training.steps} updates ` +
          `(${runs === 0 ? "shipped networks of seed 0" : `mean of ${runs} trained here`}): ` +
          `SOFT (${figure(soft[0])}) and SOFT++ (${figure(soft[1])}) must be at most 0.65 of no attention's (${figure(none)}) and 2 of softmax's (${figure(softmax)}).` +
          (smallTraining === null
            ? ""
            : ` Small networks, trained here with seed ${context.seed}: at most ${SMALL_LIMIT} of no attention's (${ratios.map((ratio) => figure(ratio)).join(", ")}).`),
        series: [
          {
            kind: "bar",
            title: "Mean squared error of denoised tokens",
            category: "attention",
            categories: [...denoisers],
            value: { label: "mean squared error" },
            bars: [{ name: "test images", values: means }],
          },
        ],
      };
    },
  };
}

/** What small networks with SOFT may leave of the error without attention. */
const SMALL_LIMIT = 0.95;
