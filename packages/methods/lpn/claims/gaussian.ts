import { type Claim, figure } from "@offprint/claims";
import { cast, mean, mul, type Rng, square, sub, sum, type Tensor, tree } from "@offprint/tensor-core";
import { type Method, method } from "./method.js";

const [spread, sigma] = [1, 0.5];

/** `s^2 / (s^2 + sigma^2)`: the slope of the posterior's mean. */
const slope = spread ** 2 / (spread ** 2 + sigma ** 2);

/** Points evenly over the disk of radius 1.6. */
function disk(rng: Rng, count: number): Tensor {
  const points: number[][] = [];
  while (points.length < count) {
    const [a, b] = rng.uniform([2], { low: -1.6, high: 1.6, dtype: "float64" }).data();
    if (Math.hypot(a, b) < 1.6) points.push([a, b]);
  }
  return sub(points, 0).cast("float64");
}

/** Of normal data mean and mode of the posterior are the same, and the prior is a parabola. */
export function gaussian(m: Method = method, steps = 500): Claim {
  return {
    id: "gaussian",
    statement:
      "On normal data the network learns the shrinkage that is the posterior's mode, and its prior is -sigma^2 log p",
    source: "Section 3, closed form",
    paper: "sigma^2 |x|^2 / (2 s^2)",
    async run({ rng, seed, signal }) {
      const model = m.lpn({ kind: "dense", shape: [2], hidden: [32, 32], alpha: 0.05 });
      const { params } = await m.fitProximal(model, (r, size) => mul(r.normal([size, 2]), spread), {
        sigma,
        stages: [{ loss: "squared", steps, learningRate: [1e-2, 3e-4] }],
        batchSize: 512,
        seed: `${seed}/gaussian`,
        ...(signal && { signal }),
      });
      const exact = tree.map((p: Tensor) => cast(p, "float64"), params);
      const y = mul(rng.fork("inputs").normal([2000, 2], { dtype: "float64" }), Math.hypot(spread, sigma));
      const learnt = sum(mul(model.prox(exact, y), y)).item() / sum(square(y)).item();
      const x = disk(rng.fork("disk"), 200);
      const { value } = await m.regularizer(model, params, x);
      const expected = mul(sum(square(x), 1), sigma ** 2 / (2 * spread ** 2));
      const apart = sub(value, expected);
      const error = Math.sqrt(mean(square(sub(apart, mean(apart)))).item());
      return {
        measured: learnt,
        holds: Math.abs(learnt / slope - 1) < 0.02 && error < 0.03,
        detail: `The slope of f must be ${slope} within 2 % (${figure(learnt)}), phi must be sigma^2 |x|^2 / (2 s^2) up to a constant with root mean square error below 0.03 on |x| < 1.6 (${figure(error)}; the function ranges over 0.32).`,
      };
    },
  };
}
