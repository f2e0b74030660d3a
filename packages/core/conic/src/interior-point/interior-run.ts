import type { Parts } from "@offprint/solvers";
import type { ScaledProblem } from "../equilibration.js";
import type { MethodRun } from "../method-run.js";
import type { CheckResult, HomogeneousPoint, Termination } from "../termination.js";
import { InteriorPoint } from "./interior-point.js";
import type { EmbeddedPoint } from "./starting-point.js";

/** So many iterations may pass without a better point. */
const PATIENCE = 15;

/** @internal */
export interface InteriorState {
  /** Nothing yet where the run was left before the first iteration was done. */
  readonly point: EmbeddedPoint | null;
  readonly best: BestPoint | null;
  readonly stepSize: number;
}

/** The best point so far, and how long ago it was found. */
interface BestPoint extends HomogeneousPoint {
  readonly excess: number;
  readonly age: number;
}

/** @internal The interior-point method, which keeps the best point that it meets. */
export class InteriorRun implements MethodRun {
  readonly method = "interior-point";
  outcome: CheckResult["status"] | "stuck";
  private readonly interior: InteriorPoint;
  best: BestPoint | null;
  private checked: CheckResult | undefined;
  private lastStep: number;

  constructor(
    problem: ScaledProblem,
    private readonly termination: Termination,
    tolerance: number,
    saved?: InteriorState,
  ) {
    this.interior = new InteriorPoint(problem, tolerance, saved?.point ?? undefined);
    this.best = saved?.best ?? null;
    this.lastStep = saved?.stepSize ?? 0;
  }

  get stepSize(): number {
    return this.lastStep;
  }

  *step(): Parts<boolean> {
    const { interior } = this;
    const next = yield* interior.step();
    const checked = yield* this.termination.checking(next ?? interior.point);
    // Nothing that is kept has changed so far: the iteration counts from here on.
    this.lastStep = next === undefined ? 0 : interior.stepSize;
    if (next !== undefined) interior.point = next;
    this.checked = checked;
    const { status, excess } = checked;
    const { best } = this;
    if (best === null || excess < best.excess) this.best = { ...copied(interior.point), excess, age: 0 };
    else this.best = { ...best, age: best.age + 1 };
    this.outcome = status;
    if (status === undefined && (next === undefined || this.best.age > PATIENCE)) this.outcome = "stuck";
    return true;
  }

  get point(): HomogeneousPoint {
    return this.interior.point;
  }

  present(): CheckResult {
    this.checked ??= this.termination.check(this.interior.point);
    return this.checked;
  }

  /** The best point, if it is worth going on from. */
  promising(): HomogeneousPoint | undefined {
    const { best } = this;
    return best !== null && best.tau > 1e-6 && best.excess < 1e6 ? best : undefined;
  }

  save(): InteriorState {
    const { best, interior, lastStep } = this;
    return {
      point: best === null ? null : copied(interior.point),
      best: best === null ? null : copied(best),
      stepSize: lastStep,
    };
  }
}

function copied<P extends HomogeneousPoint>({ x, y, s, ...rest }: P): P {
  return { ...rest, x: x.slice(), y: y.slice(), s: s.slice() } as P;
}
