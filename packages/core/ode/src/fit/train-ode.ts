import { type BatchSource, batchesOf, requireOptimizer, type TrainResult, train } from "@offprint/optim";
import { runOptionsOf } from "@offprint/solvers";
import {
  add,
  cast,
  hostBackend,
  mul,
  type Rng,
  requireFunction,
  requireObject,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import type { Integral } from "../integrate.js";
import { annealed } from "./annealed.js";
import { checkedFit, type OdeFitOptions } from "./fit-options.js";

/** A solve, judged: what a method makes of a batch. */
export interface JudgedSolve {
  /** The loss of the model: a scalar. */
  readonly loss: Tensor;
  /** What is penalised, a scalar; without it the loss is that of the model bit for bit. */
  readonly penalty?: Tensor;
  /** What the solve took. */
  readonly solved: Pick<Integral<unknown>, "evaluations" | "steps" | "reached">;
}

/** What a method of regularisation adds to training. */
export interface RegularizedSolve<P, B, D> {
  /** Solves and judges, in operations of tensors. */
  readonly judge: (params: P, batch: B, drawn: D) => JudgedSolve;
  /** Draws what belongs to a step alone, such as random times: asked once an epoch, then once a batch. */
  readonly draws: (rng: Rng) => () => D;
}

/** What to do where an equation was not solved to its end. */
const unreached = (steps: number) =>
  `the equation was not solved to its end in ${steps} steps, and the step of training was not taken; give more maxSteps or a ` +
  "larger tolerance; where there were steps left, the rate is not finite near the solution: lower the learning rate";

const float = (value: number) => tensor(value, { dtype: "float64" });
const int = (value: number) => tensor(value, { dtype: "int32" });

/**
 * Trains a model with a differential equation in it: `L + lambda(epoch) R` with whatever a method takes as `R`. Solve, loss,
 * gradient and update are one compiled function.
 * @param data - The batches of an epoch: trees of tensors of one shape each. Any order of its own comes from `rng`.
 * @returns what `train` of `@offprint/optim` gives; `history` has the figures `regularizer`, `evaluations` and `steps`.
 * @throws ValueError; NonFiniteError, with the last good state, where loss or solve are not finite.
 */
export async function trainOde<P, B, D>(
  owner: string,
  regularizedSolve: RegularizedSolve<P, B, D>,
  initial: P,
  data: BatchSource<B>,
  options: OdeFitOptions<P>,
): Promise<TrainResult<P>> {
  requireObject(owner, "regularizedSolve", regularizedSolve, "a RegularizedSolve");
  requireFunction(owner, "data", data);
  requireObject(owner, "options", options, "{ optimizer, epochs }");
  const { judge, draws } = regularizedSolve;
  requireOptimizer(owner, options.optimizer);
  const lambda = checkedFit(owner, options);
  const { epochs, optimizer, seed = 0, backend = hostBackend, evaluate } = options;
  const { modelState, ...result } = await train<P, Drawn<B, D>, Figures>({
    owner,
    loss(params, { batch, drawn, lambda: weight }) {
      const { loss, penalty, solved } = judge(params, batch, drawn);
      const total = penalty === undefined ? loss : add(loss, mul(penalty, weight));
      const { evaluations, steps, reached } = solved;
      return [total, { regularizer: penalty ?? float(0), evaluations, steps, reached: cast(reached, "int32") }];
    },
    initial,
    optimizer,
    epochs,
    seed,
    backend,
    async *data(epoch, rng) {
      const draw = draws(rng);
      const weight = float(annealed(lambda, epoch, epochs));
      for await (const batch of batchesOf(owner, data, epoch, rng)) yield { batch, drawn: draw(), lambda: weight };
    },
    modelState: { regularizer: float(0), evaluations: int(0), steps: int(0), reached: int(0) },
    explain: ({ reached, steps }) => (reached.item() === 0 ? unreached(steps.item()) : undefined),
    figures: ({ regularizer, evaluations, steps }) => ({
      regularizer: regularizer.item(),
      evaluations: evaluations.item(),
      steps: steps.item(),
    }),
    ...(evaluate && { evaluate: (params) => evaluate(params) }),
    ...runOptionsOf(options),
  });
  return { ...result, modelState, state: result.state } as TrainResult<P>;
}

interface Drawn<B, D> {
  readonly batch: B;
  readonly drawn: D;
  readonly lambda: Tensor;
}

interface Figures {
  readonly regularizer: Tensor;
  readonly evaluations: Tensor;
  readonly steps: Tensor;
  /** Whether the equation was solved to its end: 0 or 1. */
  readonly reached: Tensor;
}
