// Is SOFT faster than softmax attention that is compiled the same way, from which length on, and with what memory?
import { compare, python } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { grad, jit, random, sum, type Tensor } from "@offprint/tensor-core";
import { adaptivePool, attentions, type HeadAttention, softHeads } from "../src/index.js";

const torch = python(new URL("torch_peers.py", import.meta.url));
const FEATURES = 32;
const LENGTHS = [1024, 2048, 4096, 8192, 16384];

const soft = softHeads({ features: FEATURES, ratio: 2, bottleneck: adaptivePool(7) });
const softmax = attentions.softmax();

function gridOf(n: number): readonly [number, number] {
  const height = 2 ** Math.floor(Math.log2(n) / 2);
  return [height, n / height];
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const compiled = (attention: HeadAttention, n: number) =>
    jit((query: Tensor, key: Tensor, value: Tensor) => attention.apply(null, { query, key, value, grid: gridOf(n) }), {
      backend,
    });
  const draw = (n: number) => random.rng(n).normal([1, 1, n, FEATURES]);

  for (const n of LENGTHS) {
    const x = draw(n);
    const [own, other] = [compiled(soft, n), compiled(softmax, n)];
    const memory: Record<string, string> = {};
    for (const [name, attend] of [
      ["SOFT", own],
      ["softmax", other],
    ] as const) {
      const before = process.memoryUsage().rss;
      await attend(x, x, x);
      memory[name] = mebibytes(process.memoryUsage().rss - before);
    }
    await compare({
      name: `one head, ${n} tokens, m = 49`,
      ours: () => own(x, x, x),
      peers: {
        "compiled softmax": () => other(x, x, x),
        "torch sdpa": torch.peer("attention", n, FEATURES),
      },
      ...(n === 4096 && { maxRatio: 1 / 3 }),
      repetitions: 7,
    });
    await compare({
      name: `the same beside PyTorch's own SOFT, ${n} tokens`,
      ours: () => own(x, x, x),
      peers: { "torch SOFT": torch.peer("soft", n, FEATURES) },
      maxRatio: 1.2,
      repetitions: 7,
    });
    console.log(`  memory added by the first run: SOFT ${memory.SOFT}, softmax ${memory.softmax}`);
    await Promise.all([own.release(), other.release()]);
  }

  const n = 4096;
  const backwardOf = (attention: HeadAttention) =>
    jit(
      grad((x: Tensor) => sum(attention.apply(null, { query: x, key: x, value: x, grid: gridOf(n) }).square())),
      { backend },
    );
  const [own, other, x] = [backwardOf(soft), backwardOf(softmax), draw(n)];
  await compare({
    name: `the same with its gradient, ${n} tokens`,
    ours: () => own(x),
    peers: { "compiled softmax": () => other(x) },
    maxRatio: 1 / 3,
    repetitions: 7,
  });
  await backend.release();
}
