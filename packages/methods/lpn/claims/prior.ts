import { type Claim, figure } from "@offprint/claims";
import { add, mul, random, type Tensor, tensor } from "@offprint/tensor-core";
import { blur } from "../src/index.js";
import { type ImagesEffort, trainedLpn } from "./images.js";
import { type Method, method } from "./method.js";

const levels = [0, 0.05, 0.1, 0.2];

/** Standard deviations of blur, in pixels; 0 for none. */
const blurs = [0, 1, 2];

/** The learnt prior knows noise and blur, and is not convex. */
export function learntPrior(m: Method = method, less?: ImagesEffort): Claim {
  return {
    id: "learnt-prior",
    statement:
      "The learnt prior grows with noise in an image and with blur, and is not convex: between two images it lies above the chord",
    source: "Experiments: the prior on MNIST",
    paper: "grows; non-convex",
    async run(context) {
      const { effort, model, matching, test } = await trainedLpn(context, m, less);
      const images = test.slice([{ stop: 32 }]);
      const rng = random.rng(`${context.seed}/prior`);
      const noise = rng.normal(images.shape, { dtype: "float64" });
      const phi = async (x: Tensor) =>
        Float64Array.from((await m.regularizer(model, matching, x, { tolerance: 1e-4 })).value.data());
      const values: Float64Array[] = [];
      for (const level of levels) values.push(await phi(add(images, mul(noise, level))));
      const input = [effort.side, effort.side];
      const blurred = [values[0]];
      for (const sigma of blurs.slice(1)) blurred.push(await phi(blur({ input, sigma }).apply(images)));
      const count = images.shape[0];
      const rises = Array.from({ length: count }, (_, i) =>
        values.every((v, k) => k === 0 || v[i] > values[k - 1][i]),
      ).filter(Boolean).length;
      const pairs = Array.from({ length: Math.min(16, count) }, (_, i) =>
        Array.from({ length: i }, (_, j) => [i, j] as const),
      ).flat();
      const side = (k: 0 | 1) => images.take(tensor(Int32Array.from(pairs, (pair) => pair[k])), 0);
      const middle = await phi(mul(add(side(0), side(1)), 0.5));
      const above = pairs.filter(([i, j], k) => middle[k] > (values[0][i] + values[0][j]) / 2).length / pairs.length;
      const mean = (v: Float64Array) => v.reduce((a, b) => a + b, 0) / v.length;
      return {
        measured: above,
        holds:
          rises >= 0.95 * count && above >= 0.6 && blurred.every((v, k) => k === 0 || mean(v) > mean(blurred[k - 1])),
        detail: `phi must rise with noise of 0.05, 0.1 and 0.2 for 95 % of ${count} images (${rises}; mean ${values.map((v) => figure(mean(v))).join(", ")}), its mean over the images with blur of 1 and 2 pixels (${blurred.map((v) => figure(mean(v))).join(", ")}), and it must lie above the chord half way between two of them for 60 % of the ${pairs.length} pairs (${figure(100 * above)} %).`,
        series: [
          {
            kind: "line",
            title: "The prior under noise, mean of the images",
            x: { label: "standard deviation of the noise" },
            y: { label: "phi" },
            curves: [{ name: "phi", x: levels, y: values.map(mean) }],
          },
          {
            kind: "line",
            title: "The prior under blur, mean of the images",
            x: { label: "standard deviation of the blur, pixels" },
            y: { label: "phi" },
            curves: [{ name: "phi", x: blurs, y: blurred.map(mean) }],
          },
        ],
      };
    },
  };
}
