import type { ExampleLoss, Learner, Task } from "@offprint/bilevel";
import { crossEntropy, sgd, type TrainingRecord, type TrainingState, type TrainResult, train } from "@offprint/optim";
import { type RunOptions, runOptionNames } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  grad,
  hostBackend,
  mean,
  mul,
  type Rng,
  random,
  requireInteger,
  requireObject,
  requirePositive,
  stack,
  sub,
  type Tensor,
  take,
  tree,
  ValueError,
  vmap,
} from "@offprint/tensor-core";

/** The meta-parameters: those of a body, and of a head that all tasks begin with. */
export interface MetaParameters<B, H> {
  /** Of the representation. */
  readonly body: B;
  /** Of what is on top of it. */
  readonly head: H;
}

/** Options of {@link maml} and {@link anil}. */
export interface MetaLearningOptions<B, H>
  extends RunOptions<TrainingRecord, TrainingState<MetaParameters<B, H>, null>> {
  /** The representation, `[batch, ...]` to `[batch, features]`. */
  readonly body: Learner<B>;
  /** What is on top of it. */
  readonly head: Learner<H>;
  /** Step of the meta-parameters, > 0. */
  readonly learningRate: number;
  /** Step of a task's own parameters, > 0. */
  readonly innerStepSize: number;
  /** Steps of a task's own parameters. Default 1. */
  readonly innerSteps?: number;
  /** Updates of the meta-parameters. */
  readonly steps: number;
  /** Examples of each task in a batch. Default 20. */
  readonly batchSize?: number;
  /** Of the examples, `[batch]`. Default the cross-entropy of classes. */
  readonly loss?: ExampleLoss;
  /** Decides beginning and batches. Default 0. */
  readonly seed?: number | string;
}

const names = [
  ...["body", "head", "learningRate", "innerStepSize", "innerSteps", "steps", "batchSize", "loss", "seed"],
  ...runOptionNames,
];

/**
 * MAML (Finn, Abbeel and Levine 2017): meta-parameters from which a few steps on a task's support examples lead to a small
 * loss of its query examples; the gradient goes through the steps.
 * @throws ValueError, ShapeError for tasks and options that are none; NonFiniteError where it diverges.
 */
export async function maml<B, H>(
  tasks: readonly Task[],
  options: MetaLearningOptions<B, H>,
): Promise<TrainResult<MetaParameters<B, H>, null>> {
  requireObject("maml", "tasks", tasks, "an array");
  requireObject("maml", "options", options, "{ body, head, learningRate, innerStepSize, steps }");
  return metaLearn("maml", tasks, options, (at, slope, step) => tree.map((p, g) => sub(p, mul(g, step)), at, slope));
}

/**
 * ANIL (Raghu et al. 2020): MAML whose tasks adapt the head alone.
 * @throws ValueError, ShapeError for tasks and options that are none; NonFiniteError where it diverges.
 */
export async function anil<B, H>(
  tasks: readonly Task[],
  options: MetaLearningOptions<B, H>,
): Promise<TrainResult<MetaParameters<B, H>, null>> {
  requireObject("anil", "tasks", tasks, "an array");
  requireObject("anil", "options", options, "{ body, head, learningRate, innerStepSize, steps }");
  return metaLearn("anil", tasks, options, ({ body, head }, slope, step) => ({
    body,
    head: tree.map((p, g) => sub(p, mul(g, step)), head, slope.head),
  }));
}

type Adapt = <B, H>(at: MetaParameters<B, H>, slope: MetaParameters<B, H>, step: number) => MetaParameters<B, H>;

async function metaLearn<B, H>(
  owner: string,
  tasks: readonly Task[],
  options: MetaLearningOptions<B, H>,
  adapt: Adapt,
): Promise<TrainResult<MetaParameters<B, H>, null>> {
  checkOptions(owner, options, names);
  const { body, head, learningRate, innerStepSize, innerSteps = 1, steps, batchSize = 20, seed = 0, ...rest } = options;
  const { loss = (outputs: Tensor, targets: Tensor) => crossEntropy(outputs, targets, { reduction: "none" }), ...run } =
    rest;
  requirePositive(owner, "learningRate", learningRate);
  requirePositive(owner, "innerStepSize", innerStepSize);
  requireInteger(owner, "innerSteps", innerSteps, 1);
  requireInteger(owner, "steps", steps, 1);
  requireInteger(owner, "batchSize", batchSize, 1);
  if (!Array.isArray(tasks) || tasks.length === 0) {
    throw new ValueError(`${owner}: there are no tasks; give [{ support, query }, ...]`);
  }
  const of = (part: keyof Task) => ({
    inputs: stack(tasks.map((task) => asTensor(task[part].inputs))),
    targets: stack(tasks.map((task) => asTensor(task[part].targets))),
  });
  const [support, query] = [of("support"), of("query")];
  const lossOf = (at: MetaParameters<B, H>, inputs: Tensor, targets: Tensor) =>
    mean(loss(head.apply(at.head, body.apply(at.body, inputs)), targets));
  const ofTask = (meta: MetaParameters<B, H>, ...[a, b, c, d]: Tensor[]) => {
    let at = meta;
    for (let k = 0; k < innerSteps; k++) {
      at = adapt(at, grad((p: MetaParameters<B, H>) => lossOf(p, a, b))(at) as MetaParameters<B, H>, innerStepSize);
    }
    return lossOf(at, c, d);
  };
  const dtype = support.inputs.dtype === "float64" ? "float64" : "float32";
  const rng = random.rng(seed);
  const drawn = (r: Rng, { targets }: typeof support) =>
    r.randint([tasks.length, batchSize], { high: targets.shape[1] });
  const rows = (table: Tensor, at: Tensor) => vmap((t: Tensor, i: Tensor) => take(t, i))(table, at);
  return train<MetaParameters<B, H>, { support: Tensor; query: Tensor }, null>({
    owner,
    ...run,
    initial: { body: body.init(rng, dtype), head: head.init(rng, dtype) },
    optimizer: sgd({ learningRate }),
    epochs: 1,
    seed,
    backend: hostBackend,
    modelState: null,
    data: function* batches(_, r) {
      for (let k = 0; k < steps; k++) yield { support: drawn(r, support), query: drawn(r, query) };
    },
    loss: (meta, at) =>
      mean(
        vmap((a: Tensor, b: Tensor, c: Tensor, d: Tensor) => ofTask(meta, a, b, c, d))(
          ...([rows(support.inputs, at.support), rows(support.targets, at.support)] as const),
          ...([rows(query.inputs, at.query), rows(query.targets, at.query)] as const),
        ),
      ),
  });
}
