import type { GradientTransformation } from "@offprint/optim";
import { type Backend, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { type Soon, type SurrogateInputs, type SurrogatePrograms, surrogatePrograms } from "./surrogate-programs.js";
import type { TargetModel } from "./target-model.js";
import type { Proximity, TargetSurrogate } from "./target-surrogate.js";

/** Parameters with the surrogate's value and gradient there. */
export interface InnerPoint<P = unknown> {
  /** Parameters. */
  readonly params: P;
  /** q. */
  readonly value: number;
  /** Gradient of q by the parameters. */
  readonly gradient: P;
  /** |gradient|^2. */
  readonly squaredNorm: number;
  /** Second derivative of q along the gradient, for linear models. */
  readonly curvature?: number;
}

/** What a step of an optimizer gives. */
export interface InnerStep<P = unknown> {
  /** q before the step. */
  readonly value: number;
  /** |gradient|^2 before the step. */
  readonly squaredNorm: number;
  /** Parameters after it. */
  readonly params: P;
  /** The optimizer's state after it. */
  readonly state: unknown;
}

/** One surrogate as a function of the parameters, for inner solvers. */
export interface InnerProblem<P = unknown> {
  /** Value and gradient anywhere. */
  at(params: P): Promise<InnerPoint<P>>;
  /** q after a step of this length against the gradient. */
  trial(point: InnerPoint<P>, step: number): Promise<number>;
  /** The point there. */
  advance(point: InnerPoint<P>, step: number): Promise<InnerPoint<P>>;
  /** Takes a step of an optimizer; evaluation and update are one compiled function. */
  stepBy(optimizer: GradientTransformation, params: P, state: unknown): Promise<InnerStep<P>>;
  /** `[value, gradient]`, for minimisers of functions. */
  valueAndGradient(params: P): Soon<readonly [Tensor, P]>;
  /** Inputs of the surrogate's rows. */
  readonly x: unknown;
  /** The surrogate. */
  readonly surrogate: TargetSurrogate;
}

/** How often the model was evaluated. */
export interface ForwardCount {
  /** Forward passes over a batch. */
  forward: number;
}

/** Called before each evaluation of a surrogate: may let others have their turn, or throw to end the inner solver. */
export type Turn = () => Promise<void> | undefined;

/** Makes the inner problems of a model; what is compiled serves all of them. */
export class InnerProblems<P> {
  /** Evaluations of the model. */
  readonly count: ForwardCount;
  private readonly programs: SurrogatePrograms<P>;
  private readonly dtype: "float32" | "float64";
  private readonly parabolic: boolean;

  constructor(model: TargetModel<P>, proximity: Proximity, count: ForwardCount, backend?: Backend) {
    this.count = count;
    this.programs = surrogatePrograms(model, proximity, backend);
    this.dtype = tree.leaves<Tensor>(model.params)[0].dtype as "float32" | "float64";
    this.parabolic = model.linear === true && proximity === "quadratic";
  }

  /** Outputs for inputs, `[b, C]`, in memory. */
  async forward(params: P, x: unknown): Promise<Tensor> {
    this.count.forward++;
    return (await this.programs.forward(params, x)).host();
  }

  /** The inner problem of a surrogate. */
  problem(x: unknown, surrogate: TargetSurrogate, turn: Turn = () => undefined): InnerProblem<P> {
    const { programs, count, dtype, parabolic } = this;
    const { z0, grad, D, value0 } = surrogate;
    const q: SurrogateInputs = [x, z0.cast(dtype), grad.cast(dtype), D.cast(dtype), value0.cast(dtype)];
    const lengthOf = (step: number) => tensor(Float64Array.of(step), { shape: [], dtype });
    const evaluation = async () => {
      const pause = turn();
      if (pause !== undefined) await pause;
      count.forward++;
    };
    return {
      x,
      surrogate,
      async at(params) {
        await evaluation();
        return pointOf(params, await programs.evaluate(params, ...q));
      },
      async trial({ params, value, gradient, squaredNorm, curvature }, step) {
        // along a line the surrogate of a linear model is a parabola
        if (curvature !== undefined) return value - step * squaredNorm + 0.5 * step * step * curvature;
        await evaluation();
        return number(await programs.trial(params, gradient, lengthOf(step), ...q));
      },
      async advance({ params, gradient }, step) {
        await evaluation();
        const next = await programs.advance(params, gradient, lengthOf(step), ...q);
        return pointOf(next.params, next);
      },
      async stepBy(optimizer, params, state) {
        await evaluation();
        const next = await programs.stepBy(optimizer, params, state, ...q);
        return { ...next, value: await number(next.value), squaredNorm: await number(next.squaredNorm) };
      },
      async valueAndGradient(params) {
        await evaluation();
        const { value, gradient } = await programs.evaluate(params, ...q);
        return [value, gradient];
      },
    };

    async function pointOf(params: P, found: Awaited<ReturnType<typeof programs.evaluate>>): Promise<InnerPoint<P>> {
      return {
        params,
        value: await number(found.value),
        gradient: found.gradient,
        squaredNorm: await number(found.squaredNorm),
        ...(parabolic && { curvature: await number(found.curvature) }),
      };
    }
  }

  /** Frees what was compiled for this model alone. */
  release(): Promise<void> {
    return this.programs.release();
  }
}

async function number(x: Tensor): Promise<number> {
  return (await x.host()).item();
}
