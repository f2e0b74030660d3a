import { compare, python } from "@offprint/bench";
import { mlp } from "@offprint/nn";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { random } from "@offprint/tensor-core";
import { type InnerOptions, linearModel, losses, OnlineSso, sso } from "../src/index.js";

const torch = python(new URL("torch_peers.py", import.meta.url));
const [BATCH, INPUTS, HIDDEN, OUTPUTS, STEPS] = [128, 784, 512, 10, 50];

/** Inner steps on one surrogate of an MLP, and whole outer steps of a linear model, beside PyTorch. */
export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const rng = random.rng(0);
  const network = mlp({ sizes: [INPUTS, HIDDEN, OUTPUTS] });
  const model = { params: network.init(rng), forward: (p: any, x: any) => network.apply(p, x) };
  const x = rng.normal([BATCH, INPUTS]);
  const { oracle } = losses.softmax(rng.randint([BATCH], { high: OUTPUTS }));
  const kinds: readonly (readonly [peer: string, inner: InnerOptions])[] = [
    ["sgd", { solver: "fixed", steps: STEPS, learningRate: 0.01, tolerance: 0 }],
    ["adam", { solver: "adam", steps: STEPS, learningRate: 1e-4, tolerance: 0 }],
    ["lbfgs", { solver: "lbfgs", steps: 10, tolerance: 0 }],
  ];
  for (const [peer, inner] of kinds) {
    const online = new OnlineSso(model, { eta: 1, inner, backend });
    await online.observe(x, oracle); // compiles
    await compare({
      name: `MLP ${INPUTS}-${HIDDEN}-${OUTPUTS}, batch ${BATCH}: ${inner.steps} inner steps of ${peer}`,
      ours: () => online.observe(x, oracle),
      peers: { PyTorch: torch.peer("inner", BATCH, INPUTS, HIDDEN, OUTPUTS, peer, inner.steps ?? STEPS) },
      work: { amount: inner.steps ?? STEPS, unit: "inner steps" },
      maxRatio: 1.5,
      repetitions: 5,
    });
    await online.release();
  }
  const features = 20;
  for (const batch of [64, 512, 4096]) {
    const inputs = rng.normal([batch, features], { dtype: "float64" });
    const targets = rng.bernoulli([batch]);
    const oracles = { logistic: losses.logistic(targets).oracle, squared: losses.squared(targets).oracle };
    for (const [loss, oracle] of Object.entries(oracles)) {
      for (const steps of [1, 10]) {
        const inner: InnerOptions = { solver: "fixed", steps, learningRate: 0.01, tolerance: 0 };
        await compare({
          name: `linear model, ${loss} loss, ${features} features, batch ${batch}: 50 calls of the oracle, ${steps} inner step(s) each`,
          ours: () => sso(linearModel(features), { x: inputs }, oracle, { eta: 4, steps: 50, inner }),
          peers: { PyTorch: torch.peer("linear", batch, features, 50, steps, loss) },
          work: { amount: 50, unit: "calls" },
          maxRatio: 1,
          repetitions: 5,
        });
      }
    }
  }
  await backend.release();
}
