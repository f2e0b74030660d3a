import { type Claim, figure } from "@offprint/claims";
import { integrate } from "@offprint/ode";
import { abs, add, grad, jitSync, matmul, mul, type random, sum, type Tensor, tanh, tree } from "@offprint/tensor-core";
import { localRegNde, type Method } from "./method.js";

const tolerance = 1e-6;
const settings = { relativeTolerance: tolerance, absoluteTolerance: tolerance };

/** A small network, and where its solutions begin. */
function problem(rng: random.Rng) {
  const draw = (shape: number[], scale: number) => mul(rng.normal(shape, { dtype: "float64" }), scale);
  const weights = { a: draw([3, 8], 0.8), b: draw([8, 3], 0.8) };
  const f = (t: Tensor, y: Tensor, { a, b }: typeof weights) => matmul(tanh(add(matmul(y, a), t)), b);
  return { f, weights, y0: draw([4, 3], 1) };
}

/** Drawn among the solver's steps, the local term is the global regulariser in the mean. */
export function relation(method: Method = localRegNde): Claim {
  return {
    id: "relation",
    statement:
      "The local term at all steps of a solve has the global regulariser as its mean, so that biased draws estimate it without bias",
    source: "Section 3.2",
    paper: "equal",
    run({ rng }) {
      const { f, weights, y0 } = problem(rng);
      const solved = integrate(f, y0, [0, 1], { ...settings, parameters: weights, dense: true });
      const n = solved.steps.item();
      const global = sum(mul(solved.errors, abs(solved.stepSizes))).item() / n;
      const term = jitSync((y: Tensor, t: Tensor, h: Tensor) =>
        method.localTerm(f, y, t, h, { parameters: weights, tolerance }),
      );
      const terms = Array.from({ length: n }, (_, j) => {
        const t = solved.stepTimes.slice([j]);
        return term(solved.at(t), t, solved.stepSizes.slice([j])).item();
      });
      const mean = terms.reduce((a, b) => a + b) / n;
      const draws = 2000;
      const uniform = rng.uniform([draws], { dtype: "float64" });
      const estimate = jitSync((u: Tensor) =>
        method.localRegularizer(f, solved, [0, 1], u, { mode: "biased", parameters: weights, tolerance }),
      );
      let [total, squares] = [0, 0];
      for (let k = 0; k < draws; k++) {
        const r = estimate(uniform.slice([k])).item();
        total += r / draws;
        squares += r ** 2 / draws;
      }
      const deviation = Math.sqrt(Math.max(squares - total ** 2, 0) / draws);
      const apart = Math.abs(mean / global - 1);
      const away = Math.abs(total - global) / Math.max(deviation, 1e-300);
      return {
        measured: apart,
        holds: apart < 1e-9 && away < 4,
        detail: `The mean over ${n} steps must equal the global regulariser to 1e-9 (differs by ${figure(apart)}); the mean of ${draws} draws must lie within 4 standard errors (${figure(away)}).`,
      };
    },
  };
}

/** The solve stays a black box to the gradient. */
export function locality(method: Method = localRegNde): Claim {
  return {
    id: "locality",
    statement: "No gradient of the local term goes into the solve, though its value depends on where the solve begins",
    source: "Section 3.1",
    paper: "0",
    run({ rng }) {
      const { f, weights, y0 } = problem(rng);
      const r = jitSync((y: Tensor, w: typeof weights) => {
        const { at, stepTimes, stepSizes, steps } = integrate(f, y, [0, 1], {
          ...settings,
          parameters: w,
          dense: true,
        });
        return method.localRegularizer(f, { at, stepTimes, stepSizes, steps }, [0, 1], 0.4, {
          parameters: w,
          tolerance,
        });
      });
      const bySolve = grad((y: Tensor) => r(y, weights))(y0);
      const largest = Math.max(...tree.leaves<Tensor>(bySolve).flatMap((x) => [...x.data()].map(Math.abs)));
      const byParameters = grad((w: typeof weights) => r(y0, w))(weights);
      const inParameters = Math.max(...[...byParameters.a.data()].map(Math.abs));
      const change = Math.abs(r(mul(y0, 1.01), weights).item() - r(y0, weights).item());
      return {
        measured: largest,
        holds: largest === 0 && inParameters > 0 && change > 0,
        detail: `The gradient by the first state must be 0 (${figure(largest)}), that by the parameters must not (${figure(inParameters)}), and the value must change with the first state (by ${figure(change)}).`,
      };
    },
  };
}
