import { makeBreather, type Parts } from "@offprint/solvers";
import { ValueError } from "@offprint/tensor-core";
import type { ConicMethod, ConicProgress, ConicSettings } from "./conic-options.js";
import type { DataUnits } from "./data-units.js";
import type { ScaledProblem } from "./equilibration.js";
import { InteriorRun, type InteriorState } from "./interior-point/interior-run.js";
import type { MethodRun } from "./method-run.js";
import { SplittingRun, type SplittingState } from "./splitting/splitting-run.js";
import type { CheckResult, HomogeneousPoint, Termination } from "./termination.js";

/** @internal Words for being done. */
export type ConicDone = "converged" | "infeasible" | "unbounded" | "inaccurate";

/** @internal What does not change during a run. */
export interface ConicContext {
  readonly scaled: ScaledProblem;
  /** What 1 stands for in it. */
  readonly units: DataUnits;
  readonly settings: ConicSettings;
  /** The method that begins. */
  readonly method: ConicMethod;
  readonly termination: Termination;
  /** Looked at inside long iterations. */
  readonly signal: AbortSignal | undefined;
}

/** A point and how far it is from the tolerance. */
interface RatedPoint extends HomogeneousPoint {
  readonly excess: number;
}

/** @internal A run as a tree. */
export interface SavedRun {
  readonly method: ConicMethod;
  readonly status: ConicDone | null;
  readonly active: unknown;
  /** The best point of the interior-point method, where it was stuck. */
  readonly fallback: RatedPoint | null;
}

/** @internal A programme being solved; where the interior-point method is stuck, `auto` goes on with the splitting. */
export class ConicRun {
  /** What the last iteration has to report. */
  record: ConicProgress | undefined;
  status: ConicDone | undefined;
  private active: MethodRun;
  private fallback: RatedPoint | null;
  private readonly breather = makeBreather(true);

  /** @param iterations those behind the saved run */
  constructor(
    private readonly context: ConicContext,
    saved?: SavedRun,
    public iterations = 0,
  ) {
    const { scaled, termination, method, settings } = context;
    this.status = saved?.status ?? undefined;
    this.fallback = saved?.fallback ?? null;
    this.active =
      (saved?.method ?? method) === "interior-point"
        ? new InteriorRun(scaled, termination, settings.tolerance, saved?.active as InteriorState | undefined)
        : new SplittingRun(scaled, termination, settings, (saved?.active as SplittingState) ?? initialPoint(context));
  }

  /**
   * The next iteration. A long one lets others have their turn between its parts, and is given up where the signal fires:
   * the run is then where it was before.
   */
  step(iteration: number, last: boolean): this | Promise<this> {
    const made = this.active.step(iteration, last);
    if (typeof made === "boolean") return this.after(iteration, made);
    const checked = this.untilDue(made);
    return checked === undefined ? this.goOn(iteration, made) : this.after(iteration, checked);
  }

  /** Works until it is done, or others should have their turn. */
  private untilDue(parts: Parts<boolean>): boolean | undefined {
    for (;;) {
      const { done, value } = parts.next();
      if (done) return value;
      if (this.breather.due()) return undefined;
    }
  }

  private async goOn(iteration: number, parts: Parts<boolean>): Promise<this> {
    for (;;) {
      await this.breather.pause();
      if (this.context.signal?.aborted) {
        this.record = undefined;
        return this;
      }
      const checked = this.untilDue(parts);
      if (checked !== undefined) return this.after(iteration, checked);
    }
  }

  private after(iteration: number, checked: boolean): this {
    const { settings, scaled, termination } = this.context;
    const { active } = this;
    this.iterations = iteration;
    this.record = checked ? this.progress(iteration, active.present()) : undefined;
    if (active.outcome !== "stuck") this.status = active.outcome;
    else if (settings.method === "interior-point") this.status = "inaccurate";
    else {
      this.fallback = (active as InteriorRun).best;
      this.active = new SplittingRun(scaled, termination, settings, (active as InteriorRun).promising());
    }
    return this;
  }

  private progress(iteration: number, { residuals, objective }: CheckResult): ConicProgress {
    const { method, stepSize } = this.active;
    return { iteration, method, residuals, objective, stepSize };
  }

  /** The result: the present point, or a better one that was met before. */
  result() {
    const { active, fallback, context } = this;
    const best = active instanceof InteriorRun ? active.best : fallback;
    const present = active.present();
    const better = present.status === undefined && best !== null && best.excess < present.excess;
    const point = better ? best : active.point;
    const { x, y, s, objective, dualObjective, residuals } = context.termination.check(point);
    const copies = { x: x.slice(), y: y.slice(), s: s.slice() };
    return { method: active.method, ...copies, objective, dualObjective, residuals };
  }

  save(): SavedRun {
    const { active, fallback, status = null } = this;
    return { method: active.method, status, active: active.save(), fallback };
  }
}

/** The caller's point on the scaled problem. */
function initialPoint({ scaled, settings, units }: ConicContext): HomogeneousPoint | undefined {
  const { initial } = settings;
  if (initial === undefined) return undefined;
  const { D, E, sigma } = scaled;
  const { matrix, primal, dual } = units;
  return {
    x: E.map((e, j) => (sigma * ((initial.x[j] / primal) * matrix)) / e),
    y: D.map((d, i) => (sigma * ((initial.y[i] / dual) * matrix)) / d),
    s: D.map((d, i) => sigma * d * (initial.s[i] / primal)),
    tau: 1,
  };
}

/** @internal @throws ValueError where a state belongs to another problem or method */
export function checkSaved(saved: SavedRun, { scaled: { n, m }, settings }: ConicContext): void {
  const wrong = (what: string): ValueError =>
    new ValueError(`solveConic: resume ${what}; give the state of a run on the same problem with the same options`);
  const { method, active } = saved;
  if (method !== "interior-point" && method !== "splitting") throw wrong("is not the state of a programme");
  if (settings.method !== "auto" && settings.method !== method) throw wrong(`is the state of the ${method} method`);
  // A run that was left before its first iteration begins again.
  if (method === "interior-point" && (active as InteriorState | null)?.point === null) return;
  const arrays =
    method === "splitting"
      ? [[(active as SplittingState | null)?.w, n + m + 1] as const]
      : (["x", "y", "s"] as const).map((name) => {
          return [(active as InteriorState | null)?.point?.[name], name === "x" ? n : m] as const;
        });
  for (const [values, size] of arrays) {
    if (!(values instanceof Float64Array) || values.length !== size) throw wrong("has other sizes than the problem");
  }
}
