import { denseNewton, descend, quarticLagrangian, SparseFourier } from "@offprint/barron-pde";
import { compare, python } from "@offprint/bench";

/* How long does a nonlinear equation take, against NumPy's FFTs on a grid that resolves it? */

const numpy = python(new URL("numpy_peers.py", import.meta.url));
const cubic = quarticLagrangian({ beta: 1 });

/** Four cosines in up to eight coordinates. */
function rightSide(dimension: number): { terms: { k: number[]; a: number }[]; f: SparseFourier } {
  const terms = [6, 5, 4, 3].map((a, j) => {
    const k = new Array<number>(dimension).fill(0);
    k[j % dimension] += dimension < 4 ? 1 + Math.floor(j / dimension) : 1;
    if (dimension > 1) k[(2 * j + 1) % dimension] += 1;
    return { k, a: 8 * a };
  });
  return { terms, f: SparseFourier.cosines(terms) };
}

/** Runs the comparison. */
export async function run(): Promise<void> {
  for (const [dimension, points] of [
    [2, 48],
    [3, 48],
  ]) {
    const { terms, f } = rightSide(dimension);
    const options = { stepSize: 0.5, maxIterations: 14, tolerance: 0, pruneTolerance: 1e-7 } as const;
    await compare({
      name: `14 iterations in ${dimension} dimensions`,
      ours: () => descend(cubic, f, options),
      peers: {
        [`NumPy, ${points}^${dimension} points`]: numpy.peer("descend", { terms, points, dimension, iterations: 14 }),
      },
      maxRatio: 1,
      repetitions: 5,
    });
  }
  const { f } = rightSide(8);
  await compare({
    name: "14 iterations in 8 dimensions",
    ours: () => descend(cubic, f, { stepSize: 0.8, maxIterations: 14, tolerance: 0, pruneTolerance: 1e-7 }),
    peers: {},
    maxSeconds: 2,
    repetitions: 5,
  });
  const { f: one } = rightSide(1);
  await compare({
    name: "to 1e-6 in one dimension",
    ours: () => descend(cubic, one, { tolerance: 1e-6 }),
    peers: { "ours, dense Newton, 129 points": () => denseNewton(one, { beta: 1, points: 129 }) },
    repetitions: 5,
  });
}
