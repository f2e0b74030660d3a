import { compare, python } from "@offprint/bench";
import { integrate } from "@offprint/ode";
import { adam, crossEntropy, trainingStep } from "@offprint/optim";
import { errorRegularizer } from "@offprint/regularized-nde";
import {
  add,
  broadcastTo,
  concatenate,
  jitSync,
  matmul,
  mul,
  random,
  reshape,
  type Tensor,
  tanh,
} from "@offprint/tensor-core";

/* How long does a training step through the discrete adjoint take, against Tsit5 written in PyTorch? */

const torch = python(new URL("torch_peers.py", import.meta.url));

const rng = random.rng("bench");
const draw = (shape: number[], scale: number) => mul(rng.normal(shape, { dtype: "float64" }), scale);
const weights = { w1: draw([65, 40], 0.12), w2: draw([41, 64], 0.12), head: draw([64, 10], 0.12) };
const x = rng.uniform([100, 64], { dtype: "float64" });
const y = rng.randint([100], { high: 10 });

type W = typeof weights;

const withTime = (t: Tensor, z: Tensor) => concatenate([z, broadcastTo(reshape(t, [1, 1]), [z.shape[0], 1])], 1);
const rate = (t: Tensor, z: Tensor, { w1, w2 }: W) => matmul(withTime(t, tanh(matmul(withTime(t, z), w1))), w2);

/** Runs the comparison. */
export async function run(): Promise<void> {
  const loss = (w: W) => {
    const solved = integrate(rate, x, [0, 1], {
      parameters: w,
      relativeTolerance: 1e-6,
      absoluteTolerance: 1e-6,
      maxSteps: 64,
    });
    return add(crossEntropy(matmul(solved.y, w.head), y), mul(errorRegularizer(solved), 100));
  };
  const optimizer = adam({ learningRate: 1e-3 });
  const step = jitSync(trainingStep<unknown, W, []>(loss, optimizer));
  const state = optimizer.init(weights);
  await compare({
    name: "a training step of the digits' neural ODE, error regulariser",
    ours: () => step(weights, state),
    peers: {
      torch: torch.peer("step", {
        w1: weights.w1.toArray(),
        w2: weights.w2.toArray(),
        head: weights.head.toArray(),
        x: x.toArray(),
        y: [...y.data()],
      }),
    },
    maxRatio: 0.3,
    repetitions: 7,
  });
}
