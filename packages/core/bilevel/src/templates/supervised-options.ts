import { type LinearParams, linear } from "@offprint/nn";
import { random, refuseIdle, requireInteger, tree, zerosLike } from "@offprint/tensor-core";
import {
  type ExampleLoss,
  type Examples,
  ExampleTable,
  exampleLoss,
  type Learner,
  type LossName,
  requireLearner,
} from "./learner.js";

/** What a model learns from, and what its upper variables are judged by. */
export interface SupervisedData {
  /** The examples that the lower level learns from. */
  readonly train: Examples;
  /** The examples that the upper level looks at. */
  readonly validation: Examples;
}

/** Options that the supervised templates share. */
export interface SupervisedOptions<P> {
  /** The model. Default a linear one with a bias, which begins at zero. */
  readonly model?: Learner<P>;
  /** Cross-entropy of classes, squared error, or the losses of the examples as a function. Default `crossEntropy`. */
  readonly loss?: LossName | ExampleLoss;
  /** Number of classes. Default the largest class number and one more. */
  readonly classes?: number;
  /** Examples in a batch; `"all"` for every example in every step. Default 64. */
  readonly batchSize?: number | "all";
  /** Decides the parameters that a model of your own begins with. Default 0. */
  readonly seed?: number | string;
}

/** The names of {@link SupervisedOptions}. */
export const supervisedOptionNames = ["model", "loss", "classes", "batchSize", "seed"] as const;

/** The same, read and checked. */
export interface Supervised<P> {
  readonly train: ExampleTable;
  readonly validation: ExampleTable;
  readonly model: Learner<P>;
  readonly loss: ExampleLoss;
  readonly initial: P;
  readonly batchSize: number | undefined;
}

/** Reads data and options of a template. */
export function readSupervised<P>(
  owner: string,
  data: SupervisedData,
  { model, loss = "crossEntropy", classes, batchSize = 64, seed = 0 }: SupervisedOptions<P>,
): Supervised<P> {
  const named = loss === "crossEntropy";
  const train = new ExampleTable(owner, "train", data?.train, named);
  const validation = new ExampleTable(owner, "validation", data?.validation, named);
  if (batchSize !== "all") requireInteger(owner, "batchSize", batchSize, 1);
  if (classes !== undefined) {
    if (!named) refuseIdle(owner, `a loss other than "crossEntropy"`, { classes }, ["classes"]);
    requireInteger(owner, "classes", classes, Math.max(2, train.classes, validation.classes));
  }
  if (model !== undefined) requireLearner(owner, "model", model as Learner<unknown>);
  const dtype = train.inputs.dtype === "float64" ? "float64" : "float32";
  const outputs = named ? (classes ?? Math.max(2, train.classes, validation.classes)) : 1;
  const rng = random.rng(seed);
  const chosen =
    model ?? (plainModel(train.inputs.shape[train.inputs.rank - 1], outputs) as Learner<unknown> as Learner<P>);
  const drawn = chosen.init(rng, dtype);
  // A convex model begins at zero, wherever nobody asked for another beginning.
  const initial = model === undefined ? tree.map((leaf) => zerosLike(leaf), drawn) : drawn;
  return {
    ...{ train, validation, model: chosen, loss: exampleLoss(owner, loss), initial },
    batchSize: batchSize === "all" ? undefined : batchSize,
  };
}

function plainModel(inputs: number, outputs: number): Learner<LinearParams> {
  return linear({ inputs, outputs });
}
