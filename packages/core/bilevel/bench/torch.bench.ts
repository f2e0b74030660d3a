import { compare, python } from "@offprint/bench";
import { dataCleaning, maSoba, oracles } from "@offprint/bilevel";
import { random } from "@offprint/tensor-core";

/* How long do an iteration of MA-SOBA and a product with the Hessian take, against PyTorch's autograd? */

const torch = python(new URL("torch_peers.py", import.meta.url));

const sizes = [
  { n: 500, d: 64, classes: 10, batch: 64 },
  { n: 200, d: 30, classes: 2, batch: 32 },
];

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const size of sizes) {
    const { n, d, classes, batch } = size;
    const rng = random.rng(0);
    const examples = () => ({
      inputs: rng.normal([n, d], { dtype: "float64" }),
      targets: rng.randint([n], { high: classes }),
    });
    const problem = dataCleaning(
      { train: examples(), validation: examples() },
      { batchSize: batch, classes, weightDecay: 0.01 },
    );
    const name = `data cleaning, ${n} x ${d}, ${classes} classes, batch ${batch}`;
    await compare({
      name: `MA-SOBA, 100 iterations: ${name}`,
      ours: () => maSoba(problem, { stepSize: 10, lowerStepSize: 0.5, maxIterations: 100 }),
      peers: { torch: torch.peer("maSoba", { ...size, iterations: 100 }) },
      maxRatio: 0.3,
      repetitions: 7,
    });
    const { hvpYY } = oracles(problem);
    const { x, y } = problem.initial;
    const numbers = rng.randint([batch], { high: n });
    await compare({
      name: `Hessian product: ${name}`,
      ours: () => hvpYY(x, y, y, numbers),
      peers: { torch: torch.peer("hessianProduct", size) },
      maxRatio: 0.5,
      repetitions: 9,
    });
  }
}
