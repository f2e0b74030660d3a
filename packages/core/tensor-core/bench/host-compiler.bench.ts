// What does compiling give, from scalars to millions of elements, beside PyTorch, NumPy, numba and SciPy?
import { compare, python } from "@offprint/bench";
import { grad, jitSync, type Tensor, tensor, trace, vmap } from "@offprint/tensor-core";
import { adam, chain, descend, diffGrad, integrate, numbers, type Params, perceptron } from "./compiled-programs.js";

const peers = python(new URL("host_compiler_peers.py", import.meta.url));

async function trainingSteps(): Promise<void> {
  for (const { sizes, batch, maxRatio } of [
    { sizes: [2, 64, 3], batch: 32, maxRatio: 0.04 },
    { sizes: [64, 64, 10], batch: 64, maxRatio: 0.5 },
    { sizes: [784, 256, 10], batch: 64, maxRatio: 4 },
  ]) {
    const { params, data, step } = perceptron(sizes, batch);
    const compiled = jitSync(step);
    let p: Params = params;
    await compare({
      name: `SGD step of an MLP ${sizes.join("-")}, batch ${batch}`,
      ours: () => {
        p = compiled(p, ...data);
      },
      peers: { torch: peers.peer("torch_mlp", sizes, batch) },
      maxRatio,
    });
  }
  const { params, data, loss } = perceptron([2, 64, 3], 32);
  const one = (p: Params, x: Tensor, y: Tensor) => grad(loss)(p, x.reshape([1, 2]), y.reshape([1]));
  const perSample = jitSync((p: Params, x: Tensor, y: Tensor) => vmap(one, { inAxes: [null, 0, 0] })(p, x, y));
  await compare({
    name: "gradients of each of 32 samples",
    ours: () => perSample(params, ...data),
    peers: { "torch.func": peers.peer("torch_per_sample", [2, 64, 3], 32) },
    maxRatio: 0.03,
  });
}

async function loops(): Promise<void> {
  const descent = jitSync(descend(1000));
  const start = numbers([10], "float64");
  await compare({
    name: "1000 gradient steps on Rosenbrock, d = 10",
    ours: () => descent(start),
    peers: { torch: peers.peer("torch_rosenbrock", 1000) },
    maxRatio: 0.0003,
    repetitions: 7,
  });
  await compare({
    name: "1000 gradient steps on Rosenbrock, d = 10",
    ours: () => descent(start),
    peers: { numba: peers.peer("numba_rosenbrock", 1000) },
    maxRatio: 1.2,
  });
  const orbit = jitSync(integrate(1e5));
  const y = tensor([1, 1, 1], { dtype: "float64" });
  await compare({
    name: "Lorenz system, 1e5 adaptive steps",
    ours: () => orbit(y),
    peers: { numba: peers.peer("numba_lorenz", 1e5) },
    maxRatio: 1.5,
  });
  const short = jitSync(integrate(1e3));
  await compare({
    name: "Lorenz system, 1e3 adaptive steps",
    ours: () => short(y),
    peers: { scipy: peers.peer("scipy_lorenz", 1e3) },
    maxRatio: 0.005,
    repetitions: 7,
  });
}

async function largeArrays(): Promise<void> {
  const size = 1e6;
  const [x, y] = [numbers([size], "float64"), numbers([size], "float64").neg().reshape([size])];
  const chained = jitSync(chain);
  const shared = jitSync(chain, { views: true });
  const numpy = { numpy: peers.peer("numpy_chain", size) };
  await compare({ name: "chain of 1e6 float64", ours: () => chained(x, y), peers: numpy, maxRatio: 0.5 });
  const others = Array.from({ length: 4 }, (_, i) => [x.mul(i + 1), y.mul(i + 1)] as const);
  let turn = 0;
  await compare({
    name: "the same, other arguments every time",
    ours: () => chained(...others[turn++ % others.length]),
    peers: numpy,
  });
  await compare({ name: "the same, results as views", ours: () => shared(x, y), peers: numpy, maxRatio: 0.5 });
  const g = numbers([size], "float32");
  const keep = jitSync((...t: Tensor[]) => t.map((s) => s.mul(1)), { resident: true });
  const updates = { adam: jitSync(adam, { resident: true }), diffGrad: jitSync(diffGrad, { resident: true }) };
  // Every step has another gradient, which comes from outside.
  const gradients = [g, g.mul(0.5)];
  let step = 0;
  let state: Tensor[] = keep(g, g, g);
  const ourAdam = () => {
    state = updates.adam(state[0], state[1], state[2], gradients[step++ % 2]);
  };
  let [p, m, v, old] = keep(g, g, g, g);
  const friction = () => {
    [p, m, v, old] = updates.diffGrad(p, m, v, old, gradients[step++ % 2]);
  };
  const name = "diffGrad of 1e6 float32, state kept";
  await compare({ name, ours: friction, peers: { "our Adam": ourAdam }, maxRatio: 2 });
  // PyTorch's gradient lies where the optimizer reads it: so does ours.
  await compare({
    name: `${name}, and the gradient`,
    ours: () => {
      [p, m, v, old] = updates.diffGrad(p, m, v, old, g);
    },
    peers: { "torch Adam, foreach": peers.peer("torch_adam", size) },
    maxRatio: 1,
  });
}

async function overhead(): Promise<void> {
  const f = jitSync((x: Tensor) => x.mul(2).add(1));
  const x = tensor(1, { dtype: "float64" });
  await compare({ name: "call, scalar in, scalar out", ours: () => f(x), maxSeconds: 0.2e-6 });
  const { params, data, step } = perceptron([2, 64, 3], 32);
  await compare({ name: "tracing the MLP's step", ours: () => trace(step, params, ...data), maxSeconds: 2e-3 });
  await compare({
    name: "tracing, compiling and first call of the MLP's step",
    ours: () => {
      const fresh = jitSync(step);
      fresh(params, ...data);
      fresh.release();
    },
    maxSeconds: 5e-3,
  });
}

export async function run(): Promise<void> {
  await overhead();
  await trainingSteps();
  await loops();
  await largeArrays();
}
