import { compare, python } from "@offprint/bench";
import { adam, applyUpdates, type GradientTransformation } from "@offprint/optim";
import { random } from "@offprint/tensor-core";
import { diffGrad } from "../src/index.js";

const torch = python(new URL("torch_peers.py", import.meta.url));
const SIZE = 1e6;

/** What does an eager update of a million float32 parameters cost beside Adam's? */
export async function run() {
  const rng = random.rng(0);
  const params = rng.normal([SIZE]);
  const [before, now] = [rng.normal([SIZE]), rng.normal([SIZE])];
  const stepOf = (optimizer: GradientTransformation) => {
    const { state } = optimizer.update(before, optimizer.init(params), params);
    return () => applyUpdates(params, optimizer.update(now, state, params).updates);
  };
  const work = { amount: SIZE, unit: "parameter" };
  await compare({
    name: "diffGrad update, 1e6 float32",
    ours: stepOf(diffGrad()),
    peers: { "shared Adam": stepOf(adam()) },
    maxRatio: 1.5,
    work,
  });
  await compare({
    name: "diffGrad update, 1e6 float32, beside PyTorch",
    ours: stepOf(diffGrad()),
    peers: {
      "torch Adam": torch.peer("adam", SIZE),
      "torch Adam, foreach": torch.peer("adam_foreach", SIZE),
      "diffGrad in torch operations": torch.peer("diffgrad", SIZE),
    },
    work,
  });
}
