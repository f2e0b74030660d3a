/**
 * How a run ended: the goal was reached, the limit of iterations, steps or epochs was, `onProgress` answered `"stop"`,
 * or the signal fired.
 */
export type Status = "converged" | "limit" | "stopped" | "aborted";

/** How solving a mathematical programme ended. */
export type ProgrammeStatus = Status | "infeasible" | "unbounded" | "inaccurate";
