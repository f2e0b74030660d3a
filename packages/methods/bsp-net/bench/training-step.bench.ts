// Does a step of training, compiled as a whole, run at the level of the same network in PyTorch? How does it grow with
// the number of points, and what does a fit of one shape cost beside the dense one?
import { compare, python } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { adam, trainingStep } from "@offprint/optim";
import { type Backend, fastest, hostBackend, jit, random } from "@offprint/tensor-core";
import { type AutoEncoderOptions, bspAutoEncoder, fitShape, type Phase } from "../src/index.js";

const torch = python(new URL("torch_peers.py", import.meta.url));

type Sizes = Required<Pick<AutoEncoderOptions, "dim" | "resolution" | "ef" | "hidden" | "planes" | "convexes">>;

/** A compiled step on random shapes. */
function compiledStep(backend: Backend, sizes: Sizes, batch: number, n: number, phase: Phase) {
  const model = bspAutoEncoder(sizes);
  const rng = random.rng(0);
  const drawn = model.init(rng);
  const { dim, resolution, planes, convexes } = sizes;
  const connected = rng.uniform([planes, convexes], { low: -0.3, high: 0.3 });
  let params = phase === 0 || drawn.tree === null ? drawn : { ...drawn, tree: { ...drawn.tree, T: connected } };
  const optimizer = adam({ learningRate: 1e-4, beta1: 0.5 });
  let state = optimizer.init(params);
  const shapes = {
    inputs: rng.bernoulli([batch, 1, ...new Array(dim).fill(resolution)], { probability: 0.3, dtype: "float32" }),
    points: rng.uniform([batch, n, dim], { low: -0.5, high: 0.5 }),
    values: rng.bernoulli([batch, n, 1], { probability: 0.3, dtype: "float32" }),
  };
  const step = jit(
    trainingStep((p: typeof params, b: typeof shapes) => model.loss(p, b, phase).total, optimizer),
    { backend },
  );
  return async () => {
    const result = await step(params, state, shapes);
    params = result.params;
    state = result.optimizerState;
  };
}

/** Which points are in the box that stands for a shape here. */
function inBox(points: Float64Array): Uint8Array {
  return Uint8Array.from({ length: points.length / 3 }, (_, i) => {
    const [x, y, z] = points.subarray(3 * i, 3 * i + 3);
    return Math.abs(x) < 0.3 && Math.abs(y) < 0.05 && Math.abs(z) < 0.3 ? 1 : 0;
  });
}

export async function run() {
  const onnx = await onnxRuntime({ device: "cpu", threads: 1 });
  const backend = fastest([hostBackend, onnx]);
  const flat: Sizes = { dim: 2, resolution: 32, ef: 16, hidden: [256, 256], planes: 64, convexes: 24 };
  for (const phase of [0, 1] as const) {
    await compare({
      name: `step of phase ${phase}, 2D, 20 shapes of 1024 points, p=64, c=24`,
      ours: compiledStep(backend, flat, 20, 1024, phase),
      peers: { torch: torch.peer("training_step", ...Object.values(flat), 20, 1024, phase) },
      maxRatio: 1.2,
      repetitions: 9,
    });
  }
  const solid: Sizes = { dim: 3, resolution: 32, ef: 8, hidden: [128, 256], planes: 256, convexes: 64 };
  for (const n of [256, 2048]) {
    await compare({
      name: `step of phase 1, 3D, 4 shapes of ${n} points, p=256, c=64`,
      ours: compiledStep(backend, solid, 4, n, 1),
      peers: { torch: torch.peer("training_step", ...Object.values(solid), 4, n, 1) },
      maxRatio: 1.2,
      repetitions: 7,
    });
  }
  for (const convexes of [24, 192]) {
    await compare({
      name: `100 steps of fitShape, ${convexes} convexes of 10 planes, 2000 points`,
      ours: () => fitShape(inBox, { convexes, steps: 100, poolSize: 20_000, slope: [60, 60] }),
      peers: { torch: torch.peer("fit_steps", convexes, 10, 2000, 100) },
      maxRatio: 1,
      repetitions: 5,
    });
  }
  await onnx.release();
}
