import { add, div, mul, stack, sub, type Tensor } from "@offprint/tensor-core";
import { combined } from "./explicit-runge-kutta.js";
import type { Method } from "./method.js";

/* Hairer, Wanner, Solving Ordinary Differential Equations II, code RODAS, in the form with transformed stages. */
const gamma = 0.25;
const nodes = [0, 0.386, 0.21, 0.63, 1, 1];
const timeWeights = [0.25, -0.1043, 0.1035, -0.03620000000000023, 0, 0];
const stages = [
  [],
  [1.544],
  [0.9466785280815826, 0.2557011698983284],
  [3.314825187068521, 2.896124015972201, 0.9986419139977817],
  [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895],
];
const couplings = [
  [],
  [-5.6688],
  [-2.430093356833875, -0.2063599157091915],
  [-0.1073529058151375, -9.594562251023355, -20.47028614809616],
  [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616],
  [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
];
const dense = [
  [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662],
  [-0.6762803392806898, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872],
];

/**
 * A Rosenbrock method for stiff systems: order 4(3), six stages, stiffly accurate and stable for all steps (L-stable).
 * A step is one factorisation of `I / (gamma h) - J` with the exact Jacobian, and no iteration.
 * @see Hairer, Wanner, Solving Ordinary Differential Equations II, IV.7.
 */
export const rodas4: Method = {
  name: "rodas4",
  order: 4,
  errorOrder: 4,
  adaptive: true,
  estimatesStiffness: false,
  stabilitySize: Number.POSITIVE_INFINITY,
  linearises: true,
  evaluations: 6,
  basisSize: 4,
  step(system, t, y, h, first) {
    const size = system.scalar(h);
    const { solve, timeSlope } = system.linearised(t, y, first, mul(h, gamma));
    const u: Tensor[] = [];
    const solved = (rate: Tensor, stage: number) => {
      const coupled = stage === 0 ? rate : add(rate, div(combined(couplings[stage], u), size));
      u.push(solve(timeWeights[stage] === 0 ? coupled : add(coupled, mul(timeSlope, mul(size, timeWeights[stage])))));
    };
    solved(first, 0);
    let state = y;
    for (let stage = 1; stage < 5; stage++) {
      state = add(y, combined(stages[stage], u));
      solved(system.rate(add(t, mul(h, nodes[stage])), state), stage);
    }
    state = add(state, u[4]);
    solved(system.rate(add(t, h), state), 5);
    const next = add(state, u[5]);
    return {
      next,
      last: system.rate(add(t, h), next),
      error: (norm) => norm(u[5]),
      basis: () => [y, next, ...dense.map((row) => combined(row, u))],
    };
  },
  denseWeights(theta) {
    const rest = sub(1, theta);
    const both = mul(theta, rest);
    return stack([rest, theta, both, mul(both, theta)]);
  },
};
