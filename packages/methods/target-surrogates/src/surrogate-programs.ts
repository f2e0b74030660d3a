import { applyUpdates, type GradientTransformation } from "@offprint/optim";
import {
  add,
  type Backend,
  div,
  jit,
  jitSync,
  mul,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tree,
  valueAndGrad,
} from "@offprint/tensor-core";
import { linearOutputs, type TargetModel } from "./target-model.js";
import { type Proximity, TargetSurrogate } from "./target-surrogate.js";

/** A surrogate q as inputs of compiled functions: x, and of the outputs z_t, g, D and the loss there. */
export type SurrogateInputs = readonly [x: unknown, z0: Tensor, grad: Tensor, D: Tensor, value0: Tensor];

/** q somewhere, as a compiled function gives it. */
export interface Evaluation<P> {
  readonly value: Tensor;
  /** Derivative of q by the parameters. */
  readonly gradient: P;
  /** |gradient|^2. */
  readonly squaredNorm: Tensor;
  /** Second derivative of q along the gradient where q is a parabola along every line; else 0. */
  readonly curvature: Tensor;
}

/** A step of an optimizer on q: q and |gradient|^2 before it, parameters and the optimizer's state after it. */
export interface OptimizerStep<P> {
  readonly value: Tensor;
  readonly squaredNorm: Tensor;
  readonly params: P;
  readonly state: unknown;
}

/** A value, or a promise of it. */
export type Soon<T> = T | Promise<T>;

/** What inner solvers need of a model and its surrogates, each as one compiled function. */
export interface SurrogatePrograms<P> {
  /** z = f(params; x). */
  forward(params: P, x: unknown): Soon<Tensor>;
  /** q(params) and its gradient. */
  evaluate(params: P, ...q: SurrogateInputs): Soon<Evaluation<P>>;
  /** q(params - step gradient). */
  trial(params: P, gradient: P, step: Tensor, ...q: SurrogateInputs): Soon<Tensor>;
  /** params - step gradient, evaluated. */
  advance(params: P, gradient: P, step: Tensor, ...q: SurrogateInputs): Soon<Evaluation<P> & { readonly params: P }>;
  /** A step of an optimizer from its state. */
  stepBy(optimizer: GradientTransformation, params: P, state: unknown, ...q: SurrogateInputs): Soon<OptimizerStep<P>>;
  /** Frees what was compiled for this model alone. */
  release(): Promise<void>;
}

type Stepper<P> = (params: P, state: unknown, ...q: SurrogateInputs) => Soon<OptimizerStep<P>>;

/** Makes a function one compiled program. */
type Compiler = <A extends unknown[], R>(f: (...inputs: A) => R) => (...inputs: A) => Soon<R>;

let linearPrograms: SurrogatePrograms<Tensor> | undefined;

/** The programs of a model: of linear models for all together, of others for this run. */
export function surrogatePrograms<P>(
  model: TargetModel<P>,
  proximity: Proximity,
  backend?: Backend,
): SurrogatePrograms<P> {
  if (model.linear && proximity === "quadratic") {
    linearPrograms ??= {
      ...programsOf(linearOutputs as (W: Tensor, x: unknown) => Tensor, proximity, true, jitSync),
      release: async () => {},
    };
    return linearPrograms as SurrogatePrograms<unknown> as SurrogatePrograms<P>;
  }
  const compiled: { release(): unknown }[] = [];
  const compile: Compiler = <A extends unknown[], R>(f: (...inputs: A) => R) => {
    const program = backend === undefined ? jitSync(f) : jit(f, { backend });
    compiled.push(program);
    return program as (...inputs: A) => Soon<R>;
  };
  const forward = (params: P, x: unknown) => model.forward(params, x);
  return {
    ...programsOf(forward, proximity, false, compile),
    release: async () => void (await Promise.all(compiled.map((program) => program.release()))),
  };
}

function programsOf<P>(
  f: (params: P, x: unknown) => Tensor,
  proximity: Proximity,
  linear: boolean,
  compile: Compiler,
): Omit<SurrogatePrograms<P>, "release"> {
  const q = (params: P, x: unknown, z0: Tensor, grad: Tensor, D: Tensor, value0: Tensor): Tensor =>
    new TargetSurrogate(z0, grad, D, value0, proximity).value(f(params, x));

  const evaluate = (params: P, ...inputs: SurrogateInputs): Evaluation<P> => {
    const [value, gradient] = valueAndGrad(q)(params, ...inputs) as readonly [Tensor, P];
    const squaredNorm = tree
      .leaves<Tensor>(gradient)
      .map((leaf) => sum(square(leaf)))
      .reduce((a, b) => add(a, b));
    const [x, z0, , D] = inputs;
    // linear f: the outputs of the gradient are the change of the outputs along it
    const curvature = linear ? div(sum(mul(D, square(f(gradient, x)))), z0.shape[0]) : tensor(0);
    return { value, gradient, squaredNorm, curvature };
  };

  const moved = (params: P, gradient: P, step: Tensor): P =>
    tree.map((p: Tensor, d: Tensor) => sub(p, mul(d, step.cast(p.dtype))), params, gradient);

  const steppers = new WeakMap<GradientTransformation, Stepper<P>>();
  return {
    forward: compile(f),
    evaluate: compile(evaluate),
    trial: compile((params: P, gradient: P, step: Tensor, ...inputs: SurrogateInputs) =>
      q(moved(params, gradient, step), ...inputs),
    ),
    advance: compile((params: P, gradient: P, step: Tensor, ...inputs: SurrogateInputs) => {
      const next = moved(params, gradient, step);
      return { params: next, ...evaluate(next, ...inputs) };
    }),
    stepBy(optimizer, params, state, ...inputs) {
      let stepper = steppers.get(optimizer);
      if (stepper === undefined) {
        stepper = compile((at: P, before: unknown, ...rest: SurrogateInputs) => {
          const { value, gradient, squaredNorm } = evaluate(at, ...rest);
          const { updates, state: after } = optimizer.update(gradient as tree.Tree, before, at as tree.Tree);
          return { value, squaredNorm, params: applyUpdates(at as tree.Tree, updates) as P, state: after };
        });
        steppers.set(optimizer, stepper);
      }
      return stepper(params, state, ...inputs);
    },
  };
}
