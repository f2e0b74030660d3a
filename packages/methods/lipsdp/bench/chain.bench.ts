import { compare, python } from "@offprint/bench";
import { lipschitzBound } from "@offprint/lipsdp";
import { activation, perceptron } from "@offprint/networks";
import { random } from "@offprint/tensor-core";

/* How long does the certified bound of a MaxMin network take, against CVXOPT on the same programme, and how does it grow with depth? */

const cvxopt = python(new URL("cvxopt_peers.py", import.meta.url));
const maxmin = activation("maxmin");

function weights(dims: readonly number[]): number[][][] {
  const rng = random.rng(1);
  return dims
    .slice(1)
    .map(
      (rows, k) =>
        rng.normal([rows, dims[k]], { std: 1 / Math.sqrt(dims[k]), dtype: "float64" }).toArray() as number[][],
    );
}

const layersOf = (list: number[][][]) => list.map((weight) => ({ weight }));
const deep = (depth: number, width: number): number[] => [width, ...new Array<number>(depth - 1).fill(width), 10];

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const [depth, width] of [
    [3, 16],
    [5, 16],
    [5, 32],
  ]) {
    const list = weights(deep(depth, width));
    const network = perceptron(layersOf(list), maxmin);
    await compare({
      name: `certified l2 bound, ${depth} layers of ${width}`,
      ours: () => lipschitzBound(network, { multipliers: "diag" }),
      peers: { cvxopt: cvxopt.peer("chain", list) },
      repetitions: 3,
    });
  }
  const image = perceptron(layersOf(weights([784, ...new Array<number>(7).fill(32), 10])), maxmin);
  await compare({
    name: "certified l2 bound, 784 inputs, 8 layers of 32",
    ours: () => lipschitzBound(image, { multipliers: "diag" }),
    peers: {},
    maxSeconds: 10,
    repetitions: 1,
  });
  for (const [width, seconds] of [
    [32, 22],
    [128, 600],
  ]) {
    const network = perceptron(layersOf(weights(deep(18, width))), maxmin);
    await compare({
      name: `certified l2 bound, 18 layers of ${width}`,
      ours: () => lipschitzBound(network, { multipliers: "diag" }),
      peers: {},
      maxSeconds: seconds,
      repetitions: 1,
    });
  }
  // One hundred iterations, so that the growth is that of the cost per iteration.
  for (const depth of [4, 8, 16, 32]) {
    const network = perceptron(layersOf(weights(deep(depth, 32))), maxmin);
    await compare({
      name: `100 iterations, ${depth} layers of 32`,
      ours: () =>
        lipschitzBound(network, {
          multipliers: "diag",
          certify: false,
          solver: { method: "splitting" },
          maxIterations: 100,
          tolerance: 1e-12,
        }),
      peers: {},
      repetitions: 3,
    });
  }
}
