import {
  add,
  cast,
  checkOptions,
  div,
  mul,
  requireChoice,
  requireNonNegative,
  requireObject,
  sqrt,
  square,
  sub,
  type Tensor,
} from "@offprint/tensor-core";
import { combined, lipschitz } from "../methods/explicit-runge-kutta.js";
import type { StochasticMethod } from "./stochastic-method.js";

/**
 * A stochastic Runge-Kutta method of four stages for diagonal Ito noise, strong order 3/2, as numbers. Stage s is
 * `H_s = u + h sum a k + x2 sum b g` for the drift and `G_s = u + h sum A k + sqrt(h) sum B g` for the diffusion.
 */
export interface StochasticTableau {
  /** What the method is called. */
  readonly name: string;
  /** Rows of the second to fourth drift stage: of drifts. */
  readonly a: readonly (readonly number[])[];
  /** Likewise of diffusions. */
  readonly b: readonly (readonly number[])[];
  /** Rows of the second to fourth diffusion stage: of drifts. */
  readonly A: readonly (readonly number[])[];
  /** Likewise of diffusions. */
  readonly B: readonly (readonly number[])[];
  /** Weights of the drifts. */
  readonly drift: readonly number[];
  /** Weights of the diffusions, with `dW`, `x1`, `x2` and `x3`. */
  readonly noise: readonly [readonly number[], readonly number[], readonly number[], readonly number[]];
  /** Whether the last two drift stages are at the end of the step, so that they tell of stiffness. */
  readonly stiff: boolean;
  /** Length of the interval of stability of the drift's part. */
  readonly stabilitySize: number;
}

/** Settings of the error estimate. */
export interface StochasticErrorOptions {
  /** Weight of the drift's part (default 1). */
  readonly delta?: number;
  /** The drift's part: the sum of all stages, as the official solvers have it (default), or with alternating signs, as the theory has. */
  readonly driftError?: "sum" | "alternating";
}

/**
 * A stochastic Runge-Kutta method from its numbers.
 * @see Roessler 2010; Rackauckas, Nie 2017 and 2018.
 * @throws ValueError
 */
export function stochasticRungeKutta(
  tableau: StochasticTableau,
  options: StochasticErrorOptions = {},
): StochasticMethod {
  requireObject("stochasticRungeKutta", "tableau", tableau, "a StochasticTableau");
  checkOptions("stochasticRungeKutta", options, ["delta", "driftError"]);
  const { delta = 1, driftError = "sum" } = options;
  requireNonNegative("stochasticRungeKutta", "delta", delta);
  requireChoice("stochasticRungeKutta", "driftError", driftError, ["sum", "alternating"]);
  const { name, a, b, A, B, drift, noise, stiff, stabilitySize } = tableau;
  const total = (row: readonly number[]) => row.reduce((s, v) => s + v, 0);
  const [e1, e2, e3, e4] = noise;
  const signs = driftError === "sum" ? [1, 1, 1, 1] : [1, -1, 1, -1];
  return {
    name,
    calculus: "ito",
    order: 1.5,
    noise: "diagonal",
    evaluations: 4,
    estimatesStiffness: stiff,
    stabilitySize,
    step({ drift: f, diffusion: g }, t, u, step, { dW, dZ }) {
      const h = cast(step, u.dtype);
      const root = sqrt(h);
      const x1 = div(sub(square(dW), h), mul(root, 2));
      const x2 = mul(add(dW, div(dZ, Math.sqrt(3))), 0.5);
      const x3 = div(mul(dW, sub(square(dW), mul(h, 3))), mul(h, 6));
      const states = [u];
      const k = [f(t, u)];
      const s = [g(t, u)];
      const sum = (drifts: readonly number[], x: Tensor, diffusions: readonly number[]) =>
        add(add(u, mul(h, combined(drifts, k))), mul(x, combined(diffusions, s)));
      for (let i = 0; i < 3; i++) {
        const [forDrift, forDiffusion] = [sum(a[i], x2, b[i]), sum(A[i], root, B[i])];
        states.push(forDrift);
        const next = [f(add(t, mul(step, total(a[i]))), forDrift), g(add(t, mul(step, total(A[i]))), forDiffusion)];
        k.push(next[0]);
        s.push(next[1]);
      }
      const higher = add(mul(x2, combined(e3, s)), mul(x3, combined(e4, s)));
      const simple = add(mul(dW, combined(e1, s)), mul(x1, combined(e2, s)));
      const next = add(add(add(u, mul(h, combined(drift, k))), higher), simple);
      return {
        next,
        error: (norm) => norm(add(mul(mul(h, delta), combined(signs, k)), higher)),
        ...(stiff && { stiffness: lipschitz(sub(k[3], k[2]), sub(states[3], states[2])) }),
      };
    },
  };
}
