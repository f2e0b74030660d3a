import { compare, python } from "@offprint/bench";
import { type ConicProblem, solveConic, svec, svecLength } from "@offprint/conic";
import { random, sparse } from "@offprint/tensor-core";

/* How long does a programme take to 1e-6, against CVXOPT's interior-point method on the same data? */

const cvxopt = python(new URL("cvxopt_peers.py", import.meta.url));

type Plain = ConicProblem & { A: number[][]; b: number[]; c: number[]; P?: number[][] };

const normal = (seed: number, shape: number[]): number[][] =>
  random.rng(seed).normal(shape, { dtype: "float64" }).toArray() as number[][];

const diagonal = (n: number, value: number): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? value : 0)));

const times = (A: number[][], x: number[]): number[] => A.map((row) => row.reduce((sum, v, j) => sum + v * x[j], 0));

/** A linear programme with a known interior point on both sides, so that it has an optimum. */
function linear(n: number, m: number): Plain {
  const A = normal(1, [m, n]);
  const b = times(A, normal(2, [1, n])[0]).map((v) => v + 1);
  const c = A.reduce((sum, row) => sum.map((v, j) => v - row[j] / m), new Array<number>(n).fill(0));
  return { A, b, c, cones: { l: m } };
}

/** A portfolio: weights on the simplex, a factor model of the risk. */
function portfolio(n: number): Plain {
  const F = normal(3, [n, 8]);
  const P = F.map((f, i) => F.map((g, j) => f.reduce((sum, v, k) => sum + v * g[k], 0) + (i === j ? 0.1 : 0)));
  return {
    P,
    A: [new Array<number>(n).fill(1), ...diagonal(n, -1)],
    b: [1, ...new Array<number>(n).fill(0)],
    c: normal(4, [1, n])[0],
    cones: { z: 1, l: n },
  };
}

/** The semidefinite relaxation of the maximal cut in its dual form: min sum x, diag(x) >= L / 4. */
function maximalCut(n: number): Plain {
  const weights = normal(5, [n, n]);
  const L = new Array<number>(n * n).fill(0);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      if (weights[i][j] < 0.5) continue;
      L[i * n + j] = L[j * n + i] = -0.25;
      L[i * n + i] += 0.25;
      L[j * n + j] += 0.25;
    }
  }
  const A = Array.from({ length: svecLength(n) }, () => new Array<number>(n).fill(0));
  for (let j = 0, k = 0; j < n; k += n - j, j++) A[k][j] = -1;
  return { A, b: Array.from(svec(L, n), (v) => -v), c: new Array<number>(n).fill(1), cones: { s: [n] } };
}

/** min t with t I - (A_0 + sum x_k A_k) >= 0: the smallest largest eigenvalue of a family. */
function eigenvalue(n: number, variables: number): Plain {
  const columns = Array.from({ length: variables + 1 }, (_, k) => {
    const a = normal(10 + k, [n, n]);
    return svec(
      a.flatMap((row, i) => row.map((v, j) => (v + a[j][i]) / Math.sqrt(8 * n))),
      n,
    );
  });
  const identity = svec(diagonal(n, 1).flat(), n);
  return {
    A: Array.from(identity, (v, i) => [-v, ...columns.slice(1).map((column) => column[i])]),
    b: Array.from(columns[0], (v) => -v),
    c: [1, ...new Array<number>(variables).fill(0)],
    cones: { s: [n] },
  };
}

/** The matrices as the solver takes them, as CVXOPT is given its own. */
const prepared = ({ A, P, ...rest }: Plain): ConicProblem => ({
  ...rest,
  A: sparse.toCsc(sparse.fromDense(A)),
  P: P === undefined ? undefined : sparse.toCsc(sparse.fromDense(P)),
});

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const cases: [string, Plain][] = [
    ["linear programme, 40 variables, 120 rows", linear(40, 120)],
    ["quadratic programme, portfolio of 100", portfolio(100)],
    ["semidefinite, maximal cut of 20 nodes", maximalCut(20)],
    ["semidefinite, maximal cut of 60 nodes", maximalCut(60)],
    ["semidefinite, eigenvalue of order 16, 20 variables", eigenvalue(16, 20)],
    ["semidefinite, eigenvalue of order 48, 60 variables", eigenvalue(48, 60)],
  ];
  for (const [name, problem] of cases) {
    const ours = prepared(problem);
    const { status, iterations, method } = await solveConic(ours);
    await compare({
      name: `${name} (${method}: ${status}, ${iterations} iterations)`,
      ours: () => solveConic(ours),
      peers: { cvxopt: cvxopt.peer("conic", problem) },
      repetitions: 7,
    });
  }
}
