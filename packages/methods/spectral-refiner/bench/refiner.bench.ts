import { compare, python } from "@offprint/bench";
import { adam, trainingStep } from "@offprint/optim";
import { flowOperator, forcedFlows, persistence, refine, relativeError } from "@offprint/spectral-refiner";
import { jitSync, random, type Tensor } from "@offprint/tensor-core";

/* How long do a refinement and a training step of the network take, against PyTorch? */

const torch = python(new URL("torch_peers.py", import.meta.url));

/** A whole refinement, compiling with it. */
async function refinement(n: number, iterations: number): Promise<void> {
  const family = forcedFlows({ points: n });
  const start = persistence(family.draw(random.rng("bench"), 1).slice([0]), 10);
  await compare({
    name: `refinement of ${iterations} iterations, ${n} x ${n}, 10 frames`,
    ours: () => refine(family.system, start, { spacing: 0.2, modes: [n / 2, n / 2, 8], maxIterations: iterations }),
    peers: { torch: torch.peer("refinement", n, 10, 8, iterations) },
    repetitions: 5,
    maxRatio: 1,
  });
}

async function step(n: number): Promise<void> {
  const operator = flowOperator({ modes: [6, 6, 5], width: 6, layers: 3 });
  const params = operator.init(random.rng("net"));
  const [x, y] = [1, 2].map((seed) => random.rng(seed).normal([4, 10, n, n]));
  const optimizer = adam({ learningRate: 1e-3 });
  const loss = (p: typeof params, input: Tensor, output: Tensor) => relativeError(operator.apply(p, input, 10), output);
  const train = jitSync(trainingStep(loss, optimizer));
  const state = optimizer.init(params);
  await compare({
    name: `training step of the network, 4 windows of ${n} x ${n}`,
    ours: () => train(params, state, x, y),
    peers: { torch: torch.peer("step", n, 4, 10, 6, 6, 5, 3) },
    repetitions: 7,
    maxRatio: 0.7,
  });
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  await refinement(16, 50);
  await refinement(32, 50);
  await step(16);
  await step(32);
}
