import { compare, python } from "@offprint/bench";
import { adam, applyUpdates, type GradientTransformation } from "@offprint/optim";
import { jitSync, random, type Tensor } from "@offprint/tensor-core";
import { diffGrad } from "../src/index.js";

const torch = python(new URL("torch_peers.py", import.meta.url));
const SIZE = 1e6;

/**
 * What does an update of a million float32 parameters cost beside Adam's, ours and PyTorch's? Parameters and state stay
 * in the compiled function's memory from step to step, as PyTorch's stay in theirs.
 */
export async function run() {
  const rng = random.rng(0);
  const first = rng.normal([SIZE]);
  const gradients = [rng.normal([SIZE]), rng.normal([SIZE])];
  const stepOf = (optimizer: GradientTransformation, next: (step: number) => Tensor) => {
    const update = jitSync(
      (params: Tensor, state: any, g: Tensor) => {
        const { updates, state: after } = optimizer.update(g, state, params);
        return { params: applyUpdates(params, updates), state: after };
      },
      { resident: true },
    );
    let now = { params: first, state: optimizer.init(first) };
    let step = 0;
    return () => {
      now = update(now.params, now.state, next(step++)) as typeof now;
    };
  };
  const work = { amount: SIZE, unit: "parameter" };
  // Every step has another gradient, which comes from outside.
  const fresh = (step: number) => gradients[step % 2];
  await compare({
    name: "diffGrad update, 1e6 float32",
    ours: stepOf(diffGrad(), fresh),
    peers: { "shared Adam": stepOf(adam(), fresh) },
    maxRatio: 2,
    work,
  });
  // PyTorch's gradient lies where the optimizer reads it: so does ours.
  await compare({
    name: "diffGrad update, 1e6 float32, gradient in place",
    ours: stepOf(diffGrad(), () => gradients[0]),
    peers: {
      "torch Adam, foreach": torch.peer("adam_foreach", SIZE),
      "torch Adam": torch.peer("adam", SIZE),
      "diffGrad in torch operations": torch.peer("diffgrad", SIZE),
    },
    maxRatio: 1,
    work,
  });
  // Without compiling: every step makes new tensors of the parameters and of all state.
  const eager = (optimizer: GradientTransformation) => {
    const { state } = optimizer.update(gradients[0], optimizer.init(first), first);
    return () => applyUpdates(first, optimizer.update(gradients[1], state, first).updates);
  };
  await compare({
    name: "diffGrad update, 1e6 float32, eager",
    ours: eager(diffGrad()),
    peers: { "shared Adam": eager(adam()), "torch Adam, foreach": torch.peer("adam_foreach", SIZE) },
    work,
  });
}
