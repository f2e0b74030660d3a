import {
  add,
  concatenate,
  div,
  matmul,
  mean,
  mul,
  neg,
  type random,
  reshape,
  sign,
  special,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import type { EqualityProblem } from "../src/index.js";

/** Examples, coefficients and linear constraints of {@link constrainedLogistic}. */
const [EXAMPLES, COEFFICIENTS, LINEAR] = [200, 30, 10];

/** Logistic regression whose coefficients lie on the unit sphere and satisfy ten linear equations. */
export function constrainedLogistic(rng: random.Rng): {
  readonly problem: EqualityProblem;
  readonly start: Tensor;
  readonly multipliers: Tensor;
  /** Rows, labels of -1 and 1, and the linear equations A z = b. */
  readonly data: { readonly X: Tensor; readonly y: Tensor; readonly A: Tensor; readonly b: Tensor };
} {
  const [rows, truth, equations, noise] = rng.split(4);
  const X = rows.normal([EXAMPLES, COEFFICIENTS], { dtype: "float64" });
  const w = truth.normal([COEFFICIENTS], { dtype: "float64" });
  const A = equations.normal([LINEAR, COEFFICIENTS], { dtype: "float64" });
  const y = sign(
    add(div(matmul(X, w), Math.sqrt(COEFFICIENTS)), mul(0.5, noise.normal([EXAMPLES], { dtype: "float64" }))),
  );
  const b = mul(0.7, matmul(A, div(w, Math.sqrt(sum(square(w)).item()))));
  return {
    data: { X, y, A, b },
    problem: {
      objective: (z) => mean(special.softplus(neg(mul(y, matmul(X, z))))),
      constraints: (z) => concatenate([sub(matmul(A, z), b), reshape(sub(sum(square(z)), 1), [1])], 0),
    },
    start: tensor(new Float64Array(COEFFICIENTS).fill(1)),
    multipliers: tensor(new Float64Array(LINEAR + 1).fill(1)),
  };
}
