import { type Claim, figure } from "@offprint/claims";
import { embeddedStep, integrate, methods } from "@offprint/ode";
import {
  add,
  grad,
  jitSync,
  matmul,
  mul,
  type random,
  sum,
  type Tensor,
  tanh,
  tensor,
  tree,
} from "@offprint/tensor-core";
import { type Method, regularizedNde } from "./method.js";

interface Weights {
  readonly a: Tensor;
  readonly b: Tensor;
}

function problem(rng: random.Rng) {
  const draw = (shape: number[], scale: number) => mul(rng.normal(shape, { dtype: "float64" }), scale);
  const f = (t: Tensor, y: Tensor, { a, b }: Weights) => matmul(tanh(add(matmul(y, a), t)), b);
  return { f, weights: { a: draw([3, 6], 0.8), b: draw([6, 3], 0.8) }, y0: draw([4, 3], 1) };
}

const [byError, byStiffness] = [0.3, 0.2];

/** The largest difference of two gradients, as a part of the largest entry. */
function apart(one: Weights, other: Weights): number {
  const [a, b] = [one, other].map((each) => tree.leaves<Tensor>(each).flatMap((leaf) => [...leaf.data()].map(Number)));
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0) / largest;
}

/** The gradient goes through the solver's steps and estimates, whose sizes are constants. */
export function discreteAdjoint(method: Method = regularizedNde): Claim {
  return {
    id: "discrete-adjoint",
    statement:
      "The gradient of loss and regularisers is that of the solver's own steps, and that of the loss comes to the continuous one with the tolerance",
    source: "Section 3.3, discrete sensitivities",
    paper: "equal",
    run({ rng }) {
      const { f, weights, y0 } = problem(rng);
      const solve = (w: Weights, tolerance: number, adjoint: "discrete" | "interpolating") =>
        integrate<Tensor, Weights>(f, y0, [0, 1], {
          ...{ relativeTolerance: tolerance, absoluteTolerance: tolerance, parameters: w, adjoint },
        });
      const total = (w: Weights) => {
        const solved = solve(w, 1e-4, "discrete");
        const penalty = add(
          mul(method.errorRegularizer(solved), byError),
          mul(method.stiffnessRegularizer(solved), byStiffness),
        );
        return add(sum(mul(solved.y, solved.y)), penalty);
      };
      const exact = grad(total)(weights) as Weights;
      // The same steps once more, one after the other, with other weights.
      const solved = solve(weights, 1e-4, "discrete");
      const n = solved.steps.item();
      const sizes = [...solved.stepSizes.data()].slice(0, n).map(Number);
      const step = jitSync((w: Weights, t: Tensor, y: Tensor, h: Tensor) =>
        embeddedStep<Tensor, Weights>(f, t, y, h, { relativeTolerance: 1e-4, absoluteTolerance: 1e-4, parameters: w }),
      );
      const at = (value: number) => tensor(value, { dtype: "float64" });
      const replayed = (w: Weights): number => {
        let [y, t, penalty] = [y0, 0, 0];
        for (const h of sizes) {
          const made = step(w, at(t), y, at(h));
          penalty +=
            (byError * made.error.item() * h + (byStiffness * made.stiffness.item()) / methods.tsit5.stabilitySize) / n;
          [y, t] = [made.y, t + h];
        }
        return sum(mul(y, y)).item() + penalty;
      };
      const direction = tree.map((leaf: Tensor) => rng.normal(leaf.shape, { dtype: "float64" }), weights) as Weights;
      const along = (by: number) =>
        replayed(tree.map((w: Tensor, d: Tensor) => add(w, mul(d, by)), weights, direction) as Weights);
      const slope = (8 * (along(1e-4) - along(-1e-4)) - along(2e-4) + along(-2e-4)) / 12e-4;
      const gained = add(sum(mul(exact.a, direction.a)), sum(mul(exact.b, direction.b))).item();
      const byDifferences = Math.abs(gained / slope - 1);
      const loss = (tolerance: number, adjoint: "discrete" | "interpolating") =>
        grad((w: Weights) => {
          const { y } = solve(w, tolerance, adjoint);
          return sum(mul(y, y));
        })(weights) as Weights;
      const [loose, tight] = [1e-4, 1e-8].map((tolerance) =>
        apart(loss(tolerance, "discrete"), loss(tolerance, "interpolating")),
      );
      step.release();
      return {
        measured: byDifferences,
        holds: byDifferences < 1e-6 && tight * 100 <= loose,
        detail:
          `With the steps held the gradient must be that of differences along a direction to 1e-6 (${figure(byDifferences)}); to that of the continuous adjoint it must come at least 100 times nearer ` +
          `from a tolerance of 1e-4 to 1e-8 (${figure(loose)} to ${figure(tight)}).`,
      };
    },
  };
}
