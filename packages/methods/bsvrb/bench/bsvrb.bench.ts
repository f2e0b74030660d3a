import { compare, python } from "@offprint/bench";
import { random, tensor } from "@offprint/tensor-core";
import { bsvrb, multiScaleLogistic } from "../src/index.js";

/* How long does an iteration take at the paper's size, against the authors' way (NumPy, sample by sample) and against PyTorch, all blocks at once? */

const peers = python(new URL("peers.py", import.meta.url));
const size = { blocks: 100, sampled: 10, batch: 32, width: 123, rows: 1000, iterations: 20 };

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const rng = random.rng(0);
  const part = () => ({
    inputs: rng.normal([size.rows, size.width], { dtype: "float64" }),
    labels: tensor(Float64Array.from({ length: size.rows }, () => (rng.uniform([]).item() < 0.5 ? -1 : 1))),
  });
  const problem = multiScaleLogistic({ train: part(), validation: part() }, { batchSize: size.batch });
  const options = {
    sampledBlocks: size.sampled,
    stepSize: 1e-3,
    lowerStepSize: 1e-2,
    alpha: 0.1,
    init: "lazy",
  } as const;
  for (const version of ["v2", "v1"] as const) {
    await compare({
      name: `${size.iterations} iterations of ${version}, ${size.sampled} of ${size.blocks} blocks, batches of ${size.batch}, ${size.width + 1} numbers in a row`,
      ours: () => bsvrb(problem, { ...options, version, maxIterations: size.iterations }),
      peers: {
        numpy: peers.peer(`numpy ${version}`, size),
        torch: peers.peer(`torch ${version}`, size),
        // With our test before the eigenvalues, which the paper does not have.
        ...(version === "v1" && { "torch with Cholesky's test": peers.peer("torch v1, tested", size) }),
      },
      maxRatio: 2,
      repetitions: 5,
    });
  }
}
