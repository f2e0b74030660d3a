import { type Claim, figure } from "@offprint/claims";
import {
  add,
  diag,
  full,
  hostTensor,
  linalg,
  matmul,
  mul,
  random,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
} from "@offprint/tensor-core";
import { hamiltonianProgram } from "../src/index.js";
import { type Method, published } from "./method.js";

const [N, P, NOISE] = [20, 4, 0.09];

interface Data {
  readonly X: Tensor;
  readonly y: Tensor;
}

const program = hamiltonianProgram<Data>((w, { X, y }) =>
  mul(-0.5, add(sum(square(sub(y, matmul(X, w)))).div(NOISE), sum(square(w)))),
);

/** The sampler where the posterior is known. */
export function hmcExact(method: Method = published): Claim {
  return {
    id: "hmc-is-exact",
    statement: "Hamiltonian Monte Carlo has the posterior of Bayesian linear regression",
    source: "Section 3.2",
    paper: "an identity",
    async run({ seed, scale }) {
      const rng = random.rng(`${seed}/linear`);
      const X = rng.normal([N, P], { dtype: "float64" });
      const y = matmul(X, rng.normal([P], { dtype: "float64" })).add(
        rng.normal([N], { std: Math.sqrt(NOISE), dtype: "float64" }),
      );
      const precision = add(matmul(transpose(X), X).div(NOISE), diag(full([P], 1, "float64")));
      const covariance = linalg.inverse(precision);
      const mean = matmul(covariance, matmul(transpose(X), y))
        .div(NOISE)
        .data();
      const full_ = scale === "full";
      const sizes = full_ ? { burnIn: 500, samples: 4000 } : { burnIn: 300, samples: 1000 };
      const [mostMean, mostSpread] = full_ ? [0.15, 0.1] : [0.2, 0.15];
      const run = await method.hamiltonianMonteCarlo(
        program,
        hostTensor(new Float64Array(P), [P], "float64"),
        { X, y },
        { ...sizes, path: 0.08, stepSize: 0.01, seed: `${seed}/chain` },
      );
      const samples = run.samples.data();
      let [meanError, spreadError] = [0, 0];
      for (let j = 0; j < P; j++) {
        const column = Array.from({ length: sizes.samples }, (_, k) => samples[k * P + j]);
        const own = column.reduce((total, v) => total + v, 0) / column.length;
        const spread = Math.sqrt(column.reduce((total, v) => total + (v - own) ** 2, 0) / column.length);
        const exact = Math.sqrt(covariance.data()[j * P + j]);
        meanError = Math.max(meanError, Math.abs(own - mean[j]) / exact);
        spreadError = Math.max(spreadError, Math.abs(spread / exact - 1));
      }
      return {
        measured: { "mean, in deviations": meanError, "deviation, relative": spreadError },
        holds: meanError <= mostMean && spreadError <= mostSpread,
        detail:
          `${sizes.samples} samples of 4 weights: means within ${mostMean} deviations (${figure(meanError)}), deviations within ` +
          `${100 * mostSpread} % (${figure(100 * spreadError)} %); acceptance ${figure(run.acceptance)}.`,
      };
    },
  };
}
