import { applyUpdates, type GradientTransformation } from "@offprint/optim";
import {
  add,
  type Backend,
  jit,
  mul,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tree,
  valueAndGrad,
} from "@offprint/tensor-core";
import { linearProblems } from "./linear-problem.js";
import type { TargetModel } from "./target-model.js";
import { type Proximity, TargetSurrogate } from "./target-surrogate.js";

/** Parameters with the surrogate's value and gradient there. */
export interface InnerPoint {
  /** Parameters. */
  readonly params: any;
  /** q. */
  readonly value: number;
  /** Gradient of q by the parameters. */
  readonly gradient: any;
  /** |gradient|^2. */
  readonly squaredNorm: number;
}

/** What a step of an optimizer gives. */
export interface OptimizerStep {
  /** q before the step. */
  readonly value: number;
  /** |gradient|^2 before the step. */
  readonly squaredNorm: number;
  /** Parameters after it. */
  readonly params: any;
  /** The optimizer's state after it. */
  readonly state: any;
}

/** One surrogate as a function of the parameters, for inner solvers. */
export interface InnerProblem {
  /** Value and gradient anywhere. */
  at(params: any): Promise<InnerPoint>;
  /** q after a step of this length against the gradient. */
  trial(point: InnerPoint, step: number): Promise<number>;
  /** The point there. */
  advance(point: InnerPoint, step: number): Promise<InnerPoint>;
  /** Takes a step of an optimizer; evaluation and update are one graph where there is a backend. */
  stepBy(optimizer: GradientTransformation, params: any, state: any): Promise<OptimizerStep>;
  /** For functions that need q without waiting: value and gradient in memory, not compiled. */
  now(params: any): { readonly value: number; readonly gradient: any };
  /** Inputs of the surrogate's rows. */
  readonly x: any;
  /** The surrogate. */
  readonly surrogate: TargetSurrogate;
}

/** How often the model was evaluated. */
export interface ForwardCount {
  /** Forward passes over a batch. */
  forward: number;
}

/** Makes inner problems of a model; what it compiles serves all of them. */
export interface InnerProblems {
  /** Outputs for inputs, `[b, C]`, in memory. */
  forward(params: any, x: any): Promise<Tensor>;
  /** The inner problem of a surrogate. */
  problem(x: any, surrogate: TargetSurrogate): InnerProblem;
  /** Frees what was compiled. */
  release(): Promise<void>;
}

/** Inner problems by the model's own kind. */
export function innerProblems(
  model: TargetModel,
  proximity: Proximity,
  count: ForwardCount,
  backend?: Backend,
): InnerProblems {
  return model.linear && proximity === "quadratic"
    ? linearProblems(count)
    : tracedProblems(model, proximity, count, backend);
}

/** Any model: value, gradient and steps as graphs that are compiled once for each shape of the inputs. */
function tracedProblems(
  model: TargetModel,
  proximity: Proximity,
  count: ForwardCount,
  backend?: Backend,
): InnerProblems {
  const compiled: { release(): Promise<void> }[] = [];
  const compile = (f: (...args: any[]) => any): ((...args: any[]) => any) => {
    if (backend === undefined) return f;
    const jitted = jit(f, { backend });
    compiled.push(jitted);
    return jitted;
  };
  const q = (params: any, x: any, z0: Tensor, g: Tensor, D: Tensor, value0: Tensor) =>
    new TargetSurrogate(z0, g, D, value0, proximity).value(model.forward(params, x));
  const evaluate = (params: any, ...rest: any[]) => {
    const [value, gradient] = (valueAndGrad(q as any) as any)(params, ...rest);
    const squaredNorm = tree
      .leaves<Tensor>(gradient)
      .map((leaf) => sum(square(leaf)))
      .reduce((a, b) => add(a, b));
    return { value, gradient, squaredNorm };
  };
  const moved = (params: any, gradient: any, step: Tensor) =>
    tree.map((p: Tensor, d: Tensor) => sub(p, mul(d, step.cast(p.dtype))), params, gradient);
  const forward = compile((params: any, x: any) => model.forward(params, x));
  const values = compile(evaluate);
  const trials = compile((params: any, gradient: any, step: Tensor, ...rest: any[]) =>
    (q as any)(moved(params, gradient, step), ...rest),
  );
  const advances = compile((params: any, gradient: any, step: Tensor, ...rest: any[]) => {
    const next = moved(params, gradient, step);
    return { params: next, ...evaluate(next, ...rest) };
  });
  const steppers = new Map<GradientTransformation, (...args: any[]) => any>();
  const stepperOf = (optimizer: GradientTransformation) => {
    const stepper =
      steppers.get(optimizer) ??
      compile((params: any, state: any, ...rest: any[]) => {
        const { value, gradient, squaredNorm } = evaluate(params, ...rest);
        const next = optimizer.update(gradient, state, params);
        return { value, squaredNorm, params: applyUpdates(params, next.updates), state: next.state };
      });
    steppers.set(optimizer, stepper);
    return stepper;
  };
  const number = async (x: Tensor) => (await x.host()).item();
  const pointOf = async (params: any, found: any): Promise<InnerPoint> => ({
    params,
    value: await number(found.value),
    gradient: found.gradient,
    squaredNorm: await number(found.squaredNorm),
  });
  return {
    async forward(params, x) {
      count.forward++;
      return (await forward(params, x)).host();
    },
    problem(x, surrogate) {
      const dtype = tree.leaves<Tensor>(model.params)[0].dtype;
      const { z0, grad, D, value0 } = surrogate;
      const rest = [x, ...[z0, grad, D, value0].map((each) => each.cast(dtype))];
      const length = (step: number) => tensor(Float64Array.of(step)).reshape([]).cast(dtype);
      return {
        x,
        surrogate,
        async at(params) {
          count.forward++;
          return pointOf(params, await values(params, ...rest));
        },
        async trial(point, step) {
          count.forward++;
          return number(await trials(point.params, point.gradient, length(step), ...rest));
        },
        async advance(point, step) {
          count.forward++;
          const { params, ...found } = await advances(point.params, point.gradient, length(step), ...rest);
          return pointOf(params, found);
        },
        async stepBy(optimizer, params, state) {
          count.forward++;
          const { value, squaredNorm, ...next } = await stepperOf(optimizer)(params, state, ...rest);
          return { ...next, value: await number(value), squaredNorm: await number(squaredNorm) };
        },
        now(params) {
          count.forward++;
          const found = evaluate(params, ...rest);
          return { value: found.value.item(), gradient: found.gradient };
        },
      };
    },
    release: async () => {
      await Promise.all(compiled.map((each) => each.release()));
    },
  };
}
