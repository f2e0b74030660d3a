import { add, cast, div, mul, sqrt, square, sub, type Tensor } from "@offprint/tensor-core";
import type { StochasticMethod, StochasticSystem } from "./stochastic-method.js";

/** `(g(u + sqrt(h) g) - g) / sqrt(h)`: the derivative of the diffusion along itself. */
function slopeOfNoise({ diffusion }: StochasticSystem, t: Tensor, u: Tensor, noise: Tensor, root: Tensor): Tensor {
  return div(sub(diffusion(t, add(u, mul(root, noise))), noise), root);
}

const shared = { estimatesStiffness: false, stabilitySize: 2, evaluations: 2 } as const;

/** Euler's method for Ito equations, strong order 1/2, with an error estimate. @see Lamba 2003. */
export const eulerMaruyama: StochasticMethod = {
  ...shared,
  name: "eulerMaruyama",
  calculus: "ito",
  order: 0.5,
  step(system, t, u, step, { dW }) {
    const h = cast(step, u.dtype);
    const [f, g] = [system.drift(t, u), system.diffusion(t, u)];
    const moved = add(u, mul(h, f));
    return {
      next: add(moved, mul(g, dW)),
      error(norm) {
        const drift = mul(sub(system.drift(add(t, step), moved), f), mul(h, 0.5));
        const noise = mul(slopeOfNoise(system, t, u, g, sqrt(h)), mul(sub(square(dW), h), 0.5));
        return norm(add(drift, noise));
      },
    };
  },
};

/** Heun's method for Stratonovich equations, strong order 1 for noise of each entry's own, with an error estimate. */
export const eulerHeun: StochasticMethod = {
  ...shared,
  name: "eulerHeun",
  calculus: "stratonovich",
  order: 1,
  step(system, t, u, step, { dW }) {
    const h = cast(step, u.dtype);
    const [f, g] = [system.drift(t, u), system.diffusion(t, u)];
    const moved = add(u, mul(h, f));
    const probe = add(moved, mul(g, dW));
    const end = add(t, step);
    const drift = mul(mul(h, 0.5), add(f, system.drift(end, probe)));
    const noise = mul(mul(add(g, system.diffusion(end, probe)), 0.5), dW);
    return {
      next: add(add(u, drift), noise),
      error(norm) {
        const byDrift = mul(sub(system.drift(end, moved), f), mul(h, 0.5));
        return norm(add(byDrift, mul(slopeOfNoise(system, t, u, g, sqrt(h)), mul(square(dW), 0.5))));
      },
    };
  },
};
