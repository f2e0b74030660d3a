import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import {
  type DenoisingAttentions,
  denoiser,
  denoisingAttentions,
  denoisingError,
  denoisingImages,
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
}

const names = Object.keys(denoisingAttentions) as (keyof DenoisingAttentions)[];

/** The networks that were trained before with seed 0. */
async function shippedDenoisers(): Promise<Record<keyof DenoisingAttentions, any>> {
  const load = (name: keyof DenoisingAttentions) =>
    shippedNetwork(assetName("denoising", name, 0), denoiser(denoisingAttentions[name]).init(random.rng(0)));
  const networks = await Promise.all(names.map(async (name) => [name, await load(name)] as const));
  return Object.fromEntries(networks) as Record<keyof DenoisingAttentions, any>;
}

/**
 * A task that only attention solves: tokens of one kind, far apart, must be averaged. At the quick scale shipped networks,
 * trained before with seed 0, are tested on images of the seed of the run; at the full scale three runs are trained with it.
 * @param attentions what the networks compute with
 */
export function denoising(
  attentions: DenoisingAttentions = denoisingAttentions,
  size: (context: ClaimContext) => DenoisingSize = ({ scale }) => ({
    ...TRAINING,
    runs: scale === "full" ? 3 : 0,
    test: 64,
  }),
): Claim {
  return {
    id: "denoising-by-far-tokens",
    statement:
      "SOFT and SOFT++ learn to use far-away tokens: they denoise much better than no attention, as softmax does (quick: " +
      "shipped networks of seed 0 on fresh images of the seed of the run; full: trained with the seed of the run)",
    source: "Section 5, at small scale on a task of our own",
    paper: "on a par with softmax attention",
    async run(context: ClaimContext) {
      const { runs, test, ...training } = size(context);
      const judged = denoisingImages(random.rng(`${context.seed}/test-images`), test);
      const errors: number[][] = names.map(() => []);
      for (let run = 0; run < Math.max(runs, 1); run++) {
        const onFraction = (fraction: number, name: string) => context.onProgress((run + fraction) / runs, name);
        const networks =
          runs === 0
            ? await shippedDenoisers()
            : await trainDenoisers(context, attentions, context.seed, run, training, onFraction);
        for (const [i, name] of names.entries()) {
          errors[i].push(await denoisingError(context, attentions[name], networks[name], judged));
        }
      }
      const means = errors.map(meanOf);
      const [none, softmax, ...soft] = means;
      return {
        measured: Object.fromEntries(names.map((name, i) => [name, means[i]])),
        holds: soft.every((error) => error <= 0.65 * none && error <= 2 * softmax),
        detail:
          `Mean squared error on ${test} images of seed ${context.seed} after ${training.steps} updates ` +
          `(${runs === 0 ? "shipped networks of seed 0" : `mean of ${runs} trained here`}): ` +
          `SOFT (${figure(soft[0])}) and SOFT++ (${figure(soft[1])}) must be at most 0.65 of no attention's (${figure(none)}) and 2 of softmax's (${figure(softmax)}).`,
        series: [
          {
            kind: "bar",
            title: "Mean squared error of denoised tokens",
            category: "attention",
            categories: names,
            value: { label: "mean squared error" },
            bars: [{ name: "test images", values: means }],
          },
        ],
      };
    },
  };
}
