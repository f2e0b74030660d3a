import { compare, python } from "@offprint/bench";
import {
  type BcdOptions,
  type BcdProblem,
  bcd,
  combs,
  labelPropagation,
  leastSquares,
  logistic,
} from "@offprint/faster-bcd";
import { grid } from "@offprint/graph";
import { sparse, tensor, transpose } from "@offprint/tensor-core";
import { design, noise } from "./problems.js";

/* How long do a lasso, non-negative least squares, sparse logistic regression and label propagation take to a relative gap of 1e-8, against the tools people use? */

const peers = python(new URL("peers.py", import.meta.url));

/** The least value, from a long run. */
async function best(problem: BcdProblem): Promise<number> {
  const options = { blockSize: Math.min(problem.smooth.n, 300), maxIterations: 2000, tolerance: 1e-11 };
  return (await bcd(problem, options)).objective;
}

/** Makes the problem anew each time, so that nothing is left over from the run before. */
async function to(make: () => BcdProblem, options: BcdOptions): Promise<() => Promise<void>> {
  return towards(await best(make()), make, options);
}

function towards(fStar: number, make: () => BcdProblem, options: BcdOptions): () => Promise<void> {
  return async () => {
    const { status, objective } = await bcd(make(), {
      ...options,
      fStar,
      tolerance: 1e-8 * Math.abs(fStar),
      maxIterations: 100_000,
    });
    if (status !== "converged") throw new Error(`not converged: ${objective} against ${fStar}`);
  };
}

/** A lattice with every 25th node labelled, as two combs, and the least value, from a factorisation. */
function lattice(side: number) {
  const { nodes, sources, targets } = grid(side, side);
  const W = sparse.fromTriplets(nodes, nodes, sources, targets, new Float64Array(sources.length).fill(1));
  const labels = new Map(Array.from({ length: Math.ceil(nodes / 25) }, (_, k) => [25 * k, 10 * noise(25 * k, 1)]));
  const make = () => labelPropagation(W, labels);
  const smooth = make();
  const A = smooth.sparseBound?.() as sparse.CsrMatrix;
  const c = Float64Array.from(smooth.gradient(new Float64Array(smooth.n)), (v) => -v);
  const x = sparse.cholesky(A).solve(c);
  return { make: () => ({ smooth: make() }), fStar: smooth.value(x), blocks: smooth.blocksOf(combs(side, side)) };
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const [m, n] of [
    [200, 1000],
    [400, 2000],
  ]) {
    const { A, y } = design(m, n);
    // By columns, as scikit-learn gets it: neither has to copy it.
    const byColumns = transpose(tensor(A, { shape: [m, n] }));
    const columns = tensor(byColumns.data(), { shape: [n, m] });
    const make = () => leastSquares(columns.transpose(), y);
    const share = 0.1;
    const lambda = share * Math.max(...Array.from(make().gradient(new Float64Array(n)), Math.abs));
    await compare({
      name: `lasso, ${m} x ${n}`,
      ours: await to(() => ({ smooth: make(), composite: { kind: "l1", lambda } }), {}),
      peers: { "scikit-learn": peers.peer("lasso", m, n, share) },
      repetitions: 5,
    });
  }
  for (const [m, n] of [
    [400, 200],
    [800, 400],
  ]) {
    const { A, y } = design(m, n);
    const make = () => leastSquares(tensor(A, { shape: [m, n] }), y);
    await compare({
      name: `non-negative least squares, ${m} x ${n}`,
      ours: await to(() => ({ smooth: make(), composite: { kind: "nonneg" } }), { blockSize: n / 2, update: "pn" }),
      peers: { scipy: peers.peer("nnls", m, n) },
      repetitions: 5,
    });
  }
  {
    const [m, n, weight] = [300, 600, 3];
    const { A, y } = design(m, n);
    const median = (y.toSorted()[m / 2 - 1] + y.toSorted()[m / 2]) / 2;
    const labels = y.map((v) => (v > median ? 1 : -1));
    const make = () => logistic(tensor(A, { shape: [m, n] }), labels);
    await compare({
      name: `l1 logistic regression, ${m} x ${n}`,
      ours: await to(() => ({ smooth: make(), composite: { kind: "l1", lambda: weight } }), {}),
      peers: { liblinear: peers.peer("logistic", m, n, weight) },
      repetitions: 5,
    });
  }
  for (const side of [50, 150]) {
    const { make, fStar, blocks } = lattice(side);
    await compare({
      name: `label propagation, lattice ${side} x ${side}`,
      ours: towards(fStar, make, { blocks, rule: "cyclic", update: "message-passing" }),
      peers: { "scipy cg": peers.peer("cg", side), "scipy spsolve": peers.peer("direct", side) },
      repetitions: 3,
    });
  }
}
