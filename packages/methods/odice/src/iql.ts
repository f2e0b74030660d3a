import { adam, applyUpdates } from "@offprint/optim";
import {
  add,
  checkOptions,
  clip,
  concatenate,
  exp,
  jitSync,
  less,
  mean,
  mul,
  requireDecayRate,
  requirePositive,
  square,
  stopGradient,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  valueAndGrad,
  where,
} from "@offprint/tensor-core";
import { type PolicyParams, standardised } from "./gaussian-policy.js";
import { valueNetwork } from "./networks.js";
import { type PolicyOptions, policyLearner, policyNames, requirePart, requireShare } from "./odice.js";
import { type OfflineDataset, requireDataset } from "./offline-dataset.js";
import { type OfflineOptions, type OfflineResult, offlineNames, trainOffline } from "./offline-training.js";
import { leastOf } from "./value-gradients.js";

/** Options of {@link fitIql}. */
export interface IqlOptions<Q = unknown> extends OfflineOptions, PolicyOptions<Q> {
  /** tau in (0, 1): which expectile of the values of actions a state's value is. Default 0.7. */
  readonly expectile?: number;
  /** Inverse temperature of the weights `exp(beta A)`, > 0. Default 3. */
  readonly inverseTemperature?: number;
  /** gamma in [0, 1). Default 0.99. */
  readonly discount?: number;
  /** How fast the target follows, in (0, 1]. Default 0.005. */
  readonly targetRate?: number;
  /** Widths of hidden layers of both values. Default `[256, 256]`. */
  readonly hidden?: readonly number[];
  /** Step of Adam for the values. Default 2e-4. */
  readonly valueLearningRate?: number;
}

/** Networks and optimizers of IQL. */
export interface IqlParams<Q = unknown> {
  /** Values of states. */
  readonly value: unknown;
  /** Values of actions, twins. */
  readonly action: unknown;
  /** What follows them. */
  readonly target: unknown;
  /** The policy. */
  readonly policy: PolicyParams<Q>;
  /** States of the optimizers: value, action, policy. */
  readonly optimizers: readonly [unknown, unknown, unknown];
}

/** What {@link fitIql} gives. */
export interface IqlResult<Q = unknown> extends OfflineResult<IqlParams<Q>> {
  /** Values of observations, `[batch]`. */
  value(observations: TensorLike): Tensor;
}

/** Implicit Q-learning (Kostrikov et al. 2022), a baseline that constrains actions alone. */
export async function fitIql<Q = unknown>(dataset: OfflineDataset, options: IqlOptions<Q>): Promise<IqlResult<Q>> {
  requireDataset("fitIql", dataset);
  const owner = "fitIql";
  const own = ["expectile", "inverseTemperature", "discount", "targetRate", "hidden", "valueLearningRate"];
  checkOptions(owner, options, [...offlineNames, ...policyNames, ...own], ["steps"]);
  const { expectile = 0.7, inverseTemperature = 3, discount = 0.99, targetRate = 0.005 } = options;
  const { hidden = [256, 256], valueLearningRate = 2e-4 } = options;
  requirePart(owner, "expectile", expectile);
  requireShare(owner, "targetRate", targetRate);
  requirePositive(owner, "inverseTemperature", inverseTemperature);
  requirePositive(owner, "valueLearningRate", valueLearningRate);
  requireDecayRate(owner, "discount", discount);
  const learnt = policyLearner<Q>(owner, dataset, options);
  const { scaling } = learnt;
  const [inputs, outputs] = [dataset.observations.shape[1], dataset.actions.shape[1]];
  const values = valueNetwork({ inputs, hidden, layerNorm: false, twin: false });
  const actions = valueNetwork({ inputs: inputs + outputs, hidden, layerNorm: false });
  type Half = ReturnType<typeof values.init>;
  const optimizer = adam({ learningRate: valueLearningRate });
  const result = await trainOffline<IqlParams<Q>>(
    owner,
    dataset,
    {
      initial(rng) {
        const [value, action] = [values.init(rng.fork("value")), actions.init(rng.fork("action"))];
        const policy = learnt.initial(rng.fork("policy"));
        return {
          value,
          action,
          target: tree.map((leaf: Tensor) => leaf.mul(1), action),
          policy: policy.params,
          optimizers: [optimizer.init(value), optimizer.init(action), policy.optimizer],
        };
      },
      update(now, batch) {
        const [here, next] = [batch.observations, batch.nextObservations].map((x) => standardised(x, scaling));
        const pair = concatenate([here, batch.actions], 1);
        const bar = stopGradient(leastOf(actions.apply(now.target as Half, pair)));
        const [valueLoss, valueSlope] = valueAndGrad((p: Half) => {
          const gap = sub(bar, values.apply(p, here));
          return mean(
            mul(where(less(gap, 0), add(mul(gap, 0), 1 - expectile), add(mul(gap, 0), expectile)), square(gap)),
          );
        })(now.value as Half);
        const going = mul(sub(1, batch.terminals), discount);
        const goal = add(batch.rewards, mul(going, values.apply(now.value as Half, next)));
        const [actionLoss, actionSlope] = valueAndGrad((p: Half) => mean(square(sub(actions.apply(p, pair), goal))))(
          now.action as Half,
        );
        const advantage = sub(bar, values.apply(now.value as Half, here));
        const weight = clip(exp(clip(mul(advantage, inverseTemperature), -50, 5)), 0, 100);
        const followed = learnt.update({ params: now.policy, optimizer: now.optimizers[2] }, batch, weight);
        const [forValue, forAction] = [
          optimizer.update(valueSlope, now.optimizers[0] as never, now.value as Half),
          optimizer.update(actionSlope, now.optimizers[1] as never, now.action as Half),
        ];
        const action = applyUpdates(now.action as Half, forAction.updates);
        const follow = (old: Tensor, fresh: Tensor) => add(mul(old, 1 - targetRate), mul(fresh, targetRate));
        return {
          learner: {
            value: applyUpdates(now.value as Half, forValue.updates),
            action,
            target: tree.map(follow, now.target as Half, action),
            policy: followed.params,
            optimizers: [forValue.state, forAction.state, followed.optimizer] as const,
          },
          figures: { valueLoss, actionLoss, policyLoss: followed.loss, advantageMean: mean(advantage) },
        };
      },
      policy: ({ policy }) => learnt.policy(policy),
    },
    options as OfflineOptions,
  );
  const value = jitSync((x: Tensor) => values.apply(result.params.value as Half, standardised(x, scaling)));
  return {
    ...result,
    value: (observations) => value(tensor(observations, { dtype: dataset.rewards.dtype as "float32" })),
  };
}
