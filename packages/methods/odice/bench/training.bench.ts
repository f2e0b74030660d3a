import { compare, python } from "@offprint/bench";
import { fitOdice, offlineDataset } from "@offprint/odice";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { hostBackend, random } from "@offprint/tensor-core";

/* How long does an update of value and policy take, with the orthogonal gradient, against PyTorch? */

const torch = python(new URL("torch_peers.py", import.meta.url));
const rng = random.rng("bench");

const log = (rows: number, observation: number, action: number) => ({
  observations: rng.normal([rows, observation]),
  nextObservations: rng.normal([rows, observation]),
  actions: rng.uniform([rows, action], { low: -1, high: 1 }),
  rewards: rng.normal([rows]),
  terminals: rng.uniform([rows]).less(0.02).cast("float32"),
});

/** Runs the comparison. */
export async function run(): Promise<void> {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  for (const [name, observation, action, value, policy, steps, maxRatio] of [
    ["64-64 networks", 3, 1, [64, 64], [64, 64], 1500, 0.7],
    [
      "values of 256-256, twice, with layer normalisation, policy of 1024-1024",
      17,
      6,
      [256, 256],
      [1024, 1024],
      30,
      1.5,
    ],
  ] as const) {
    const arrays = log(5000, observation, action);
    const dataset = offlineDataset(arrays);
    const large = policy[0] > 64;
    await compare({
      name: `${steps} updates of 256 transitions, ${name}, float32`,
      ours: () =>
        fitOdice(dataset, {
          steps,
          value: { hidden: value, layerNorm: large, twin: large },
          policy: { hidden: policy },
          backend: large ? backend : hostBackend,
        }),
      peers: {
        torch: torch.peer("updates", {
          ...Object.fromEntries(Object.entries(arrays).map(([key, x]) => [key, x.toArray()])),
          value,
          policy,
          steps,
          large,
        }),
      },
      work: { amount: steps, unit: "updates" },
      maxRatio,
      repetitions: 3,
    });
  }
  await backend.release();
}
