import { crossEntropy } from "@offprint/optim";
import {
  arange,
  asTensor,
  cast,
  isTensor,
  max,
  type Rng,
  requireFunction,
  requireObject,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  take,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/** Examples as templates read them: a data set, or the plain arrays it is made of. */
export interface Examples {
  /** `[n, ...]` */
  readonly inputs: TensorLike;
  /** `[n]` class numbers (int32 where they are a tensor) or numbers to be predicted. */
  readonly targets: TensorLike;
}

/** A model as a pair of functions, such as the layers of `nn`. */
export interface Learner<P> {
  /** Draws parameters. */
  init(rng: Rng, dtype?: "float32" | "float64"): P;
  /** `[batch, ...]` inputs to outputs, `[batch, classes]` for classes. */
  apply(params: P, inputs: Tensor): Tensor;
}

/** @throws ValueError for what is no model. */
export function requireLearner(owner: string, name: string, model: Learner<never> | Learner<unknown>): void {
  requireObject(owner, name, model, "a layer, { init, apply }");
  requireFunction(owner, `${name}.init`, model.init);
  requireFunction(owner, `${name}.apply`, model.apply);
}

/** The losses of the examples, `[batch]`, of outputs and targets. */
export type ExampleLoss = (outputs: Tensor, targets: Tensor) => Tensor;

/** A batch: the numbers of its examples, int32 `[batch]`. */
export type ExampleNumbers = Tensor;

/** Examples as tensors: inputs of a float type, targets int32 for classes. */
export class ExampleTable {
  /** `[n, ...]` */
  readonly inputs: Tensor;
  /** `[n]` */
  readonly targets: Tensor;

  /** @throws ShapeError where inputs and targets are not equally many. */
  constructor(owner: string, name: string, examples: Examples | undefined, classes: boolean) {
    const { inputs, targets } = examples ?? {};
    if (inputs === undefined || targets === undefined) {
      throw new ValueError(`${owner}: ${name} has no inputs and targets; give { inputs: [n, d], targets: [n] }`);
    }
    this.inputs = floating(inputs);
    const read = isTensor(targets) ? targets : asTensor(targets, "float64");
    if (classes) requireClasses(owner, name, read);
    this.targets = classes ? cast(read, "int32") : cast(read, this.inputs.dtype);
    if (this.inputs.rank < 2 || this.targets.shape[0] !== this.inputs.shape[0] || this.targets.shape[0] === 0) {
      throw new ShapeError(
        `${owner}: ${name} has inputs of shape [${this.inputs.shape}] and targets of shape [${this.targets.shape}]; give ` +
          "[n, d] and [n], at least one example",
      );
    }
  }

  /** Number of examples. */
  get size(): number {
    return this.targets.shape[0];
  }

  /** Largest class number and one more. */
  get classes(): number {
    return max(this.targets).item() + 1;
  }

  /** The examples of a batch; traceable. */
  at(numbers: ExampleNumbers): { inputs: Tensor; targets: Tensor } {
    return { inputs: take(this.inputs, numbers), targets: take(this.targets, numbers) };
  }

  /** The numbers of all examples. */
  get all(): ExampleNumbers {
    return arange(this.size);
  }

  /** Numbers drawn with replacement. */
  draw(rng: Rng, size: number): ExampleNumbers {
    return rng.randint([size], { high: this.size });
  }
}

function requireClasses(owner: string, name: string, targets: Tensor): void {
  if (targets.rank !== 1) {
    throw new ShapeError(
      `${owner}: ${name} has targets of shape [${targets.shape}]; give a class number for each, [n]`,
    );
  }
  const values = targets.data();
  const at = values.findIndex((v: number) => !(Number.isInteger(v) && v >= 0));
  if (at < 0) return;
  throw new ValueError(`${owner}: target ${at} of ${name} is ${values[at]}; give class numbers, integers from 0`);
}

function floating(x: TensorLike): Tensor {
  if (!isTensor(x)) return asTensor(x, "float64");
  return x.dtype === "float32" || x.dtype === "float64" ? x : cast(x, "float64");
}

/** The losses that go by name. */
export type LossName = "crossEntropy" | "squaredError";

/** The loss for a name, or the user's own. @throws ValueError for another name. */
export function exampleLoss(owner: string, loss: LossName | ExampleLoss): ExampleLoss {
  if (typeof loss === "function") return loss;
  if (loss === "crossEntropy") return (outputs, targets) => crossEntropy(outputs, targets, { reduction: "none" });
  if (loss === "squaredError") {
    return (outputs, targets) => square(sub(outputs.reshape([targets.shape[0]]), targets));
  }
  throw new ValueError(`${owner}: loss is ${String(loss)}; it must be "crossEntropy", "squaredError" or a function`);
}

/** The sum of the squares of all parameters. */
export function squaredNorm(params: unknown): Tensor {
  return tree
    .leaves<Tensor>(params)
    .map((leaf) => sum(square(leaf)))
    .reduce((a, b) => a.add(b));
}
