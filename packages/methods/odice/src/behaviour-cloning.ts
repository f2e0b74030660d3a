import { checkOptions, ones } from "@offprint/tensor-core";
import type { PolicyParams } from "./gaussian-policy.js";
import { type PolicyOptions, policyLearner, policyNames } from "./odice.js";
import { bestEpisodes, type OfflineDataset, requireDataset } from "./offline-dataset.js";
import { type OfflineOptions, type OfflineResult, offlineNames, trainOffline } from "./offline-training.js";

/** Options of {@link behaviourCloning}. */
export interface CloningOptions<Q = unknown> extends OfflineOptions, PolicyOptions<Q> {
  /** Share of the episodes that are imitated, those of the largest returns, in (0, 1]. Default 1; "10 % BC" is 0.1. */
  readonly share?: number;
}

/** Networks and optimizers of behaviour cloning. */
export interface CloningParams<Q = unknown> {
  /** The policy. */
  readonly params: PolicyParams<Q>;
  /** State of its optimizer. */
  readonly optimizer: unknown;
}

/** Imitates all transitions alike, or those of the best episodes: the baseline. */
export async function behaviourCloning<Q = unknown>(
  dataset: OfflineDataset,
  options: CloningOptions<Q>,
): Promise<OfflineResult<CloningParams<Q>>> {
  requireDataset("behaviourCloning", dataset);
  const owner = "behaviourCloning";
  checkOptions(owner, options, [...offlineNames, ...policyNames, "share"], ["steps"]);
  const { share = 1 } = options;
  const chosen = share === 1 ? dataset : bestEpisodes(dataset, share);
  const learnt = policyLearner<Q>(owner, chosen, options);
  return trainOffline(
    owner,
    chosen,
    {
      initial: (rng) => learnt.initial(rng.fork("policy")),
      update(now, batch) {
        const { loss, ...learner } = learnt.update(now, batch, ones([]));
        return { learner, figures: { policyLoss: loss } };
      },
      policy: ({ params }) => learnt.policy(params),
    },
    options as OfflineOptions,
  );
}
