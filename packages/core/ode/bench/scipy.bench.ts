import { compare, python } from "@offprint/bench";
import { type MethodName, makeSolver } from "@offprint/ode";
import { tensor } from "@offprint/tensor-core";
import { arenstorf, brusselator, lorenz, type Problem } from "../test/problems.js";

/* How long do solves take, against SciPy's solve_ivp, both at the loosest tolerance that reaches the same error? */

const scipy = python(new URL("scipy_peers.py", import.meta.url));

const cases: { name: string; problem: Problem; method: MethodName; peer: string; error: number }[] = [
  { name: "lorenz", problem: lorenz, method: "tsit5", peer: "RK45", error: 1e-3 },
  { name: "arenstorf", problem: arenstorf, method: "dop853", peer: "DOP853", error: 1e-3 },
  { name: "brusselator", problem: brusselator, method: "rodas4", peer: "Radau", error: 1e-5 },
];

function errorOf(y: ArrayLike<number>, end: readonly number[]): number {
  return Math.max(...end.map((v, i) => Math.abs(v - y[i])));
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const { name, problem, method, peer, error } of cases) {
    const { plain, traced, y0, t1, end } = problem;
    const [compiled, called] = [makeSolver(traced), makeSolver(plain)];
    const start = tensor(y0, { dtype: "float64" });
    const given = Float64Array.from(y0);
    const options = (tolerance: number) => ({
      method,
      dense: false,
      relativeTolerance: tolerance,
      absoluteTolerance: tolerance,
    });
    // Loosest first, in steps of the square root of ten.
    let tolerance = 1e-3;
    while (errorOf(compiled.solveSync(start, [0, t1], options(tolerance)).end.y.data(), end) > error)
      tolerance /= Math.sqrt(10);
    const peers = { scipy: scipy.peer(name, { y0, t1, end, error, method: peer }) };
    await compare({
      name: `${name}, ${method}, right-hand side of tensors`,
      ours: () => compiled.solveSync(start, [0, t1], options(tolerance)),
      peers,
      maxRatio: 0.05,
      repetitions: 7,
    });
    await compare({
      name: `${name}, ${method}, plain right-hand side`,
      ours: () => called.solveSync(given, [0, t1], options(tolerance)),
      peers,
      maxRatio: 0.3,
      repetitions: 7,
    });
  }
}
