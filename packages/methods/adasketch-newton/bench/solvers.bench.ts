import { adaSketchNewton } from "@offprint/adasketch-newton";
import { compare, python } from "@offprint/bench";
import { random } from "@offprint/tensor-core";
import { constrainedLogistic } from "../claims/constrained-logistic.js";

/* How long does constrained logistic regression (30 variables, 11 constraints, to 1e-4) take beside SciPy? */

const scipy = python(new URL("peers.py", import.meta.url));

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const { problem, start, multipliers, data } = constrainedLogistic(random.rng(1));
  const handed = Object.fromEntries(Object.entries(data).map(([name, values]) => [name, values.toArray()]));
  const common = { multipliers, reducedHessianTolerance: 1e-2 };
  const peers = { SLSQP: scipy.peer("slsqp", handed), "trust-constr": scipy.peer("trust-constr", handed) };
  await compare({
    name: "constrained logistic regression, exact directions",
    ours: () => adaSketchNewton(problem, start, { ...common, sketch: { kind: "exact" } }),
    peers,
    repetitions: 5,
  });
  await compare({
    name: "constrained logistic regression, Kaczmarz steps (3e5 for a direction)",
    ours: () => adaSketchNewton(problem, start, { ...common, maxInnerSteps: 3e5 }),
    peers,
    repetitions: 3,
  });
}
