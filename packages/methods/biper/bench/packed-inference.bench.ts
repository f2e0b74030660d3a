// Is a packed convolution faster than the float one, in ONNX Runtime and in plain JavaScript, at the sizes of real networks?
// And does its cost grow with the work?
import { compare, python } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { conv, jit, random } from "@offprint/tensor-core";
import { plainConvolution } from "../claims/plain-convolution.js";
import { packNetwork, resnet18, resnet20 } from "../src/index.js";
import { packWeights } from "../src/pack/bits.js";
import { convolutionEngine } from "../src/pack/engine.js";

const torch = python(new URL("torch_peers.py", import.meta.url));

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const sizes = [
    [16, 32],
    [32, 16],
    [64, 8],
    [64, 32],
    [64, 56],
    [128, 28],
    [256, 14],
    [512, 7],
  ] as const;
  for (const [channels, side] of sizes) {
    const rng = random.rng(0);
    const x = rng.normal([1, channels, side, side]);
    const w = rng.normal([channels, channels, 3, 3]);
    const float = jit((a: typeof x) => conv(a, w, { padding: 1 }), { backend });
    const engine = convolutionEngine("wasm");
    const ones = new Float32Array(channels).fill(1);
    const job = {
      input: { shape: [1, channels, side, side] as const, values: x.data() as Float32Array },
      weights: packWeights(w),
      geometry: { kernel: [3, 3], strides: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } as const,
      extents: [side, side] as const,
      padValue: 0 as const,
      finish: { scale: ones, shift: ones, clamp: true },
    };
    const [a, b] = [x.data() as Float32Array, w.data() as Float32Array];
    for (let i = 0; i < 300; i++) engine(job);
    await compare({
      name: `3 x 3, ${channels} to ${channels} channels, ${side} x ${side}: real in, packed, real out`,
      ours: () => engine(job),
      peers: {
        "ONNX Runtime": async () => {
          await float(x);
        },
        torch: torch.peer("conv", channels, side),
        "plain JavaScript": () => plainConvolution(a, b, channels, side),
      },
      work: { amount: 2e-9 * channels * channels * 9 * side * side, unit: "GFLOP" },
    });
  }
  for (const [name, network] of [
    ["ResNet-20", resnet20()],
    ["ResNet-18", resnet18()],
  ] as const) {
    const rng = random.rng(0);
    const trained = { network, params: network.init(rng), state: network.initState(), stage: 2 as const };
    const packed = packNetwork(trained);
    const image = rng.normal([1, 3, 32, 32]);
    const float = jit(
      (a: typeof image) => network.run(trained.params, trained.state, a, { training: false, stage: 2 })[0],
      {
        backend,
      },
    );
    for (let i = 0; i < 20; i++) packed.run(image);
    await compare({
      name: `${name}, one 32 x 32 image: packed network against the float network`,
      ours: () => packed.run(image),
      peers: {
        "ONNX Runtime": async () => {
          await float(image);
        },
      },
      repetitions: 7,
    });
  }
  await backend.release();
}
