import { type RunOptions, runOptionNames, type Status } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  isTensor,
  NonFiniteError,
  requireChoice,
  requireInteger,
  requireNonNegative,
  type TensorLike,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import type { WaitOut } from "./close-round.js";
import type { ClusterProblem } from "./cluster-problem.js";
import type { Patience } from "./conduct-round.js";
import type { ClusterTrainingState, RoundRecord } from "./master-state.js";
import type { Scheme } from "./scheme.js";

/** Options of `trainOnCluster`. */
export interface ClusterTrainingOptions<P> extends RunOptions<RoundRecord, ClusterTrainingState<P>> {
  /** J: steps of all models together, those of a resumed run included. */
  readonly steps: number;
  /** mu: who takes more than (1 + mu) times as long as the first one is slow. Default 1. */
  readonly mu?: number;
  /** Another rule for when the others count as slow, in place of `mu`. */
  readonly patience?: Patience;
  /** Whom to wait for when the slow ones would be too many. Default `"minimal"`. */
  readonly waitOut?: WaitOut;
  /** Whether lost workers are made anew. Default true; false leaves them away: they straggle for ever. */
  readonly restart?: boolean;
  /** Allows fewer than T + 1 models: their gradients are then of earlier weights. Default false. */
  readonly allowStale?: boolean;
  /** Told whenever a worker has answered; a clock there records the delays for `selectParameters`. */
  readonly onAnswer?: (answer: { readonly round: number; readonly worker: number }) => void;
}

/** What `trainOnCluster` gives. */
export interface ClusterTrainingResult<P> {
  /** The parameters of each model. */
  readonly models: P[];
  /** How it ended. */
  readonly status: Exclude<Status, "converged">;
  /** Steps made, of all models together. */
  readonly steps: number;
  /** Rounds. */
  readonly iterations: number;
  /** One record for each round. */
  readonly history: RoundRecord[];
  /** What a further run resumes from. */
  readonly state: ClusterTrainingState<P>;
}

const optionNames = ["steps", "mu", "patience", "waitOut", "restart", "allowStale", "onAnswer", ...runOptionNames];

/** @throws ValueError for problems and options out of range, NonFiniteError for first parameters that are not finite */
export function checkTraining<P>(
  owner: string,
  scheme: Scheme,
  { models, optimizer, reduction }: ClusterProblem<P>,
  options: ClusterTrainingOptions<P>,
) {
  checkOptions(owner, options, optionNames);
  const { steps, mu = 1, patience, waitOut, allowStale = false, onAnswer } = options;
  requireInteger(owner, "steps", steps, 0);
  requireNonNegative(owner, "mu", mu);
  requireChoice(owner, "waitOut", waitOut, ["minimal", "all"]);
  requireChoice(owner, "reduction", reduction, ["mean", "sum"]);
  for (const [name, value] of Object.entries({ patience, onAnswer })) {
    if (value !== undefined && typeof value !== "function") {
      throw new ValueError(`${owner}: ${name} is ${typeof value}; it must be a function`);
    }
  }
  if (typeof optimizer?.update !== "function") {
    throw new ValueError(
      `${owner}: optimizer must be { init, update }, such as sgd({ learningRate: 0.1 }) of @offprint/optim`,
    );
  }
  if (models.length === 0) throw new ValueError(`${owner}: models is empty; give the parameters of one or more`);
  if (models.length <= scheme.delay && !allowStale) {
    throw new ValueError(
      `${owner}: models has ${models.length} of them; ${scheme.name} finishes a gradient ${scheme.delay} rounds later, so ` +
        `give ${scheme.delay + 1} or more, or set allowStale`,
    );
  }
  for (const [model, params] of models.entries()) {
    for (const leaf of tree.leaves<TensorLike>(params)) {
      const values = isTensor(leaf) ? leaf.data() : asTensor(leaf).data();
      if (!values.every(Number.isFinite)) {
        throw new NonFiniteError(`${owner}: models[${model}] has a parameter that is not finite; give finite ones`);
      }
    }
  }
}
