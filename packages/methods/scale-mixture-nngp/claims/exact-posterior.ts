import { type Claim, figure, largestDifference } from "@offprint/claims";
import { nngp } from "@offprint/gaussian-process";
import { random, special, tensor } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";

/** Closed form, quadrature and importance sampling agree. */
export function exactPosterior(method: Method = published): Claim {
  return {
    id: "exact-posterior",
    statement:
      "With an inverse gamma prior, posterior and evidence are exact; importance sampling of the scale comes close",
    source: "Sections 3.2 and 3.3",
    paper: "closed form; importance sampling for other priors",
    run({ rng, seed }) {
      const kernel = nngp({ kind: "fullyConnected", depth: 4, readoutVariance: 1 });
      const x = rng.uniform([12, 2], { low: -2, high: 2, dtype: "float64" });
      const y = rng.normal([12], { std: 3, dtype: "float64" });
      const z = random.rng(`${seed}/z`).uniform([9, 2], { low: -3, high: 3, dtype: "float64" });
      const levels = [0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999];
      const [shape, rate] = [2.5, 1.5];
      const constant = shape * Math.log(rate) - special.lgamma(tensor(shape, { dtype: "float64" })).item();
      const logDensity = (s: number) => constant - (shape + 1) * Math.log(s) - rate / s;
      const noise = 0.1;
      const exact = method.regress(kernel, x, y, { prior: { kind: "inverseGamma", shape, rate }, noise });
      const generic = { prior: { kind: "density", logDensity } as const, noise };
      const integral = method.regress(kernel, x, y, generic);
      const sampled = method.regress(kernel, x, y, { ...generic, inference: { method: "importance", seed } });
      const predicted = exact.predict(z);
      const at = levels.map((p, i) => predicted.quantile(p).data()[i]);
      const [a, b, c] = [exact, integral, sampled].map((process) => process.predict(z).logDensity(at).data());
      const numeric = Math.max(largestDifference(a, b), Math.abs(exact.logEvidence - integral.logEvidence));
      const importance = largestDifference(a, c);
      return {
        measured: {
          "to quadrature": numeric,
          "importance sampling": importance,
          "worth draws": sampled.scale.effectiveSize ?? 0,
        },
        holds: numeric <= 1e-8 && importance <= 0.03,
        detail:
          `log densities at nine quantiles from 0.001 to 0.999 and the log evidence must equal one-dimensional quadrature to 1e-8 (${figure(numeric)}), and ` +
          `1000 importance samples from Laplace's proposal come within 0.03 (${figure(importance)})`,
      };
    },
  };
}
