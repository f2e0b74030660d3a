import { adam, addDecayedWeights, applyUpdates, chain, type GradientTransformation } from "@offprint/optim";
import {
  add,
  cast,
  checkOptions,
  greater,
  jitSync,
  max,
  mean,
  min,
  mul,
  type Rng,
  requireChoice,
  requireDecayRate,
  requireNonNegative,
  requireObject,
  requirePositive,
  stopGradient,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
  valueAndGrad,
  zeros,
} from "@offprint/tensor-core";
import { type Divergence, policyWeight, ratioWeight } from "./f-divergence.js";
import { gaussianNll, makePolicy, meansOf, type Policy, type PolicyParams, standardised } from "./gaussian-policy.js";
import { type PolicyNetwork, policyNetwork, type ValueNetwork, valueNetwork } from "./networks.js";
import { type OfflineDataset, requireDataset, scalingOf } from "./offline-dataset.js";
import {
  type Learner,
  type OfflineOptions,
  type OfflineResult,
  offlineNames,
  trainOffline,
} from "./offline-training.js";
import {
  featureSimilarity,
  leastOf,
  type OfflineBatch,
  type ValueGradients,
  type ValueSettings,
  type ValueUpdate,
  valueGradients,
} from "./value-gradients.js";

/** What every policy of these methods takes. */
export interface PolicyOptions<Q = unknown> {
  /** The policy: a network, or widths of hidden layers. Default `[1024, 1024]`. */
  readonly policy?: PolicyNetwork<Q> | { readonly hidden: readonly number[] };
  /** Whether means go through tanh, as for imitation. Default false. */
  readonly tanhMean?: boolean;
  /** Step of Adam for the policy. Default 2e-4. */
  readonly policyLearningRate?: number;
  /** Weight decay of the policy, >= 0. Default 1e-4. */
  readonly weightDecay?: number;
  /** Whether observations are standardised, in training and in the policy. Default false. */
  readonly normalize?: boolean;
}

/** @internal Names of {@link PolicyOptions}. */
export const policyNames = ["policy", "tanhMean", "policyLearningRate", "weightDecay", "normalize"] as const;

/** Options of {@link fitOdice}. */
export interface OdiceOptions<P = unknown, Q = unknown> extends OfflineOptions, PolicyOptions<Q> {
  /** How values are updated: `"orthogonal"`, the paper's, or `"true"` and `"semi"`. Default `"orthogonal"`. */
  readonly type?: ValueUpdate;
  /** The divergence. Default `"pearson"`. */
  readonly divergence?: Divergence;
  /** Weight of the conjugate in (0, 1): the larger, the fewer transitions count. Default 0.6; tune it with the scale of rewards. */
  readonly lambda?: number;
  /** Weight of the backward gradient, >= 0; 0 is the semi-gradient. Default 1. */
  readonly eta?: number;
  /** gamma in [0, 1). Default 0.99. */
  readonly discount?: number;
  /** How fast the target follows, in (0, 1]. Default 0.005. */
  readonly targetRate?: number;
  /** The value: a network, or its shape. Default two of `[256, 256]` with layer normalisation. */
  readonly value?:
    | ValueNetwork<P>
    | { readonly hidden: readonly number[]; readonly layerNorm?: boolean; readonly twin?: boolean };
  /** Step of Adam for the value. Default 2e-4. */
  readonly valueLearningRate?: number;
  /** What transitions count in the policy's loss: `"residual"`, or `"ratio"` with all `w*(y)`, as OptiDICE. Default `"residual"`. */
  readonly weights?: "residual" | "ratio";
}

/** Networks and optimizers of ODICE. */
export interface OdiceParams<P = unknown, Q = unknown> {
  /** The value. */
  readonly value: P;
  /** What follows it. */
  readonly target: P;
  /** The policy. */
  readonly policy: PolicyParams<Q>;
  /** State of the value's optimizer. */
  readonly valueOptimizer: unknown;
  /** State of the policy's. */
  readonly policyOptimizer: unknown;
}

/** What {@link fitOdice} gives. */
export interface OdiceResult<P = unknown, Q = unknown> extends OfflineResult<OdiceParams<P, Q>> {
  /** Values of observations, the least of twins: `[batch]`. */
  value(observations: TensorLike): Tensor;
  /** What transitions count in the policy's loss, `[rows]` or `[2, rows]`. */
  weights(transitions: OfflineBatch): Tensor;
}

const names = [
  ...offlineNames,
  ...policyNames,
  ...["type", "divergence", "lambda", "eta", "discount", "targetRate", "value", "valueLearningRate", "weights"],
];

/**
 * Learns a policy from logged transitions alone, by distribution correction with the orthogonal gradient: what the backward part of the value's
 * gradient has along the forward part is left out, so that states outside the data lose their value without the two cancelling each other. The
 * policy imitates transitions weighed by their residuals.
 * @param dataset of `offlineDataset`, `qlearningDataset` or a file
 * @throws ValueError for numbers out of range; NonFiniteError with the last good state.
 * @see https://arxiv.org/abs/2402.00348
 * @example const { policy } = await fitOdice(dataset, { steps: 2500, value: { hidden: [64, 64] }, policy: { hidden: [64, 64] }, lambda: 0.5 });
 */
export async function fitOdice<P = unknown, Q = unknown>(
  dataset: OfflineDataset,
  options: OdiceOptions<P, Q>,
): Promise<OdiceResult<P, Q>> {
  requireDataset("fitOdice", dataset);
  const owner = "fitOdice";
  checkOptions(owner, options, names, ["steps"]);
  const settings = settingsOf(owner, options);
  const { targetRate = 0.005, valueLearningRate = 2e-4, weights = "residual" } = options;
  requireShare(owner, "targetRate", targetRate);
  requirePositive(owner, "valueLearningRate", valueLearningRate);
  requireChoice(owner, "weights", weights, ["residual", "ratio"]);
  const learnt = policyLearner<Q>(owner, dataset, options);
  const { scaling } = learnt;
  const network = valueOf<P>(dataset, options.value);
  const seen = (batch: OfflineBatch): OfflineBatch => ({
    ...batch,
    observations: standardised(batch.observations, scaling),
    nextObservations: standardised(batch.nextObservations, scaling),
  });
  const weigh = weights === "ratio" ? ratioWeight : policyWeight;
  const optimizer = adam({ learningRate: valueLearningRate });
  const gradients = (params: OdiceParams<P, Q>, batch: OfflineBatch) =>
    valueGradients<P>((p, x) => network.apply(p, x), params.value, params.target, seen(batch), settings);
  const learner: Learner<OdiceParams<P, Q>> = {
    initial(rng) {
      const value = network.init(rng.fork("value"));
      const policy = learnt.initial(rng.fork("policy"));
      return {
        value,
        target: tree.map((leaf: Tensor) => leaf.mul(1), value) as P,
        policy: policy.params,
        valueOptimizer: optimizer.init(value),
        policyOptimizer: policy.optimizer,
      };
    },
    update(params, batch) {
      const made = gradients(params, batch);
      const step = optimizer.update(made.total, params.valueOptimizer as never, params.value);
      const value = applyUpdates(params.value, step.updates);
      // Residuals of before the step.
      const weight = stopGradient(weigh(made.forwardResidual, settings.divergence));
      const followed = learnt.update({ params: params.policy, optimizer: params.policyOptimizer }, batch, weight);
      const follow = (old: Tensor, now: Tensor) => add(mul(old, 1 - targetRate), mul(now, targetRate));
      return {
        learner: {
          value,
          target: tree.map(follow, params.target, value) as P,
          policy: followed.params,
          valueOptimizer: step.state,
          policyOptimizer: followed.optimizer,
        },
        figures: {
          ...figuresOf(made, weight, settings.type),
          policyLoss: followed.loss,
          ...similarity(network, params.value, seen(batch)),
        },
      };
    },
    policy: ({ policy }) => learnt.policy(policy),
  };
  const result = await trainOffline(owner, dataset, learner, options as OfflineOptions);
  const { params } = result;
  const value = jitSync((x: Tensor) => leastOf(network.apply(params.value, standardised(x, scaling))));
  return {
    ...result,
    value: (observations) => value(tensor(observations, { dtype: dataset.rewards.dtype as "float32" })),
    weights: (transitions) => weigh(gradients(params, transitions).forwardResidual, settings.divergence),
  };
}

/** Those of both gradients are left out where the backward one is not needed, so that it is not computed. */
function figuresOf<P>(made: ValueGradients<P>, weight: Tensor, type: ValueUpdate): Record<string, Tensor> {
  const { forwardResidual: y, values, coefficient, cosine } = made;
  return {
    residualMean: mean(y),
    residualLeast: min(y),
    residualLargest: max(y),
    positiveShare: mean(cast(greater(weight, 0), weight.dtype)),
    valueMean: mean(values),
    ...(type !== "semi" && { coefficient, cosine }),
  };
}

function similarity<P>(network: ValueNetwork<P>, params: P, batch: OfflineBatch): Record<string, Tensor> {
  if (network.features === undefined) return {};
  const at = (x: Tensor) => (network.features as NonNullable<typeof network.features>)(params, x);
  return { featureSimilarity: featureSimilarity(at(batch.observations), at(batch.nextObservations)) };
}

function settingsOf(owner: string, options: OdiceOptions<never, never> | OdiceOptions): ValueSettings {
  const { type = "orthogonal", divergence = "pearson", lambda = 0.6, eta = 1, discount = 0.99 } = options;
  requireChoice(owner, "type", type, ["orthogonal", "true", "semi"]);
  requireChoice(owner, "divergence", divergence, ["pearson", "reverseKl"]);
  requirePart(owner, "lambda", lambda);
  requireNonNegative(owner, "eta", eta);
  requireDecayRate(owner, "discount", discount);
  return { type, divergence, lambda, eta, discount };
}

/** @internal @throws ValueError for a part outside (0, 1). */
export function requirePart(owner: string, name: string, part: number): void {
  requirePositive(owner, name, part);
  if (part >= 1) throw new ValueError(`${owner}: ${name} is ${part}; it must lie in (0, 1)`);
}

/** @internal @throws ValueError for a share outside (0, 1]. */
export function requireShare(owner: string, name: string, share: number): void {
  requirePositive(owner, name, share);
  if (share > 1) throw new ValueError(`${owner}: ${name} is ${share}; it must lie in (0, 1]`);
}

/** @internal A value's network, given or by its shape. */
export function valueOf<P>(dataset: OfflineDataset, given: OdiceOptions<P>["value"]): ValueNetwork<P> {
  if (given !== undefined) requireObject("fitOdice", "value", given, "a network, or the shape of one");
  if (given !== undefined && "apply" in given) return given;
  return valueNetwork({ inputs: dataset.observations.shape[1], ...given }) as unknown as ValueNetwork<P>;
}

/** @internal A policy with its optimizer. */
export interface Following<Q> {
  readonly params: PolicyParams<Q>;
  readonly optimizer: unknown;
}

/** @internal How weighted imitation is learnt. */
export interface PolicyLearner<Q> {
  /** How observations are standardised. */
  readonly scaling: ReturnType<typeof scalingOf> | undefined;
  initial(rng: Rng): Following<Q>;
  /** A step down `E[weight (-log pi(a | s))]`. */
  update(now: Following<Q>, batch: OfflineBatch, weight: Tensor): Following<Q> & { loss: Tensor };
  policy(params: PolicyParams<Q>): Policy;
}

/** @internal The policy's half of a method. */
export function policyLearner<Q>(owner: string, dataset: OfflineDataset, options: PolicyOptions<Q>): PolicyLearner<Q> {
  const { policyLearningRate = 2e-4, weightDecay = 1e-4, tanhMean = false, normalize = false, policy } = options;
  requirePositive(owner, "policyLearningRate", policyLearningRate);
  requireNonNegative(owner, "weightDecay", weightDecay);
  for (const [name, given] of Object.entries({ tanhMean, normalize })) {
    requireChoice(owner, name, given, [true, false]);
  }
  if (policy !== undefined) requireObject(owner, "policy", policy, "a network, or the shape of one");
  const [inputs, outputs] = [dataset.observations.shape[1], dataset.actions.shape[1]];
  const network: PolicyNetwork<Q> =
    policy !== undefined && "apply" in policy
      ? policy
      : (policyNetwork({ inputs, outputs, ...policy }) as unknown as PolicyNetwork<Q>);
  const optimizer: GradientTransformation =
    weightDecay === 0
      ? adam({ learningRate: policyLearningRate })
      : chain(addDecayedWeights(weightDecay), adam({ learningRate: policyLearningRate }));
  const scaling = normalize ? scalingOf(dataset) : undefined;
  const settings = { tanhMean, ...(scaling && { scaling }) };
  return {
    scaling,
    initial(rng) {
      const params = { mean: network.init(rng), logStd: zeros([outputs]) };
      return { params, optimizer: optimizer.init(params) };
    },
    update({ params, optimizer: state }, { observations, actions }, weight) {
      const [loss, gradient] = valueAndGrad((p: PolicyParams<Q>) =>
        mean(mul(weight, gaussianNll(meansOf(network, p.mean, observations, settings), p.logStd, actions))),
      )(params);
      const step = optimizer.update(gradient, state as never, params);
      return { params: applyUpdates(params, step.updates), optimizer: step.state, loss };
    },
    policy: (params) => makePolicy(network, params, settings) as Policy,
  };
}
