import type { ScaledProblem } from "../equilibration.js";
import type { MethodRun } from "../method-run.js";
import type { CheckResult, HomogeneousPoint, Termination } from "../termination.js";
import { InteriorPoint } from "./interior-point.js";
import type { Parts } from "./parts.js";
import type { EmbeddedPoint } from "./starting-point.js";

/** So many iterations may pass without a better point. */
const PATIENCE = 15;

/** @internal */
export interface InteriorState {
  readonly point: EmbeddedPoint;
  readonly best: BestPoint;
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
  best: BestPoint;
  private checked: CheckResult | undefined;
  private lastStep: number;

  constructor(
    problem: ScaledProblem,
    private readonly termination: Termination,
    tolerance: number,
    saved?: InteriorState,
  ) {
    this.interior = new InteriorPoint(problem, tolerance, saved?.point);
    this.best = saved?.best ?? { ...copied(this.interior.point), excess: Infinity, age: 0 };
    this.lastStep = saved?.stepSize ?? 0;
  }

  get stepSize(): number {
    return this.lastStep;
  }

  *step(): Parts<boolean> {
    const moved = yield* this.interior.step();
    this.lastStep = moved ? this.interior.stepSize : 0;
    this.checked = this.termination.check(this.interior.point);
    const { status, excess } = this.checked;
    if (excess < this.best.excess) this.best = { ...copied(this.interior.point), excess, age: 0 };
    else this.best = { ...this.best, age: this.best.age + 1 };
    this.outcome = status;
    if (status === undefined && (!moved || this.best.age > PATIENCE)) this.outcome = "stuck";
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
    return best.tau > 1e-6 && best.excess < 1e6 ? best : undefined;
  }

  save(): InteriorState {
    const { best, lastStep } = this;
    const { excess, age } = best;
    return { point: copied(this.interior.point), best: { ...copied(best), excess, age }, stepSize: lastStep };
  }
}

function copied<P extends HomogeneousPoint>({ x, y, s, ...rest }: P): P {
  return { ...rest, x: x.slice(), y: y.slice(), s: s.slice() } as P;
}
