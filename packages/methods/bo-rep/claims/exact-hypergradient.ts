import { type BilevelProblem, hypergradient, solveLower } from "@offprint/bilevel";
import { type Claim, figure, largestDifference } from "@offprint/claims";
import {
  add,
  exp,
  hessian,
  linalg,
  log1p,
  matmul,
  mean,
  mul,
  neg,
  sigmoid,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { type Method, published } from "./method.js";

const float64 = { dtype: "float64" } as const;

/** The hypergradient is the gradient of the outer function, and z comes to what it needs at the rate of its contraction. */
export function exactHypergradient(method: Method = published): Claim {
  return {
    id: "exact-hypergradient",
    statement:
      "The hypergradient is that of the implicit function theorem, and the iteration on z contracts to its linear system's solution",
    source: "Equation (3) and the update of z in Algorithm 2",
    paper: "equal",
    async run({ rng }) {
      const [n, d] = [40, 5];
      const truth = rng.normal([d], float64);
      const examples = () => {
        const a = rng.normal([n, d], float64);
        return { a, b: tensor(Float64Array.from(matmul(a, truth).data(), Math.sign), float64) };
      };
      const [train, validation] = [examples(), examples()];
      const losses = ({ a, b }: typeof train, w: Tensor) => log1p(exp(neg(mul(b, matmul(a, w)))));
      const problem: BilevelProblem = {
        initial: { x: rng.normal([n], float64), y: tensor(new Float64Array(d), float64) },
        upper: (_, w) => mean(losses(validation, w)),
        lower: (x, w) => add(mean(mul(sigmoid(x), losses(train, w))), mul(sum(square(w)), 0.05)),
      };
      const { x } = problem.initial;
      const star = async (at: Tensor) => (await solveLower(problem, at, { tolerance: 1e-13 })).y;
      const y = await star(x);
      const { gradient, z } = await hypergradient(problem, x, y, { tolerance: 1e-12 });
      const exact = await hypergradient(problem, x, y, { solver: "exact" });
      const differences: number[] = [];
      for (let i = 0; i < n; i++) {
        const moved = (by: number) =>
          tensor(
            Float64Array.from(x.data(), (v, j) => (j === i ? v + by : v)),
            float64,
          );
        const outer = async (by: number) => problem.upper(x, await star(moved(by)), null).item();
        differences.push(((await outer(1e-5)) - (await outer(-1e-5))) / 2e-5);
      }
      const [toExact, toDifferences] = [exact.gradient, tensor(differences, float64)].map((other) =>
        largestDifference(gradient, other),
      );
      const gamma = 2;
      const curvature = linalg.eigvalsh(hessian((w: Tensor) => problem.lower(x, w, null))(y)).data();
      const factor = Math.max(...Array.from(curvature, (l) => Math.abs(1 - gamma * l)));
      let [before, rate] = [Math.hypot(...z.data()), 0];
      const still = { ...problem, initial: { x, y } };
      await method.boRep(still, {
        ...{
          stepLength: 1e-300,
          lowerStepSize: 1,
          linearStepSize: gamma,
          period: 1e6,
          refinement: false,
          maxIterations: 30,
        },
        onProgress: () => undefined,
        checkpoint: {
          save({ inner }) {
            const distance = Math.hypot(...sub(inner.extra.z, z).data());
            rate = Math.max(rate, distance / before);
            before = distance;
          },
        },
      });
      const holds = toExact <= 1e-9 && toDifferences <= 1e-6 && rate <= factor * (1 + 1e-6);
      return {
        measured: { "to the dense solution": toExact, "to central differences": toDifferences, "rate of z": rate },
        holds,
        detail:
          `the hypergradient by conjugate gradients must be the dense one to 1e-9 (${figure(toExact)}) and central differences of ` +
          `the outer function to 1e-6 (${figure(toDifferences)}); the distance of z must shrink in each of 30 iterations at least by ` +
          `max |1 - gamma lambda| = ${figure(factor)} (at most ${figure(rate)})`,
      };
    },
  };
}
