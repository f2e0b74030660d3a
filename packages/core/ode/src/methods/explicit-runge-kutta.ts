import {
  add,
  checkOptions,
  div,
  equal,
  linalg,
  mul,
  requireInteger,
  requireObject,
  square,
  stack,
  sub,
  type Tensor,
  tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";
import type { Method, Step } from "./method.js";
import type { Tableau } from "./tableau.js";

/** An explicit Runge-Kutta method from its numbers. @throws ValueError for numbers that do not fit together. */
export function explicitRungeKutta(tableau: Tableau): Method {
  requireObject("explicitRungeKutta", "tableau", tableau, "a Tableau");
  checkTableau(tableau);
  const { name, order, nodes, stages, weights, error, dense, stiffnessStage } = tableau;
  return {
    name,
    order,
    errorOrder: tableau.errorOrder ?? order,
    adaptive: error !== undefined,
    estimatesStiffness: stiffnessStage !== undefined,
    stabilitySize: tableau.stabilitySize ?? Number.NaN,
    evaluations: weights.length,
    basisSize: dense === undefined ? 4 : 1 + dense.length,
    step(system, t, y, h, first) {
      const k = [first];
      const states = [y];
      stages.forEach((row, i) => {
        states.push(advanced(y, h, row, k));
        k.push(system.rate(add(t, mul(h, nodes[i + 1])), states[i + 1]));
      });
      const next = advanced(y, h, weights, k);
      const last = system.rate(add(t, h), next);
      k.push(last);
      return {
        next,
        last,
        ...(error && { error: (norm) => norm(mul(system.scalar(h), combined(error, k))) }),
        ...(stiffnessStage !== undefined && {
          stiffness: lipschitz(sub(last, k[stiffnessStage]), sub(next, states[stiffnessStage])),
        }),
        basis: () => (dense === undefined ? [y, next, first, last] : [y, ...k]),
      } satisfies Step;

      function advanced(from: Tensor, size: Tensor, row: readonly number[], rates: readonly Tensor[]): Tensor {
        return add(from, mul(system.scalar(size), combined(row, rates)));
      }
    },
    denseWeights: dense === undefined ? hermiteWeights : (theta, h) => polynomialWeights(dense, theta, h),
  };
}

/** `sum_i w_i k_i`, without the terms that are 0. */
export function combined(weights: readonly number[], vectors: readonly Tensor[]): Tensor {
  const terms = weights.flatMap((w, i) => (w === 0 ? [] : [w === 1 ? vectors[i] : mul(vectors[i], w)]));
  return terms.length === 0 ? mul(vectors[0], 0) : terms.reduce((a, b) => add(a, b));
}

/** `|rates| / |states|`, 0 where the states agree. */
export function lipschitz(rates: Tensor, states: Tensor): Tensor {
  const apart = linalg.norm(states);
  const same = equal(apart, 0);
  return where(same, 0, div(linalg.norm(rates), where(same, 1, apart)));
}

/** Weights of the states and rates at both ends: the cubic of Hermite. */
export function hermiteWeights(theta: Tensor, h: Tensor): Tensor {
  const rest = sub(1, theta);
  const [before, after] = [square(rest), square(theta)];
  return stack([
    mul(before, add(1, mul(2, theta))),
    mul(after, sub(3, mul(2, theta))),
    mul(h, mul(theta, before)),
    mul(h, mul(after, sub(theta, 1))),
  ]);
}

function polynomialWeights(dense: readonly (readonly number[])[], theta: Tensor, h: Tensor): Tensor {
  const weights = dense.map((coefficients) =>
    mul(h, coefficients.reduceRight((value: Tensor | number, c) => mul(theta, add(value, c)), 0) as Tensor),
  );
  return stack([tensor(1, { dtype: theta.dtype }), ...weights]);
}

const fields = [
  ...["name", "order", "nodes", "stages", "weights", "error", "errorOrder", "dense", "stiffnessStage", "stabilitySize"],
];

function checkTableau(tableau: Tableau): void {
  checkOptions("explicitRungeKutta", tableau, fields, ["name", "order", "nodes", "stages", "weights"]);
  const { name, order, nodes, stages, weights, error, dense, stiffnessStage } = tableau;
  const complain = (what: string) => {
    throw new ValueError(`explicitRungeKutta: the tableau "${name}" has ${what}`);
  };
  requireInteger("explicitRungeKutta", "order", order, 1);
  const s = weights.length;
  if (nodes.length !== s) complain(`${nodes.length} nodes for ${s} weights; give one for each`);
  if (stages.length !== s - 1) complain(`${stages.length} rows for ${s} stages; give one for each but the first`);
  stages.forEach((row, i) => {
    if (row.length > i + 1)
      complain(`a row of ${row.length} for stage ${i + 2}; an explicit method uses earlier stages`);
  });
  for (const [what, list] of [
    ["error weights", error],
    ["dense rows", dense],
  ] as const) {
    if (list !== undefined && list.length !== s + 1)
      complain(`${list.length} ${what}; give ${s + 1}, the last stage's too`);
  }
  const numbers = [nodes, weights, ...stages, error ?? [], ...(dense ?? [])].flat();
  if (!numbers.every(Number.isFinite)) complain(`a number that is not finite`);
  if (stiffnessStage !== undefined && nodes[stiffnessStage] !== 1) {
    complain(`the stiffness stage ${stiffnessStage} at ${nodes[stiffnessStage]}; it must be at 1, the end of the step`);
  }
}
