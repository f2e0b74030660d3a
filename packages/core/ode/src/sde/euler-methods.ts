import { add, cast, div, mul, sqrt, square, sub, type Tensor } from "@offprint/tensor-core";
import type { StochasticMethod, StochasticSystem } from "./stochastic-method.js";

/** What a step looks at for its error: where it begins, and the noise there. */
interface Beginning {
  readonly t: Tensor;
  readonly u: Tensor;
  readonly h: Tensor;
  readonly factors: Tensor;
  readonly dW: Tensor;
}

/**
 * How much the noise changes along itself: with noise of each entry's own its derivative `(g(u + sqrt(h) g) - g) / sqrt(h)` times the
 * double integral, which `squares` gives; else half of what it changes along the step.
 */
function changeOfNoise({ diffusion, noise }: StochasticSystem, at: Beginning, squares: () => Tensor): Tensor {
  const { t, u, h, factors, dW } = at;
  if (noise.diagonal) {
    const root = sqrt(h);
    return mul(div(sub(diffusion(t, add(u, mul(root, factors))), factors), root), mul(squares(), 0.5));
  }
  const moved = noise.times(factors, dW);
  return mul(sub(noise.times(diffusion(t, add(u, moved)), dW), moved), 0.5);
}

const shared = { noise: "any", estimatesStiffness: false, stabilitySize: 2, evaluations: 2 } as const;

/** Euler's method for Ito equations with any noise, strong order 1/2, with an error estimate. @see Lamba 2003. */
export const eulerMaruyama: StochasticMethod = {
  ...shared,
  name: "eulerMaruyama",
  calculus: "ito",
  order: 0.5,
  step(system, t, u, step, { dW }) {
    const h = cast(step, u.dtype);
    const [f, factors] = [system.drift(t, u), system.diffusion(t, u)];
    const moved = add(u, mul(h, f));
    return {
      next: add(moved, system.noise.times(factors, dW)),
      error(norm) {
        const drift = mul(sub(system.drift(add(t, step), moved), f), mul(h, 0.5));
        return norm(
          add(
            drift,
            changeOfNoise(system, { t, u, h, factors, dW }, () => sub(square(dW), h)),
          ),
        );
      },
    };
  },
};

/**
 * Heun's method for Stratonovich equations with any noise, with an error estimate: strong order 1 where the order of the noises does not
 * matter, as with noise of each entry's own, else 1/2.
 */
export const eulerHeun: StochasticMethod = {
  ...shared,
  name: "eulerHeun",
  calculus: "stratonovich",
  order: 1,
  step(system, t, u, step, { dW }) {
    const { times } = system.noise;
    const h = cast(step, u.dtype);
    const [f, factors] = [system.drift(t, u), system.diffusion(t, u)];
    const moved = add(u, mul(h, f));
    const first = times(factors, dW);
    const probe = add(moved, first);
    const end = add(t, step);
    const drift = mul(mul(h, 0.5), add(f, system.drift(end, probe)));
    const noise = mul(add(first, times(system.diffusion(end, probe), dW)), 0.5);
    return {
      next: add(add(u, drift), noise),
      error(norm) {
        const byDrift = mul(sub(system.drift(end, moved), f), mul(h, 0.5));
        return norm(
          add(
            byDrift,
            changeOfNoise(system, { t, u, h, factors, dW }, () => square(dW)),
          ),
        );
      },
    };
  },
};
