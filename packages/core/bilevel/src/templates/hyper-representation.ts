import {
  add,
  arange,
  checkOptions,
  div,
  mean,
  mul,
  type Rng,
  random,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  square,
  stack,
  sum,
  type Tensor,
  take,
  tree,
  ValueError,
  vmap,
  zerosLike,
} from "@offprint/tensor-core";
import type { BilevelProblem } from "../problem.js";
import {
  type ExampleLoss,
  type Examples,
  ExampleTable,
  exampleLoss,
  type Learner,
  type LossName,
  requireLearner,
} from "./learner.js";

/** One task: what its head learns from, and what the representation is judged by. */
export interface Task {
  /** The examples that the head learns from. */
  readonly support: Examples;
  /** The examples that the representation looks at. */
  readonly query: Examples;
}

/** Options of {@link hyperRepresentation}. */
export interface HyperRepresentationOptions<B, H> {
  /** The representation, `[batch, ...]` to `[batch, features]`: its parameters are x. */
  readonly body: Learner<B>;
  /** What is learnt for each task on top of it, convex in its parameters: they are y. */
  readonly head: Learner<H>;
  /** Cross-entropy of classes, squared error, or the losses of the examples as a function. Default `crossEntropy`. */
  readonly loss?: LossName | ExampleLoss;
  /** mu: weight of half the squared norm of each head, > 0. Default 0.01. */
  readonly weightDecay?: number;
  /** Tasks in a batch. Default all. */
  readonly tasksPerBatch?: number;
  /** Examples of each task in a batch; `"all"` for every example of the tasks in a step. Default 64. */
  readonly batchSize?: number | "all";
  /** Decides the parameters that body and head begin with. Default 0. */
  readonly seed?: number | string;
  /** Whether the heads begin at zero. Default true. */
  readonly zeroHead?: boolean;
}

/** Tasks and examples of a batch: int32 `[tasks]` and `[tasks, batch]`. */
export interface TaskBatch {
  /** Which tasks. */
  readonly tasks: Tensor;
  /** Which examples of each. */
  readonly numbers: Tensor;
}

const names = ["body", "head", "loss", "weightDecay", "tasksPerBatch", "batchSize", "seed", "zeroHead"];

/**
 * A representation that serves many tasks: x are the parameters of the body, y those of a head for each task (a tree
 * with the tasks along the first axis), which minimise the loss of the task's support examples plus
 * `mu |head|^2 / 2`; the query examples say how good the representation is. With several tasks the upper function is
 * their mean, the lower one their sum, so that a head's curvature does not depend on the number of tasks.
 * @throws ShapeError, ValueError for tasks and options that are none, and tasks that are not equally large.
 */
export function hyperRepresentation<B, H>(
  tasks: readonly Task[],
  options: HyperRepresentationOptions<B, H>,
): BilevelProblem<B, H, TaskBatch> {
  requireObject("hyperRepresentation", "tasks", tasks, "an array");
  const owner = "hyperRepresentation";
  checkOptions(owner, options, names, ["body", "head"]);
  const { body, head, loss = "crossEntropy", weightDecay = 0.01, batchSize = 64, seed = 0, zeroHead = true } = options;
  if (body === undefined || head === undefined) {
    throw new ValueError(`${owner}: body and head are missing; give layers, { init, apply }`);
  }
  requireLearner(owner, "body", body as Learner<unknown>);
  requireLearner(owner, "head", head as Learner<unknown>);
  requireChoice(owner, "zeroHead", zeroHead, [true, false]);
  if (!Array.isArray(tasks) || tasks.length === 0) {
    throw new ValueError(`${owner}: there are no tasks; give [{ support, query }, ...]`);
  }
  requirePositive(owner, "weightDecay", weightDecay);
  if (batchSize !== "all") requireInteger(owner, "batchSize", batchSize, 1);
  const { tasksPerBatch = tasks.length } = options;
  requireInteger(owner, "tasksPerBatch", tasksPerBatch, 1, tasks.length);
  const losses = exampleLoss(owner, loss);
  const support = stacked(owner, tasks, "support", loss === "crossEntropy");
  const query = stacked(owner, tasks, "query", loss === "crossEntropy");
  const dtype = support.inputs.dtype === "float64" ? "float64" : "float32";
  const rng = random.rng(seed);
  const first = body.init(rng, dtype);
  const heads = tasks.map(() => {
    const drawn = head.init(rng, dtype);
    return zeroHead ? tree.map((leaf) => zerosLike(leaf), drawn) : drawn;
  });
  const lossOfTasks = (table: Stacked, x: B, chosen: H, { tasks: which, numbers }: TaskBatch) => {
    const inputs = vmap((rows: Tensor, at: Tensor) => take(rows, at))(take(table.inputs, which), numbers);
    const targets = vmap((rows: Tensor, at: Tensor) => take(rows, at))(take(table.targets, which), numbers);
    const [count, size, ...rest] = inputs.shape;
    const features = body.apply(x, inputs.reshape([count * size, ...rest]));
    const perTask = features.reshape([count, size, ...features.shape.slice(1)]);
    const one = (params: H, rows: Tensor, goals: Tensor) => mean(losses(head.apply(params, rows), goals));
    return vmap(one)(chosen, perTask, targets);
  };
  const headsOf = (y: H, which: Tensor): H => tree.map((leaf) => take(leaf, which), y);
  return {
    initial: { x: first, y: tree.map((...leaves: Tensor[]) => stack(leaves), heads[0], ...heads.slice(1)) },
    upper: (x, y, batch) => mean(lossOfTasks(query, x, headsOf(y, batch.tasks), batch)),
    lower(x, y, batch) {
      const chosen = headsOf(y, batch.tasks);
      const squares = tree.leaves<Tensor>(chosen).map((leaf) => sum(square(leaf)));
      const penalty = mul(
        squares.reduce((a, b) => add(a, b)),
        weightDecay / 2,
      );
      const total = add(sum(lossOfTasks(support, x, chosen, batch)), penalty);
      return mul(total, div(tasks.length, batch.tasks.shape[0]));
    },
    full: { upper: wholeBatch(query), lower: wholeBatch(support) },
    ...((batchSize !== "all" || tasksPerBatch < tasks.length) && {
      sample: {
        upper: (draws) => drawBatch(draws, query, tasksPerBatch, batchSize),
        lower: (draws) => drawBatch(draws, support, tasksPerBatch, batchSize),
      },
    }),
  };
}

interface Stacked {
  /** `[tasks, n, ...]` */
  readonly inputs: Tensor;
  /** `[tasks, n]` */
  readonly targets: Tensor;
}

function stacked(owner: string, tasks: readonly Task[], part: keyof Task, classes: boolean): Stacked {
  const tables = tasks.map((task, i) => new ExampleTable(owner, `tasks[${i}].${part}`, task?.[part], classes));
  const other = tables.find(({ inputs }) => inputs.shape.join() !== tables[0].inputs.shape.join());
  if (other !== undefined) {
    throw new ValueError(
      `${owner}: the ${part} inputs of the tasks have shapes [${tables[0].inputs.shape}] and [${other.inputs.shape}]; make ` +
        "the tasks equally large",
    );
  }
  return { inputs: stack(tables.map(({ inputs }) => inputs)), targets: stack(tables.map(({ targets }) => targets)) };
}

function wholeBatch({ targets }: Stacked): TaskBatch {
  const [count, size] = targets.shape;
  return { tasks: arange(count), numbers: everyExample(count, size) };
}

function drawBatch(rng: Rng, { targets }: Stacked, tasksPerBatch: number, batchSize: number | "all"): TaskBatch {
  const [count, size] = targets.shape;
  const all = tasksPerBatch === count;
  const tasks = all ? arange(count) : rng.choice(count, { shape: [tasksPerBatch], replace: false });
  const numbers =
    batchSize === "all" ? everyExample(tasksPerBatch, size) : rng.randint([tasksPerBatch, batchSize], { high: size });
  return { tasks, numbers };
}

/** The numbers of all examples, for each of some tasks. */
function everyExample(count: number, size: number): Tensor {
  return stack(Array.from({ length: count }, () => arange(size)));
}
