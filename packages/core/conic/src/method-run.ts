import type { Parts } from "@offprint/solvers";
import type { ConicMethod } from "./conic-options.js";
import type { CheckResult, HomogeneousPoint } from "./termination.js";

/** @internal A method at work on one programme. */
export interface MethodRun {
  readonly method: ConicMethod;
  /** Set where it is done; `stuck` where rounding lets it get no further. */
  readonly outcome: CheckResult["status"] | "stuck";
  /** The number that is reported with the residuals. */
  readonly stepSize: number;
  /**
   * Makes iteration number `iteration`, in parts where it may be long; true if the new point was checked. The last
   * iteration always is. Where it is given up between parts the present point stays.
   */
  step(iteration: number, last: boolean): boolean | Parts<boolean>;
  /** The present point, scaled. */
  readonly point: HomogeneousPoint;
  /** What its check found; the arrays are only valid until another point is checked. */
  present(): CheckResult;
  /** Everything to go on from, as a tree that shares nothing with the run. */
  save(): unknown;
}
