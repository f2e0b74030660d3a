import { random } from "@offprint/tensor-core";
import { activation, lipschitzBound } from "./src/index.js";

const [depth, width] = [Number(process.argv[2]), Number(process.argv[3])];
const rng = random.rng(1);
const dims = [width, ...new Array(depth - 1).fill(width), 10];
const list = dims
  .slice(1)
  .map((rows, k) => rng.normal([rows, dims[k]], { std: 1 / Math.sqrt(dims[k]), dtype: "float64" }).toArray());
const t = performance.now();
const r = await lipschitzBound(
  { layers: list.map((weight) => ({ weight })), activation: activation("maxmin") } as any,
  {
    multipliers: "diag",
    tolerance: Number(process.argv[4] ?? 1e-6),
    onProgress: (p) => {
      console.log(
        p.iteration,
        p.method,
        p.stepSize.toFixed(3),
        p.objective,
        JSON.stringify(p.residuals),
        ((performance.now() - t) / 1000).toFixed(1),
      );
    },
  },
);
console.log(r.status, r.value, r.objective, r.gap, r.source, ((performance.now() - t) / 1000).toFixed(2));
