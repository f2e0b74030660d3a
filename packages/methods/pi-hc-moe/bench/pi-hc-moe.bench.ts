import { compare, python } from "@offprint/bench";
import { adam, chain, clipByGlobalNorm, trainingStep } from "@offprint/optim";
import { jitSync, random, sqrt, square, sum, type Tensor } from "@offprint/tensor-core";
import { waves } from "../claims/waves.js";
import { burgers, fourierBasis, hardConstraint } from "../src/index.js";

/* How long do the experts' least squares take, beside SciPy's one by one, and a step of training, beside PyTorch? */

const peers = python(new URL("peers.py", import.meta.url));

const batch = 4;
const basis = 8;

async function solves(experts: number): Promise<void> {
  const rng = random.rng(1);
  const initial = waves(rng, batch, 64);
  const functions = rng.normal([batch, 16, 64, basis], { dtype: "float64" });
  const options = { experts: [1, experts], ridge: 0.1, tolerance: 1e-6 };
  const solve = jitSync((b: Tensor) => hardConstraint(b, burgers(), { initial }, options).weights);
  await compare({
    name: `four problems on 16 x 64 points, 8 functions, ${experts} experts: weights to 1e-6`,
    ours: () => solve(functions),
    peers: { scipy: peers.peer("solve", { initial: initial.toArray(), basis: functions.toArray(), experts }) },
    maxRatio: 1,
    repetitions: 5,
  });
}

async function training(points: number, experts: number): Promise<void> {
  const pde = burgers({ points });
  const iterations = 12;
  const solving = { experts: [1, experts], ridge: 0.1, maxIterations: iterations };
  const network = fourierBasis({ inputs: 4, basis, width: 16, layers: 3, modes: [6, 6], hidden: 32 });
  const params = network.init(random.rng("network"), "float64");
  const initial = waves(random.rng(2), batch, points);
  const optimizer = chain(clipByGlobalNorm(1), adam({ learningRate: 2e-3 }));
  const loss = (p: typeof params, u0: Tensor): Tensor => {
    const { fields } = hardConstraint(network.apply(p, pde.input({ initial: u0 })), pde, { initial: u0 }, solving);
    return sqrt(sum(square(pde.residual(fields)), [1, 2])).mean();
  };
  const step = jitSync(trainingStep(loss, optimizer));
  const state = optimizer.init(params);
  await compare({
    name: `a step of training, 16 x ${points} points, batches of four, ${experts} experts`,
    ours: () => step(params, state, initial),
    peers: { torch: peers.peer("step", { initial: initial.toArray(), experts, iterations }) },
    maxRatio: 0.7,
    repetitions: 7,
  });
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const experts of [1, 4]) await solves(experts);
  for (const points of [32, 64]) for (const experts of [1, 4]) await training(points, experts);
}
