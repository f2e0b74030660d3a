import { type Claim, type ClaimContext, figure, memo } from "@offprint/claims";
import { type Rng, reshape, tensor } from "@offprint/tensor-core";
import type { Lpn, LpnParams, Stage } from "../src/index.js";
import { type Method, method } from "./method.js";

/** How much is trained. */
export interface LaplacianEffort {
  readonly hidden: readonly number[];
  readonly batchSize: number;
  readonly squared: readonly Stage[];
  readonly absolute: readonly Stage[];
  readonly matching: readonly Stage[];
}

const efforts: Record<ClaimContext["scale"], LaplacianEffort> = {
  quick: {
    hidden: [32, 32, 32],
    batchSize: 256,
    squared: [{ loss: "squared", steps: 400, learningRate: [2e-2, 5e-4] }],
    absolute: [{ loss: "absolute", steps: 400, learningRate: [2e-2, 5e-4] }],
    matching: [{ loss: "matching", steps: 900, learningRate: [3e-3, 1e-4], gamma: [1, 0.3] }],
  },
  // The sheet's small setting; the paper's takes 44 000 steps at batches of 2000.
  full: {
    hidden: [32, 32, 32],
    batchSize: 512,
    squared: [{ loss: "squared", steps: 800, learningRate: [1e-2, 5e-4] }],
    absolute: [{ loss: "absolute", steps: 800, learningRate: [1e-2, 1e-3] }],
    matching: [{ loss: "matching", steps: 1500, learningRate: [2e-3, 2e-4], gamma: [1, 0.3] }],
  },
};

function laplace(rng: Rng, size: number) {
  const u = rng.uniform([size, 1], { low: -0.5, high: 0.5, dtype: "float64" }).data();
  return tensor(
    u.map((v) => -Math.sign(v) * Math.log1p(-2 * Math.abs(v))),
    { shape: [size, 1], dtype: "float32" },
  );
}

const soft = (y: number) => Math.sign(y) * Math.max(Math.abs(y) - 1, 0);

/** `E[x | y]` for Laplace(1) and sigma = 1, by quadrature. */
function posteriorMean(y: number): number {
  let [weighed, total] = [0, 0];
  for (let x = -12; x <= 12; x += 0.01) {
    const w = Math.exp(-0.5 * (x - y) ** 2 - Math.abs(x));
    weighed += x * w;
    total += w;
  }
  return weighed / total;
}

const grid = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

/** What a training ended in, on grids. */
interface Curve {
  readonly f: Float64Array;
  readonly phi: Float64Array;
}

const inputs = grid(-4, 4, 161);
const points = grid(-2.5, 2.5, 101);

async function curveOf(m: Method, model: Lpn, params: LpnParams): Promise<Curve> {
  const at = (values: number[]) => reshape(tensor(values, { dtype: "float64" }), [values.length, 1]);
  const f = Float64Array.from(model.prox(params, at(inputs).cast("float32")).data());
  const { value } = await m.regularizer(model, params, at(points), { tolerance: 1e-4, maxIterations: 300 });
  const phi = Float64Array.from(value.data());
  const least = phi.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return { f, phi: phi.map((v) => v - least) };
}

const trainings = memo(async ({ seed, scale, signal, onProgress }: ClaimContext, m: Method, less?: LaplacianEffort) => {
  const { hidden, batchSize, squared, absolute, matching } = less ?? efforts[scale];
  const model = m.lpn({ kind: "dense", shape: [1], hidden });
  const trained = (stages: readonly Stage[], initial?: LpnParams) =>
    m.fitProximal(model, laplace, {
      sigma: 1,
      stages,
      batchSize,
      seed: `${seed}/laplace`,
      ...(initial && { initial }),
      ...(signal && { signal }),
    });
  const l2 = await trained(squared);
  await onProgress(0.25);
  const l1 = await trained(absolute);
  await onProgress(0.5);
  const pm = await trained(matching, l1.params);
  const [mean, median, mode] = [
    await curveOf(m, model, l2.params),
    await curveOf(m, model, l1.params),
    await curveOf(m, model, pm.params),
  ];
  return { mean, median, mode };
});

function distance(a: ArrayLike<number>, b: readonly number[]): number {
  return Math.sqrt(b.reduce((total, v, i) => total + (a[i] - v) ** 2, 0) / b.length);
}

/** The paper's headline: of three losses proximal matching alone finds the mode, and with it the prior. */
export function laplacian(m: Method = method, effort?: LaplacianEffort): Claim {
  return {
    id: "laplacian",
    statement:
      "Of Laplacian data proximal matching learns soft thresholding and the prior |x|; squared and absolute error do not",
    source: "Experiments: Laplacian distribution",
    paper: "only proximal matching",
    async run(context) {
      const { mean, median, mode } = await trainings(context, m, effort);
      const thresholded = inputs.map(soft);
      const means = inputs.map(posteriorMean);
      const prior = points.map(Math.abs);
      const [phi2, phi1, phiM] = [mean, median, mode].map(({ phi }) => distance(phi, prior));
      const [soft2, soft1, softM] = [mean, median, mode].map(({ f }) => distance(f, thresholded));
      const toMean = distance(mean.f, means);
      return {
        measured: phiM,
        holds:
          phiM < 0.25 &&
          phiM < 0.6 * phi1 &&
          phiM < 0.45 * phi2 &&
          softM < 0.75 * soft1 &&
          soft1 < soft2 &&
          toMean < soft2,
        detail: `The root mean square distance of the learnt prior to |x| on [-2.5, 2.5] must be below 0.25 (${figure(phiM)}), below 0.6 of that with the absolute error (${figure(phi1)}) and 0.45 of that with the squared one (${figure(phi2)}); that of f to soft thresholding on [-4, 4] below 0.75 of the absolute error's (${figure(softM)} of ${figure(soft1)}), which must be below the squared error's (${figure(soft2)}), whose f must be nearer to the posterior's mean (${figure(toMean)}).`,
        series: [
          {
            kind: "line",
            title: "The learnt denoiser",
            x: { label: "y" },
            y: { label: "f(y)" },
            curves: [
              { name: "soft thresholding", x: inputs, y: thresholded },
              { name: "proximal matching", x: inputs, y: [...mode.f] },
              { name: "absolute error", x: inputs, y: [...median.f] },
              { name: "squared error", x: inputs, y: [...mean.f] },
            ],
          },
          {
            kind: "line",
            title: "The learnt prior",
            x: { label: "x" },
            y: { label: "phi(x)" },
            curves: [
              { name: "|x|", x: points, y: prior },
              { name: "proximal matching", x: points, y: [...mode.phi] },
              { name: "absolute error", x: points, y: [...median.phi] },
              { name: "squared error", x: points, y: [...mean.phi] },
            ],
          },
        ],
      };
    },
  };
}
