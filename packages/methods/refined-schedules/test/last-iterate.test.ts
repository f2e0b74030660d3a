import { largestDifference } from "@offprint/claims";
import { adam, applyUpdates, type GradientTransformation, sgd } from "@offprint/optim";
import { optimizerConformance } from "@offprint/optim/conformance";
import { random, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { lastIterate, multiplierSchedule, schedules, weightedStepSizes } from "../src/index.js";
import { randomNorms } from "./random-norms.js";

const T = 20;
const gradients = (() => {
  const rng = random.rng(9);
  return Array.from({ length: T }, () => rng.normal([3], { dtype: "float64" }));
})();
const start = tensor(new Float64Array([1, -2, 3]));

/** x_1 .. x_{T+1}, and the states between. */
function follow<S>(optimizer: GradientTransformation<S>, steps = T) {
  let x: Tensor = start;
  let state = optimizer.init(x);
  const iterates = [x];
  const states = [state];
  for (let t = 0; t < steps; t++) {
    const update = optimizer.update(gradients[t % T], state, x);
    x = applyUpdates(x, update.updates);
    state = update.state;
    iterates.push(x);
    states.push(state);
  }
  return { iterates: iterates.map((each) => each.data() as Float64Array), states };
}

describe("the conversion to a last iterate", () => {
  it("of SGD with equal weights is SGD with linear decay", () => {
    const converted = follow(lastIterate(sgd({ learningRate: 0.3 }), { uniform: T })).iterates;
    // The factor of move t (from 1) is 1 - t/T: the multipliers of linear decay one step on.
    const multipliers = [...schedules.linear(T).slice(1), 0];
    const linear = follow(sgd({ learningRate: multiplierSchedule(multipliers, 0.3) })).iterates;
    converted.forEach((x, t) => {
      expect(largestDifference(x, linear[t])).toBeLessThan(1e-13);
    });
  });

  it("of SGD with weights has the step sizes w_t w_{t+1:T} / w_{1:T}", () => {
    const weights = randomNorms(T, 11);
    const converted = follow(lastIterate(sgd({ learningRate: 0.3 }), weights)).iterates;
    const direct = follow(sgd({ learningRate: multiplierSchedule(weightedStepSizes(weights), 0.3) })).iterates;
    converted.forEach((x, t) => {
      expect(largestDifference(x, direct[t])).toBeLessThan(1e-12);
    });
  });

  it("makes every iterate the average of the learner's, with what is left of the weights on its newest", () => {
    const weights = randomNorms(T, 12);
    const total = weights.reduce((a, b) => a + b);
    const { iterates, states } = follow(lastIterate(adam({ learningRate: 0.2 }), weights));
    const z = states.map((state) => (state.learnerIterate as Tensor).data() as Float64Array);
    for (let t = 0; t < T; t++) {
      const left = weights.slice(t).reduce((a, b) => a + b);
      const average = Float64Array.from({ length: 3 }, (_, i) => {
        let sum = left * z[t][i];
        for (let s = 0; s < t; s++) sum += weights[s] * z[s][i];
        return sum / total;
      });
      expect(largestDifference(iterates[t], average)).toBeLessThan(1e-12);
    }
  });

  it("does not move after the last step", () => {
    for (const weights of [{ uniform: T }, randomNorms(T)]) {
      const { iterates } = follow(lastIterate(sgd({ learningRate: 1 }), weights), T + 3);
      expect(largestDifference(iterates[T], iterates[T - 1])).toBe(0);
      expect(largestDifference(iterates[T + 3], iterates[T - 1])).toBe(0);
    }
  });

  it("rejects weights that cannot be", () => {
    expect(() => lastIterate(sgd(), [])).toThrow(/empty/);
    expect(() => lastIterate(sgd(), [1, -1])).toThrow(/weights\[1\] is -1/);
    expect(() => lastIterate(sgd(), { uniform: 0.5 })).toThrow(/uniform is 0.5/);
  });
});

optimizerConformance(
  "SGD converted to its last iterate",
  {
    make: ({ learningRate = 0.1 }) => lastIterate(sgd({ learningRate }), { uniform: 600 }),
    quadratic: { learningRate: 0.1, steps: 400, tolerance: 2e-2 },
    invalid: [() => lastIterate(sgd(), []), () => lastIterate(sgd(), { uniform: 0 })],
  },
  { describe, it, expect },
);
