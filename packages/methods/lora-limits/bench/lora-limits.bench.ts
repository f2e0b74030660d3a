import { compare, python } from "@offprint/bench";
import { baselineGradients, type Head, loraGradients } from "@offprint/lora-limits";
import { abs, div, matmul, max, random } from "@offprint/tensor-core";

/* How long does a LoRA gradient of 4096 tokens take, against automatic differentiation of PyTorch's attention? */

const torch = python(new URL("torch_peers.py", import.meta.url));

const LENGTH = 4096;

const rng = random.rng("bench");
const draw = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
const x = draw([LENGTH, 8]);
const projection = () => {
  const weight = draw([8, 4]);
  return { weight: div(weight, max(abs(matmul(x, weight)))), b: draw([8, 2]).mul(0.01), a: draw([2, 4]), alpha: 2 };
};
const head = { q: projection(), k: projection(), v: projection(), beta: 0.25 } satisfies Head;
const target = draw([LENGTH, 4]);

const plain = ({ weight, b, a }: ReturnType<typeof projection>) => ({
  weight: weight.toArray(),
  b: b.toArray(),
  a: a.toArray(),
});

/** Runs the comparison. */
export async function run(): Promise<void> {
  const data = { x: x.toArray(), target: target.toArray(), beta: 0.25 };
  const peer = torch.peer("gradient", { ...data, q: plain(head.q), k: plain(head.k), v: plain(head.v) });
  await compare({
    name: `LoRA gradient of ${LENGTH} tokens, almost linear, degree 5`,
    ours: () => loraGradients(x, head, { target }, { strategy: "almostLinear", degree: 5 }),
    peers: {
      torch: peer,
      "ours, exact": () => loraGradients(x, head, { target }, { strategy: "exact" }),
      "random features": () => baselineGradients(x, head, { target }, { method: "randomFeatures", features: 126 }),
    },
    maxRatio: 0.7,
    repetitions: 5,
  });
  await compare({
    name: `LoRA gradient of ${LENGTH} tokens, exact`,
    ours: () => loraGradients(x, head, { target }, { strategy: "exact" }),
    peers: { torch: peer },
    maxRatio: 0.7,
    repetitions: 5,
  });
}
