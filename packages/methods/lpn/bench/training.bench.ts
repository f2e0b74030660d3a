import { compare, python } from "@offprint/bench";
import { lpn, matchingLoss } from "@offprint/lpn";
import { adam, chain, keepNonNegative, masked, trainingStep } from "@offprint/optim";
import { add, jitSync, mul, random, type Tensor } from "@offprint/tensor-core";

/* How long does a step of proximal matching take, with its second derivatives, against PyTorch? */

const torch = python(new URL("torch_peers.py", import.meta.url));

/** Runs the comparison. */
export async function run(): Promise<void> {
  const [n, hidden, batch] = [64, [128, 128], 128];
  const model = lpn({ kind: "dense", shape: [n], hidden, alpha: 0.01 });
  const rng = random.rng("bench");
  type Params = ReturnType<typeof model.init>;
  const optimizer = chain(
    adam({ learningRate: 1e-3 }),
    masked(keepNonNegative(), (path) => path.startsWith("convex.")),
  );
  const loss = (params: Params, x: Tensor, y: Tensor) => matchingLoss(model.prox(params, y), x, 1.6);
  const step = jitSync(trainingStep<unknown, Params, [Tensor, Tensor]>(loss, optimizer));
  let params = model.init(rng);
  let state: unknown = optimizer.init(params);
  const x = rng.uniform([batch, n]);
  await compare({
    name: `a step of proximal matching, dense ${n}-${hidden.join("-")}, batch ${batch}`,
    ours: () => {
      const done = step(params, state as never, x, add(x, mul(rng.normal([batch, n]), 0.1)));
      [params, state] = [done.params, done.optimizerState];
    },
    peers: { torch: torch.peer("step", { n, hidden, batch }) },
    maxRatio: 0.7,
  });
}
