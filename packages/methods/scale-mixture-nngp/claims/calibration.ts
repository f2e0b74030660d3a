import { type Claim, figure, meanOf } from "@offprint/claims";
import { compiled, type Kernel, nngp } from "@offprint/gaussian-process";
import { add, diag, full, linalg, matmul, mul, type random, type Tensor } from "@offprint/tensor-core";
import type { ScalePrior } from "../src/index.js";
import { type Method, published } from "./method.js";

const noise = 0.05;
const prior = { kind: "inverseGamma", shape: 2, rate: 2 } as const;
const rivals: Record<string, ScalePrior> = {
  "NNGP, s = 1": { kind: "point" },
  "NNGP, s = q/n": { kind: "fitted" },
  "Student-t": prior,
  "Burr(2, 1)": { kind: "burr", c: 2, d: 1 },
};
const names = Object.keys(rivals);

/** A function whose scale is drawn from the prior, seen with noise. */
function task(kernel: Kernel, rng: random.Rng, n: number): { x: Tensor; y: Tensor } {
  const x = rng.uniform([n, 1], { low: -3, high: 3, dtype: "float64" });
  const s = prior.rate / rng.gamma([], { concentration: prior.shape, dtype: "float64" }).item();
  const factor = linalg.cholesky(add(kernel.matrix(x), diag(full([n], noise, "float64"))));
  return { x, y: mul(Math.sqrt(s), matmul(factor, rng.normal([n], { dtype: "float64" }))) };
}

/** The headline: with few points, a prior of the scale gives densities that no fixed scale gives. */
export function calibration(method: Method = published, tasks = 300): Claim {
  return {
    id: "calibration",
    statement:
      "Where the output's scale is unknown and points are few, the Student-t process predicts better than Gaussian ones",
    source: "Section 5.2, negative log likelihoods",
    paper: "better for heavy tails",
    async run({ rng, scale, onProgress }) {
      const network = {
        kind: "fullyConnected",
        depth: 3,
        activation: "erf",
        weightVariance: 4,
        biasVariance: 0.09,
      } as const;
      const kernel = compiled(nngp({ ...network, readoutVariance: 1 }));
      const sizes = scale === "full" ? [4, 8, 16] : [4, 8];
      const scores = sizes.map(() => names.map((): number[] => []));
      const compared = scale === "full" ? tasks : Math.min(100, tasks);
      const evidence = { one: 0, student: 0 };
      for (let k = 0; k < tasks; k++) {
        const all = task(kernel, rng, Math.max(...sizes) + 20);
        const rows = (v: Tensor, from: number, to: number) => v.slice([{ start: from, stop: to }]);
        const test = { x: rows(all.x, 0, 20), y: rows(all.y, 0, 20) };
        sizes.forEach((n, i) => {
          const seen = method.regress(kernel, rows(all.x, 20, 20 + n), rows(all.y, 20, 20 + n), { prior, noise });
          const predicted = seen.predict(test.x);
          names.forEach((name, j) => {
            if (j === 3 && k >= compared) return;
            const process = j === 2 ? seen : seen.under(rivals[name]);
            scores[i][j].push(-predicted.under(process.scale).logDensity(test.y).mean().item());
            if (n === 8 && j === 0) evidence.one -= process.logEvidence / tasks;
            if (n === 8 && j === 2) evidence.student -= process.logEvidence / tasks;
          });
        });
        if (k % 20 === 19) await onProgress((k + 1) / tasks);
      }
      const means = scores.map((row) => row.map((values) => meanOf(values)));
      const [[one4, fitted4, student4], [one8, fitted8, student8]] = means;
      const gain = Math.min(one4, fitted4) - student4;
      const close = Math.max(...scores.map((row) => Math.abs(meanOf(row[3]) - meanOf(row[2].slice(0, compared)))));
      return {
        measured: {
          "gain, 4 points": gain,
          "gain over s = q/n, 8 points": fitted8 - student8,
          "Burr's distance": close,
        },
        holds: gain >= 0.1 && student8 + 0.02 < fitted8 && fitted8 < one8 && close <= 0.03,
        detail:
          `${tasks} functions of the model, mean negative log density of 20 test targets: with 4 points the t process must be at least 0.1 below both ` +
          `Gaussian ones (${figure(student4)}; ${figure(one4)} at s = 1, ${figure(fitted4)} at s = q/n), with 8 points more than 0.02 below s = q/n, which is ` +
          `below s = 1 (${figure(student8)}, ${figure(fitted8)}, ${figure(one8)}), and the Burr prior within 0.03 of the t process on ${compared} of them (${figure(close)})`,
        tables: [
          {
            title: `Mean negative log density; negative log evidence of 8 points ${figure(evidence.one)} at s = 1, ${figure(evidence.student)} of the t process`,
            columns: ["points", ...names],
            rows: sizes.map((n, i) => [n, ...means[i]]),
          },
        ],
      };
    },
  };
}
