import { compare } from "@offprint/bench";
import { bcd, labelPropagation, leastSquares } from "@offprint/faster-bcd";
import { grid } from "@offprint/graph";
import { sparse } from "@offprint/tensor-core";
import { noise } from "./problems.js";

/* How does the cost of an iteration grow with the number of variables: on a sparse matrix with ten entries in a column, and on forests of a lattice? */

const PER_COLUMN = 10;

function sparseDesign(n: number): sparse.CsrMatrix {
  const [rows, columns, values]: number[][] = [[], [], []];
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < PER_COLUMN; k++) {
      rows.push(Math.floor(((noise(j, k) + 1) / 2) * n));
      columns.push(j);
      values.push(noise(k, j));
    }
  }
  return sparse.fromTriplets(n, n, rows, columns, values);
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const n of [4000, 16_000, 64_000]) {
    const smooth = leastSquares(
      sparseDesign(n),
      Float64Array.from({ length: n }, (_, i) => noise(i, 3)),
    );
    for (const rule of ["random", "gsd"] as const) {
      const run = (maxIterations: number) =>
        bcd({ smooth }, { rule, update: "matrix", blockSize: 10, maxIterations, tolerance: 0 });
      // What begins a run (the first gradient, checks) is timed by itself.
      await compare({
        name: `sparse least squares, ${n} variables, ${rule}: start`,
        ours: () => run(0),
        peers: {},
        repetitions: 5,
      });
      await compare({
        name: `sparse least squares, ${n} variables, ${rule}: 200 iterations`,
        ours: () => run(200),
        peers: {},
        repetitions: 5,
      });
    }
  }
  for (const side of [50, 100, 200, 400]) {
    const { nodes, sources, targets } = grid(side, side);
    const W = sparse.fromTriplets(nodes, nodes, sources, targets, new Float64Array(sources.length).fill(1));
    const smooth = labelPropagation(
      W,
      new Map(Array.from({ length: Math.ceil(nodes / 25) }, (_, k) => [25 * k, noise(k, 1)])),
    );
    await compare({
      name: `greedy trees, lattice of ${nodes} nodes: 10 iterations`,
      ours: () => bcd({ smooth }, { blocks: "greedy-tree", maxIterations: 10, tolerance: 0 }),
      peers: {},
      repetitions: 5,
    });
  }
}
