import {
  abs,
  add,
  cast,
  div,
  equal,
  jitSync,
  less,
  logicalOr,
  maximum,
  mean,
  minimum,
  mul,
  square,
  sub,
  type Tensor,
  tensor,
  where,
} from "@offprint/tensor-core";
import type { Controller } from "../controller.js";
import { chosen, type Tolerances } from "../initial-step.js";
import { root } from "../root.js";
import type { Noise, StochasticMethod, StochasticStep, StochasticSystem } from "./stochastic-method.js";
import { CONTROL_ORDER } from "./stochastic-options.js";

/** The root of the mean square. */
const norm = (x: Tensor) => root(mean(square(x)));

/** @internal The size of a step's error estimate. */
export function stochasticError(u: Tensor, step: StochasticStep, { relative, absolute }: Tolerances): Tensor {
  const scale = add(absolute, mul(relative, maximum(abs(u), abs(step.next))));
  return cast(
    step.error((error) => norm(div(error, scale))),
    "float64",
  );
}

/** What comes of a step that was tried. */
export interface Attempt {
  readonly next: Tensor;
  readonly error: Tensor;
  readonly stiffness: Tensor;
  readonly accepted: Tensor;
  readonly factor: Tensor;
  readonly memory: Tensor;
}

/** The compiled parts of a stochastic solve. */
export interface StochasticMachine<P> {
  first(t: Tensor, u: Tensor, span: Tensor, tolerances: Tolerances, parameters: P): Tensor;
  attempt(
    t: Tensor,
    u: Tensor,
    h: Tensor,
    memory: Tensor,
    noise: Noise,
    tolerances: Tolerances,
    parameters: P,
  ): Attempt;
  release(): void;
}

/** @internal Compiles the parts. */
export function stochasticMachine<P>(
  system: (parameters: P) => StochasticSystem,
  method: StochasticMethod,
  controller: Controller,
): StochasticMachine<P> {
  const first = jitSync((t: Tensor, u: Tensor, span: Tensor, tolerances: Tolerances, parameters: P) =>
    firstStochasticStep(system(parameters), t, u, span, tolerances),
  );
  const attempt = jitSync(
    (t: Tensor, u: Tensor, h: Tensor, memory: Tensor, noise: Noise, tolerances: Tolerances, parameters: P): Attempt => {
      const step = method.step(system(parameters), t, u, h, noise);
      const error = stochasticError(u, step, tolerances);
      const decision = controller.decide(error, memory, CONTROL_ORDER);
      const stiffness =
        step.stiffness === undefined ? tensor(0, { dtype: "float64" }) : cast(step.stiffness, "float64");
      return { next: step.next, error, stiffness, ...decision };
    },
  );
  return {
    first,
    attempt,
    release() {
      first.release();
      attempt.release();
    },
  };
}

/** A first step, with three times the noise beside the drift. */
function firstStochasticStep(
  { drift, diffusion, noise: form }: StochasticSystem,
  t: Tensor,
  u: Tensor,
  span: Tensor,
  { relative, absolute }: Tolerances,
): Tensor {
  const scale = add(absolute, mul(relative, abs(u)));
  const size = (x: Tensor) => norm(div(x, scale));
  const larger = (a: Tensor, b: Tensor) => maximum(abs(a), abs(b));
  const magnitude = (s: Tensor, v: Tensor) => mul(form.magnitude(diffusion(s, v)), 3);
  const [f0, g0] = [drift(t, u), magnitude(t, u)];
  const d0 = size(u);
  const d1 = size(larger(add(f0, g0), sub(f0, g0)));
  const flat = logicalOr(less(d0, 1e-5), less(d1, 1e-5));
  const guess = minimum(where(flat, 1e-6, div(mul(d0, 0.01), where(flat, 1, d1))), cast(span, u.dtype));
  const probe = add(u, mul(f0, guess));
  const end = add(t, cast(guess, "float64"));
  const [f1, g1] = [drift(end, probe), magnitude(end, probe)];
  const noise = larger(sub(g0, g1), add(g0, g1));
  const change = sub(f1, f0);
  const d2 = div(size(larger(add(change, noise), sub(change, noise))), where(equal(guess, 0), 1, guess));
  return chosen(guess, maximum(d1, d2), span, 1 / (CONTROL_ORDER + 0.5));
}
