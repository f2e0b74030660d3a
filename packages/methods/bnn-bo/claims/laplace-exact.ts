import { type Claim, figure } from "@offprint/claims";
import { add, concatenate, diag, full, linalg, matmul, random, type Tensor, transpose } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";

const [N, D, NOISE, PRIOR] = [20, 4, 0.09, 0.7];

function largest(a: Tensor, b: Tensor): number {
  const [p, q] = [a.data(), b.data()];
  return Array.from(p as Float64Array).reduce((most, v, k) => Math.max(most, Math.abs(v - q[k])), 0);
}

/** The approximation where the posterior is Gaussian. */
export function laplaceExact(method: Method = published): Claim {
  return {
    id: "laplace-is-exact",
    statement: "On a linear model Laplace's approximation is the posterior, and so are its Kronecker factors",
    source: "Section 3.2",
    paper: "identities",
    run({ seed }) {
      let [fullError, kronError] = [0, 0];
      for (let k = 0; k < 5; k++) {
        const rng = random.rng(`${seed}/laplace/${k}`);
        const x = rng.normal([N, D], { dtype: "float64" });
        const y = rng.normal([N], { dtype: "float64" });
        const points = rng.normal([5, D], { dtype: "float64" });
        const weights = rng.normal([D + 1], { dtype: "float64" });
        const one = (n: number) => full([n, 1], 1, "float64");
        const [A, B] = [concatenate([x, one(N)], 1), concatenate([points, one(5)], 1)];
        const precision = add(matmul(transpose(A), A).div(NOISE), diag(full([D + 1], 1 / PRIOR, "float64")));
        const exact = matmul(B, matmul(linalg.inverse(precision), transpose(B)));
        const of = (structure: "full" | "kron") =>
          method.laplacePosterior(
            weights,
            { x, y, offset: 0, deviation: 1 },
            { prior: PRIOR, noise: NOISE },
            { hidden: [] },
            { structure, tunePrior: false },
          );
        fullError = Math.max(fullError, largest(of("full").covariance(points), exact));
        kronError = Math.max(kronError, largest(of("kron").covariance(points), exact));
      }
      return {
        measured: { full: fullError, Kronecker: kronError },
        holds: fullError <= 1e-8 && kronError <= 1e-8,
        detail: `Largest difference of predictive covariances from the exact ones, 5 linear models of ${D} inputs and a bias: at most 1e-8 with all weights (${figure(fullError)}) and with Kronecker factors (${figure(kronError)}).`,
      };
    },
  };
}
