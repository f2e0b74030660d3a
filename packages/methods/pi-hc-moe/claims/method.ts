import { evaluateSolver, fitSolver, hardConstraint, solveConstraint, solveOnCluster } from "../src/index.js";

/** The functions that claims are about; tests put baselines and broken variants in their place. */
export const published = { hardConstraint, solveConstraint, solveOnCluster, fitSolver, evaluateSolver };

/** The same, whatever stands in their place. */
export type Method = typeof published;
