import { type Claim, figure, memo } from "@offprint/claims";
import { moons as twoMoons } from "@offprint/claims/makers";
import { activation, evaluate, type FeedForward, perceptron } from "@offprint/networks";
import {
  jitSync,
  mean,
  mul,
  type random,
  reshape,
  special,
  sub,
  type Tensor,
  tensor,
  tree,
  valueAndGrad,
} from "@offprint/tensor-core";
import { productBound, samplingBound } from "../src/index.js";
import { type Bounder, published } from "./method.js";

type Params = { readonly W: readonly Tensor[]; readonly b: readonly Tensor[] };

function initial(rng: random.Rng, dims: readonly number[]): Params {
  const keys = rng.split(dims.length - 1);
  return {
    W: keys.map((key, k) => key.normal([dims[k + 1], dims[k]], { std: 1 / Math.sqrt(dims[k]), dtype: "float64" })),
    b: keys.map((_, k) => tensor(new Float64Array(dims[k + 1]))),
  };
}

function networkOf({ W, b }: Params): FeedForward {
  return perceptron(
    W.map((weight, k) => ({ weight, bias: b[k] })),
    activation("maxmin"),
  );
}

/** `[samples]` scores; the sign is the class. */
function score(params: Params, x: Tensor): Tensor {
  return reshape(evaluate(networkOf(params), x), [x.shape[0]]);
}

/** How many points change their class when moved by almost their certified radius down the gradient, in ten steps. */
function brokenCertificates(params: Params, points: Tensor, scores: Tensor, bound: number): number {
  const side = Float64Array.from(scores.data(), Math.sign);
  const radius = Float64Array.from(scores.data(), (value) => (0.999 * Math.abs(value)) / bound);
  const descend = valueAndGrad((x: Tensor) => mean(mul(score(params, x), tensor(side))));
  let x = points;
  for (let step = 0; step < 10; step++) {
    const gradient = descend(x)[1].data();
    const moved = Float64Array.from(x.data());
    for (let i = 0; i < radius.length; i++) {
      const norm = Math.hypot(gradient[2 * i], gradient[2 * i + 1]) || 1;
      for (const k of [2 * i, 2 * i + 1]) moved[k] -= ((radius[i] / 10) * gradient[k]) / norm;
    }
    x = tensor(moved, { shape: points.shape });
  }
  return Array.from(score(params, x).data()).filter((value, i) => Math.sign(value) !== side[i]).length;
}

/** The network at some steps of its training, with what does not depend on the bound. */
const trained = memo(({ rng, scale }) => {
  const [data, weights] = rng.split(2);
  const { inputs: points, targets } = twoMoons(data, 200);
  const labels = tensor(Float64Array.from(targets.data(), (k) => 2 * k - 1));
  const steps = scale === "full" ? 2000 : 300;
  const every = scale === "full" ? 100 : 50;
  const step = jitSync(valueAndGrad((p: Params) => mean(special.softplus(mul(score(p, points), mul(labels, -4))))));
  let params = initial(weights, [2, 16, 16, 1]);
  const checks: { step: number; params: Params; sample: number; product: number }[] = [];
  for (let k = 0; k <= steps; k++) {
    if (k % every === 0) {
      const network = networkOf(params);
      const sample = samplingBound(network, { points: 500, seed: k });
      checks.push({ step: k, params, sample, product: productBound(network) });
    }
    const [, gradients] = step(params);
    params = tree.map((p, g) => sub(p, mul(g, 0.1)), params, gradients) as Params;
  }
  return { points, labels, checks };
});

/** Bounds and certified radii while a network is trained. */
export function moons(bound: Bounder = published): Claim {
  return {
    id: "certified-radius",
    statement:
      "While a MaxMin network learns two moons, the bound stays near samples and certifies radii that no attack breaks",
    source: "Section 1 (use of Lipschitz bounds)",
    paper: "certified robustness",
    async run(context) {
      const { points, labels, checks } = await trained(context);
      const bounds: number[] = [];
      let broken = 0;
      for (const [k, { params }] of checks.entries()) {
        const own = await bound(networkOf(params), { multipliers: "eliminated" });
        bounds.push(own);
        broken += brokenCertificates(params, points, score(params, points), own);
        await context.onProgress((k + 1) / checks.length);
      }
      const [at, samples, products] = (["step", "sample", "product"] as const).map((key) => checks.map((c) => c[key]));
      const { params } = checks[checks.length - 1];
      const scores = score(params, points).data();
      const right = Array.from(labels.data()).filter((y, i) => y * scores[i] > 0).length;
      const radii = Array.from(scores, (value) => Math.abs(value) / bounds[bounds.length - 1]).sort((a, b) => a - b);
      const [value, sample, product] = [bounds, samples, products].map((list) => list[list.length - 1]);
      const nearer = value / sample < product / value;
      const below = bounds.filter((value, k) => value < samples[k]).length;
      const accuracy = right / labels.size;
      return {
        measured: {
          "median radius": radii[radii.length >> 1],
          bound: value,
          sample,
          "product of norms": product,
          accuracy,
        },
        holds: below === 0 && broken === 0 && nearer && accuracy > 0.85,
        detail:
          `The bound must never be below a sample (${below} times), in the end nearer (by ratio) to the largest sample than ` +
          `to the product of norms (${figure(sample, 6)} < ${figure(value, 6)} < ${figure(product, 6)}), gradient attacks within the ` +
          `certified radius must fail (${broken} succeeded), and the network must learn (accuracy ${figure(accuracy, 6)}).`,
        series: [
          {
            kind: "line",
            title: "Bound and samples during training",
            x: { label: "step" },
            y: { label: "Lipschitz constant" },
            curves: [
              { name: "certified bound", x: at, y: bounds },
              { name: "largest sampled Jacobian", x: at, y: samples },
              { name: "product of norms", x: at, y: products },
            ],
          },
        ],
      };
    },
  };
}
