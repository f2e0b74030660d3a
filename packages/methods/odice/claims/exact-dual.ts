import { type Claim, figure, largestDifference } from "@offprint/claims";
import { minimizeLbfgs } from "@offprint/solvers";
import { add, jitSync, mean, mul, type Rng, type Tensor, take, tensor, zeros } from "@offprint/tensor-core";
import {
  conjugate,
  conjugateSlope,
  type TabularProblem,
  type TabularTransition,
  type ValueSettings,
} from "../src/index.js";
import { type Method, odice } from "./method.js";

const settings: ValueSettings = { type: "true", divergence: "pearson", lambda: 0.5, eta: 1, discount: 0.9 };

/** Three moves logged in every state, one in ten of them an end. */
export function randomProcess(rng: Rng): TabularProblem {
  const states = 5 + Math.floor(rng.uniform([], { high: 26 }).item());
  const transitions: TabularTransition[] = [];
  for (let state = 0; state < states; state++) {
    for (let action = 0; action < 3; action++) {
      const [next, chance, reward] = rng.uniform([3], { dtype: "float64" }).data();
      transitions.push({
        state,
        action,
        next: Math.floor(next * states),
        reward: 2 * reward - 1,
        terminal: chance < 0.1,
      });
    }
  }
  return { states, transitions };
}

/** The exact optimum of tables. */
export function exactDual(method: Method = odice): Claim {
  return {
    id: "exact-dual",
    statement:
      "With tables the true gradient leads to the optimum of the constrained problem: its ratios flow, and no gap is left",
    source: "Section 3, equation 5",
    paper: "strong duality",
    async run({ rng, scale, onProgress }) {
      const count = scale === "full" ? 20 : 5;
      let [gap, flow, value, ratio] = [0, 0, 0, 0];
      for (let i = 0; i < count; i++) {
        const { states, transitions } = randomProcess(rng);
        const exact = await method.tabular(
          { states, transitions },
          { lambda: settings.lambda, discount: settings.discount },
        );
        const column = (of: (t: TabularTransition) => number) => Float64Array.from(transitions, of);
        const batch = {
          observations: tensor(Int32Array.from(transitions, ({ state }) => state)),
          nextObservations: tensor(Int32Array.from(transitions, ({ next }) => next)),
          rewards: tensor(column(({ reward }) => reward)),
          terminals: tensor(column(({ terminal }) => (terminal ? 1 : 0))),
          actions: zeros([transitions.length, 1]),
        };
        const judged = jitSync((v: Tensor) => {
          const made = method.gradients((p: Tensor, s: Tensor) => take(p, s), v, v, batch, settings);
          const objective = add(
            mul(mean(made.values), 1 - settings.lambda),
            mul(mean(conjugate(made.forwardResidual)), settings.lambda),
          );
          return { objective, total: made.total, ratios: conjugateSlope(made.forwardResidual) };
        });
        const found = await minimizeLbfgs(
          (x, gradient) => {
            const made = judged(tensor(Float64Array.from(x)));
            gradient.set(made.total.data());
            return made.objective.item();
          },
          new Float64Array(states),
          { gradientTolerance: 1e-11, maxIterations: 5000 },
        );
        gap = Math.max(gap, Math.abs(exact.gap));
        flow = Math.max(flow, exact.flowResidual);
        value = Math.max(value, Math.abs(found.objective - exact.objective));
        ratio = Math.max(ratio, largestDifference(judged(tensor(found.x)).ratios.data(), exact.ratios));
        await onProgress((i + 1) / count);
      }
      return {
        measured: gap,
        holds: gap < 1e-8 && flow < 1e-8 && value < 1e-6 && ratio < 1e-5,
        detail: `Over ${count} random processes the duality gap (${figure(gap)}) and the violation of the flow (${figure(flow)}) must be below 1e-8; what the true gradient leads to must agree in its objective to 1e-6 (${figure(value)}) and in its ratios to 1e-5 (${figure(ratio)}).`,
      };
    },
  };
}
