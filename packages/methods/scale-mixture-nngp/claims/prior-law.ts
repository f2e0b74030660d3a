import { type Claim, figure } from "@offprint/claims";
import { div, linalg, matmul, mul, special, sqrt, sum, type Tensor, take, tensor } from "@offprint/tensor-core";
import type { DenseArchitecture } from "../src/index.js";
import { chanceOf, distance } from "./kolmogorov-smirnov.js";
import { type Method, published } from "./method.js";

const architecture = {
  ...{ kind: "fullyConnected", depth: 3, activation: "erf" },
  ...{ weightVariance: 1.5 ** 2, biasVariance: 0.3 ** 2 },
} as const satisfies DenseArchitecture;
const prior = { kind: "inverseGamma", shape: 2, rate: 2 } as const;

/** Column j of a matrix. */
export const column = (x: Tensor, j: number): Tensor => take(x, tensor(j, { dtype: "int32" }), 1);

/** Outputs of wide random networks have the predicted law. */
export function priorLaw(method: Method = published): Claim {
  return {
    id: "prior-law",
    statement: "A random variance of the last layer's weights makes a wide network's outputs a Student-t process",
    source: "Theorem 3.1, Figure 1",
    paper: "histograms match the predicted t densities",
    async run({ seed, scale }) {
      const points = tensor([[-1], [0.3], [1.2]], { dtype: "float64" });
      const count = 4000;
      const width = scale === "full" ? 1024 : 256;
      const outputs = method.sampleNetworks(architecture, prior, { points }, { width, count, seed: `${seed}/prior` });
      const { marginals, covariance } = method.wideNetworkLaw(architecture, prior, { points });
      const first = column(outputs, 0);
      const size = marginals.scale.data()[0];
      const deviation = Math.sqrt(marginals.variance.data()[0]);
      const toStudent = distance(column(marginals.cdf(outputs), 0).data());
      const toNormal = distance(special.normalCdf(div(first, deviation)).data());
      // f^T K^-1 f (shape / rate) / 3 has the F distribution of 3 and 4 degrees of freedom.
      const K = covariance;
      const quadratic = sum(mul(outputs, matmul(outputs, linalg.inverse(K))), 1);
      const ratio = mul(prior.shape / prior.rate / 3, quadratic);
      const joint = distance(special.betainc(1.5, 2, div(mul(3, ratio), mul(3, ratio).add(4))).data());
      const [t, normal, F] = [toStudent, toNormal, joint].map((d) => chanceOf(d, count));
      return {
        measured: { "p of t": t, "p of a normal": normal, "p of F(3, 4), joint": F },
        holds: t > 1e-4 && normal < 1e-6 && F > 1e-4,
        detail:
          `${count} networks of width ${width}, three hidden layers: Kolmogorov and Smirnov's test of f(-1) against the predicted t must ` +
          `give p > 1e-4 (${figure(t)}, distance ${figure(toStudent)}), against a normal of equal variance p < 1e-6 (${figure(normal)}, ` +
          `distance ${figure(toNormal)}), and of f K^-1 f at three points against F(3, 4) p > 1e-4 (${figure(F)})`,
        series: [histogram(first, size, deviation)],
      };
    },
  };
}

function histogram(values: Tensor, size: number, deviation: number) {
  const width = sqrt(tensor(size, { dtype: "float64" })).item() / 2;
  const centres = Array.from({ length: 33 }, (_, k) => (k - 16) * width);
  const counts = centres.map(() => 0);
  for (const v of values.data()) {
    const k = Math.round(v / width) + 16;
    if (k >= 0 && k < counts.length) counts[k]++;
  }
  const student = (x: number) => (0.375 / Math.sqrt(size)) * (1 + x ** 2 / (4 * size)) ** -2.5;
  const normal = (x: number) => Math.exp(-((x / deviation) ** 2) / 2) / (deviation * Math.sqrt(2 * Math.PI));
  return {
    kind: "line",
    title: "Outputs of random networks at one point",
    x: { label: "f(-1)" },
    y: { label: "density", scale: "log" },
    curves: [
      {
        name: "networks",
        x: centres,
        y: counts.map((c) => (c === 0 ? null : c / values.size / width)),
        style: "points",
      },
      { name: "predicted t", x: centres, y: centres.map(student) },
      { name: "normal of equal variance", x: centres, y: centres.map(normal) },
    ],
  } as const;
}
