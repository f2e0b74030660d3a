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

/** A network on states of so many numbers, and a batch of them. */
function problem(size: number, hidden: number, batch: number) {
  const scale = 1 / Math.sqrt(size);
  return {
    weights: {
      w1: draw([size + 1, hidden], scale),
      w2: draw([hidden + 1, size], 1 / Math.sqrt(hidden)),
      head: draw([size, 10], scale),
    },
    x: rng.uniform([batch, size], { dtype: "float64" }),
    y: rng.randint([batch], { high: 10 }),
  };
}

type W = ReturnType<typeof problem>["weights"];

const withTime = (t: Tensor, z: Tensor) => concatenate([z, broadcastTo(reshape(t, [1, 1]), [z.shape[0], 1])], 1);
const rate = (t: Tensor, z: Tensor, { w1, w2 }: W) => matmul(withTime(t, tanh(matmul(withTime(t, z), w1))), w2);

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const [name, size, hidden, batch] of [
    ["the digits' neural ODE", 64, 40, 100],
    ["a neural ODE of two numbers", 2, 50, 32],
  ] as const) {
    const { weights, x, y } = problem(size, hidden, batch);
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
    const given = {
      w1: weights.w1.toArray(),
      w2: weights.w2.toArray(),
      head: weights.head.toArray(),
      x: x.toArray(),
      y: [...y.data()],
    };
    await compare({
      name: `a training step of ${name}, error regulariser`,
      ours: () => step(weights, state),
      peers: { torch: torch.peer("step", given) },
      maxRatio: 0.3,
      repetitions: 7,
    });
  }
}
