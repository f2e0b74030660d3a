import { type Claim, type ClaimContext, figure, memo } from "@offprint/claims";
import { moons } from "@offprint/claims/makers";
import { activation, evaluate, type FeedForward, perceptron } from "@offprint/networks";
import { adam, applyUpdates, crossEntropy } from "@offprint/optim";
import {
  abs,
  jitSync,
  mean,
  mul,
  random,
  reshape,
  square,
  sub,
  type Tensor,
  tensor,
  valueAndGrad,
} from "@offprint/tensor-core";
import { boxAround } from "../src/index.js";
import { gradientsAt } from "../src/sample-bound.js";
import { type Method, published } from "./method.js";

interface Affine {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

function start(seed: string, dims: readonly number[]): Affine[] {
  const rng = random.rng(seed);
  return dims.slice(1).map((rows, k) => ({
    weight: rng.normal([rows, dims[k]], { std: Math.sqrt(2 / dims[k]), dtype: "float64" }),
    bias: tensor(new Float64Array(rows)),
  }));
}

/** Trains layers by Adam on all samples. */
function trained(
  initial: Affine[],
  loss: (network: FeedForward) => Tensor,
  steps: number,
  shaped: (layers: Affine[]) => Affine[] = (layers) => layers,
): FeedForward {
  const networkOf = (layers: Affine[]) => perceptron(shaped(layers), activation("relu"));
  const optimizer = adam({ learningRate: 0.02 });
  const step = jitSync((params: Affine[], state: ReturnType<typeof optimizer.init>) => {
    const [, gradient] = valueAndGrad((layers: Affine[]) => loss(networkOf(layers)))(params);
    const { updates, state: next } = optimizer.update(gradient, state, params);
    return { params: applyUpdates(params, updates), state: next };
  });
  let now = { params: initial, state: optimizer.init(initial) };
  for (let k = 0; k < steps; k++) now = step(now.params, now.state);
  return networkOf(now.params);
}

const moonsNetwork = memo(async ({ seed }: ClaimContext): Promise<FeedForward> => {
  const { inputs, targets } = moons(random.rng(`${seed}/moons`), 200, { noise: 0.1 });
  const x = tensor(inputs.toArray() as number[][], { dtype: "float64" });
  return trained(
    start(`${seed}/moons network`, [2, 16, 16, 2]),
    (network) => mean(crossEntropy(evaluate(network, x), targets)),
    300,
  );
});

/** Bounds of a trained network over the size of the box. */
export function trainedNetwork(method: Method = published): Claim {
  return {
    id: "trained-network",
    statement:
      "On a trained network the local bound grows with the box, from the norm of the gradient to below the global bound",
    source: "Section 4.1",
    paper: "local below global",
    async run(context) {
      const network = await moonsNetwork(context);
      const x0 = [0.5, 0.25];
      const [row] = [0];
      const sizes = [0.01, 0.03, 0.1, 0.2, 0.35, 0.5];
      const values: number[] = [];
      for (const eps of sizes) {
        const options = { outputs: [row], maxDomains: 400, tolerance: 1e-3 };
        values.push((await method.localLipschitz(network, boxAround(x0, eps), options)).value);
      }
      const [global] = method.globalBound(network, { outputs: [row] });
      const gradient = gradientsAt(network, Float64Array.from(x0), Float64Array.from([1, 0]));
      const norm = Math.abs(gradient[0]) + Math.abs(gradient[1]);
      const { value: point } = await method.localLipschitz(network, boxAround(x0, 0), { outputs: [row] });
      // Branching ends within its tolerance.
      const grows = values.every((value, k) => k === 0 || value >= values[k - 1] * (1 - 1e-3));
      const last = values[values.length - 1];
      return {
        measured: { "eps 0.01": values[0], "eps 0.5": last, global },
        holds: grows && last > 1.05 * values[0] && last < global && Math.abs(point - norm) <= 1e-9,
        detail:
          `Bounds ${values.map((value) => figure(value)).join(", ")} for eps ${sizes.join(", ")} must grow, by 5 % in all, and stay below the global ` +
          `${figure(global)}; at a point the bound must be the norm of the gradient to 1e-9, and differs by ${figure(Math.abs(point - norm))}.`,
        series: [
          {
            kind: "line",
            title: "Local bound of a trained network",
            x: { label: "eps", scale: "log" },
            y: { label: "bound", scale: "log" },
            curves: [{ name: "local", x: sizes, y: values, style: "line-points" }],
            references: [{ value: global, label: "product of norms" }],
          },
        ],
      };
    },
  };
}

/** The networks of the claim about monotone features: the first input only by weights that are not negative. */
const monotoneNetwork = memo(async ({ seed }: ClaimContext): Promise<FeedForward> => {
  const rng = random.rng(`${seed}/monotone`);
  const x = rng.uniform([256, 4], { dtype: "float64" });
  const rows = x.toArray() as number[][];
  const noise = rng.normal([256], { std: 0.05, dtype: "float64" }).data();
  const y = tensor(
    rows.map(([a, b, c], i) => 2 * a + b ** 3 - c + noise[i]),
    { dtype: "float64" },
  );
  const dims = [4, 12, 12, 1];
  // The path of x1: its own column, the hidden weights and the last ones.
  const own = tensor(
    Array.from({ length: dims[1] }, () => [1, 0, 0, 0]),
    { dtype: "float64" },
  );
  const shaped = ([first, ...rest]: Affine[]): Affine[] => [
    { ...first, weight: first.weight.mul(sub(1, own)).add(mul(abs(first.weight), own)) },
    ...rest.map(({ weight, bias }) => ({ weight: abs(weight), bias })),
  ];
  const loss = (network: FeedForward) => mean(square(sub(reshape(evaluate(network, x), [256]), y)));
  return trained(start(`${seed}/monotone network`, dims), loss, 300, shaped);
});

/** Provably monotone features. */
export function monotoneFeatures(method: Method = published): Claim {
  return {
    id: "monotone-features",
    statement: "Features in which a network is monotone are proved to be, and no sampled gradient contradicts a proof",
    source: "Section 4.4",
    paper: "several of six features for most examples",
    async run(context) {
      const network = await monotoneNetwork(context);
      const box = { lower: [0, 0, 0, 0], upper: [1, 1, 1, 1] };
      const x0 = [0.5, 0.5, 0.5, 0.5];
      const { features } = await method.monotonicity(network, x0, { box, maxDomains: 200 });
      const points = random.rng(`${context.seed}/points`).uniform([1000, 4], { dtype: "float64" }).data();
      const gradients = gradientsAt(network, Float64Array.from(points), Float64Array.of(1));
      let contradictions = 0;
      for (const { feature, verdict } of features) {
        for (let p = 0; p < 1000; p++) {
          const slope = gradients[4 * p + feature];
          if ((verdict === "increasing" && slope < -1e-12) || (verdict === "decreasing" && slope > 1e-12))
            contradictions += 1;
        }
      }
      const proved = features.filter(({ verdict }) => verdict !== "unknown");
      return {
        measured: proved.length,
        holds: features[0]?.verdict === "increasing" && contradictions === 0,
        detail:
          `In the whole box: ${features.map(({ feature, verdict }) => `x${feature + 1} ${verdict}`).join(", ")}; x1 must be proved ` +
          `increasing, and none of 1000 sampled gradients may contradict a proof (${contradictions} do).`,
      };
    },
  };
}
