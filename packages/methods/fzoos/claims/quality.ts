import { type Claim, figure } from "@offprint/claims";
import { random, tensor } from "@offprint/tensor-core";
import { quadratic } from "./benchmarks.js";
import { cosine, type Method, published } from "./method.js";

const [D, C, RADIUS] = [50, 5, 0.02];
const COUNTS = [20, 50, 100] as const;
const float64 = { dtype: "float64" } as const;

/** Surrogate gradients from queries that lie around a point. */
export function surrogateQuality(method: Method = published): Claim {
  return {
    id: "gradients-from-the-trajectory",
    statement: "Gradients from earlier queries become exact as these become many, and the uncertainty tells it",
    source: "Theorem 1, Figure 1",
    paper: "error falls with the number of queries",
    async run({ seed, scale, onProgress }) {
      const trials = scale === "full" ? 10 : 3;
      const rows: number[][] = [];
      for (let k = 0; k < trials; k++) {
        const rng = random.rng(`${seed}/quality/${k}`);
        const [f] = quadratic(rng, D, 5, C).clients;
        const z = rng.uniform([D], { low: 0.2, high: 0.8, ...float64 });
        const x = rng.uniform([COUNTS[2], D], { low: -RADIUS, high: RADIUS, ...float64 }).add(z);
        const points = x.toArray() as number[][];
        const y = points.map((point) => f(Float64Array.from(point)));
        const at = Float64Array.from(z.data());
        const truth = Array.from(at, (_, j) => {
          const [above, below] = [1e-4, -1e-4].map((h) => f(at.map((v, i) => (i === j ? v + h : v))));
          return (above - below) / 2e-4;
        });
        const local = COUNTS.map((n) => method.trajectorySurrogate(points.slice(0, n), y.slice(0, n)));
        const fourier = [100, 1000].map((features) => {
          const global = method.fourierSurrogate(D, { features, seed: `${seed}/${k}` });
          return cosine(global.gradient(global.fit(points, y), z).data(), truth);
        });
        const traces = local.map((surrogate) => surrogate.uncertainty(tensor([at])).item());
        rows.push([...local.map((surrogate) => cosine(surrogate.gradient(z).data(), truth)), ...traces, ...fourier]);
        await onProgress((k + 1) / trials);
      }
      const least = rows[0].map((_, j) => Math.min(...rows.map((row) => row[j])));
      const falling = rows.every((row) => row[3] > row[4] && row[4] > row[5]);
      const holds = least[2] >= 0.99 && falling && least[7] >= 0.99;
      return {
        measured: { "cosine, 100 queries": least[2], "1000 features": least[7] },
        holds,
        detail:
          `d = ${D}, ${trials} trials, least cosine to the true gradient: with 100 queries >= 0.99 (${figure(least[2], 6)}; with 20 ${figure(least[0])}, ` +
          `with 50 ${figure(least[1])}); of 1000 random features >= 0.99 (${figure(least[7], 6)}; of 100 ${figure(least[6], 5)}). The uncertainty must fall with each ` +
          `batch of queries (${falling ? "it does" : "it does not"}; first trial ${rows[0]
            .slice(3, 6)
            .map((v) => figure(v))
            .join(", ")}).`,
        tables: [
          {
            title: "Cosine to the true gradient, and trace of its covariance",
            columns: [
              "trial",
              ...COUNTS.map((n) => `cosine ${n}`),
              ...COUNTS.map((n) => `trace ${n}`),
              "M = 100",
              "M = 1000",
            ],
            rows: rows.map((row, k) => [k, ...row]),
          },
        ],
      };
    },
  };
}
