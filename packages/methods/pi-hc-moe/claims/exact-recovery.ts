import { type Claim, figure, largestDifference } from "@offprint/claims";
import {
  add,
  concatenate,
  div,
  expandDims,
  linalg,
  matmul,
  mul,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import { burgers, type PdeConstraint, solveBurgers } from "../src/index.js";
import { type Method, published } from "./method.js";
import { waves } from "./waves.js";

/** u_t = a u on a grid, with the initial condition built in as u = 1 + t b w: linear in w. */
const linear: PdeConstraint<{ readonly rate: Tensor }> = {
  grid: [12, 1],
  input: ({ rate }) => rate.reshape([-1, 1, 1, 1]),
  terms: (basis) => ({ u: basis }),
  offset: ({ rate }) => ({
    target: mul(rate.reshape([-1, 1, 1]), tensor(Float64Array.from({ length: 12 }, (_, i) => i)).reshape([1, 12, 1])),
  }),
  residual: ({ u, target }) => u.sub(target),
};

/** A basis that holds the solution gives it back, whatever the number of experts. */
export function exactRecovery(method: Method = published): Claim {
  return {
    id: "exact-recovery",
    statement:
      "Where the basis holds the solution, every expert finds it to rounding, and linear problems are solved exactly",
    source: "Section 3, the constrained optimisation",
    paper: "the constraint is enforced",
    async run({ rng }) {
      const pde = burgers({ times: 9, points: 32 });
      const fine = waves(rng, 2, 128);
      const exact = await solveBurgers(fine, { times: 9, points: 32 });
      const initial = fine.slice([null, { step: 4 }]);
      const share = tensor(Float64Array.from({ length: 9 }, (_, i) => Math.max(i, 1) / 8)).reshape([1, 9, 1]);
      const part = div(exact.sub(expandDims(initial, 1)), share);
      const others = rng.normal([2, 9, 32, 2], { dtype: "float64" });
      const basis = concatenate([expandDims(part, -1), others], -1);
      // The discrete residual of the reference is a force that makes it the discrete solution.
      const plain = method.hardConstraint(expandDims(part, -1), pde, { initial }, { initial: 1, maxIterations: 0 });
      const problem = { initial, forcing: pde.residual(plain.fields) };
      const errors: number[] = [];
      for (const experts of [
        [1, 1],
        [1, 2],
        [1, 4],
      ]) {
        const start = [1.1, 0.1, 0.1];
        const options = { experts, ridge: 0, initial: start, tolerance: 1e-12 };
        const { u, weights } = await method.solveConstraint(basis, pde, problem, options);
        const expected = new Float64Array(weights.size).map((_, i) => (i % 3 === 0 ? 1 : 0));
        errors.push(Math.max(largestDifference(u.data(), exact.data()), largestDifference(weights.data(), expected)));
      }
      const worst = Math.max(...errors);
      const A = rng.normal([1, 12, 1, 4], { dtype: "float64" });
      const rate = tensor([0.7], { dtype: "float64" });
      const found = method.hardConstraint(A, linear, { rate }, { ridge: 0.3, tolerance: 1e-13 }).weights;
      const flat = A.reshape([12, 4]);
      const target = linear.offset?.({ rate }).target.reshape([12, 1]) as Tensor;
      const ridge = mul(
        0.09,
        tensor(
          [
            [1, 0, 0, 0],
            [0, 1, 0, 0],
            [0, 0, 1, 0],
            [0, 0, 0, 1],
          ],
          { dtype: "float64" },
        ),
      );
      const closed = linalg.solve(add(matmul(transpose(flat), flat), ridge), matmul(transpose(flat), target));
      const apart = largestDifference(found.data(), closed.data());
      return {
        measured: { "largest error": worst, "to the closed form": apart },
        holds: worst < 1e-8 && apart < 1e-9,
        detail:
          `Burgers with the reference among three basis functions, begun at (1.1, .1, .1): weights (1, 0, 0) and the solution to 1e-8 with 1, 2 and 4 ` +
          `experts (${errors.map((e) => figure(e)).join(", ")}); a linear problem must equal its closed form to 1e-9 (${figure(apart)})`,
      };
    },
  };
}
