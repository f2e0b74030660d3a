import type { ConicSettings } from "../conic-options.js";
import type { ScaledProblem } from "../equilibration.js";
import type { MethodRun } from "../method-run.js";
import type { CheckResult, HomogeneousPoint, Termination } from "../termination.js";
import { AndersonMemory, type AndersonState } from "./anderson.js";
import { Embedding, Evaluation } from "./embedding.js";
import { ScaleRule, type ScaleRuleState } from "./scale-rule.js";

/** Iterations between checks. */
const CHECK_EVERY = 25;
/** Iterations between accelerations. */
const ACCELERATE_EVERY = 10;
/** The norm of w may leave sqrt(size) by this factor before it is renormalised. */
const LARGEST_DRIFT = 16;

/** @internal A point from which the iteration goes on, evaluated but not yet left. */
export interface SplittingState {
  /** 0 before the first iteration. */
  readonly iteration: number;
  readonly w: Float64Array;
  readonly rule: ScaleRuleState;
  readonly memory: AndersonState;
}

/** @internal The operator splitting of the homogeneous embedding: evaluate, check, adapt the scale, accelerate. */
export class SplittingRun implements MethodRun {
  readonly method = "splitting";
  outcome: CheckResult["status"];
  private readonly embedding: Embedding;
  private readonly rule: ScaleRule;
  private readonly memory: AndersonMemory;
  private readonly w: Float64Array;
  private current: Evaluation;
  private trial: Evaluation;
  private readonly candidate: Float64Array;
  private readonly s: Float64Array;
  private checked: CheckResult | undefined;
  private iteration = 0;

  /** @param from a saved state, or a point of the scaled embedding; default x = y = s = 0, tau = 1 */
  constructor(
    problem: ScaledProblem,
    private readonly termination: Termination,
    private readonly settings: ConicSettings,
    from?: SplittingState | HomogeneousPoint,
  ) {
    const { n, m } = problem;
    const saved = from !== undefined && "w" in from ? from : undefined;
    this.rule = new ScaleRule(settings.scale, saved?.rule);
    this.embedding = new Embedding(problem, settings.relaxation, this.rule.scale);
    const { size } = this.embedding;
    this.memory = new AndersonMemory(size, saved?.memory);
    this.current = new Evaluation(size);
    this.trial = new Evaluation(size);
    this.candidate = new Float64Array(size);
    this.s = new Float64Array(m);
    this.iteration = saved?.iteration ?? 0;
    this.w = saved?.w.slice() ?? new Float64Array(size);
    if (saved === undefined) {
      this.w[n + m] = 1;
      if (from !== undefined && !("w" in from)) this.startAt(from);
    }
    this.embedding.evaluate(this.w, this.current);
  }

  get stepSize(): number {
    return this.rule.scale;
  }

  /** The fixed-point relation w = u + R^-1 (0, s, 0). */
  private startAt({ x, y, s, tau }: HomogeneousPoint): void {
    const { w, embedding } = this;
    const n = x.length;
    for (let j = 0; j < n; j++) w[j] = x[j] / tau;
    for (let i = 0; i < y.length; i++) w[n + i] = (y[i] + s[i] / embedding.Ry[i]) / tau;
  }

  step(iteration: number, last: boolean): boolean {
    if (this.iteration > 0) this.advance();
    this.iteration = iteration;
    this.checked = undefined;
    if (iteration % CHECK_EVERY !== 0 && !last) return false;
    this.outcome = this.present().status;
    return true;
  }

  get point(): HomogeneousPoint {
    return this.embedding.point(this.current, this.s);
  }

  present(): CheckResult {
    this.checked ??= this.termination.check(this.point);
    return this.checked;
  }

  save(): SplittingState {
    return { iteration: this.iteration, w: this.w.slice(), rule: this.rule.save(), memory: this.memory.save() };
  }

  /** From an evaluated point to the next one. */
  private advance(): void {
    const { embedding, rule, memory, settings, w, iteration } = this;
    if (settings.adaptScale && iteration % CHECK_EVERY === 0) {
      const { relativePrimal, relativeDual } = this.present();
      if (rule.update(iteration, relativePrimal, relativeDual)) {
        embedding.rescale(rule.scale, this.current, w);
        memory.clear();
        embedding.evaluate(w, this.current);
        return;
      }
    }
    if (settings.anderson) memory.record(w, this.current.f);
    if (settings.anderson && iteration % ACCELERATE_EVERY === 0 && this.accelerate()) return;
    w.set(this.current.next);
    this.renormalize();
    embedding.evaluate(w, this.current);
  }

  /** Goes to the extrapolated point, if that is better. */
  private accelerate(): boolean {
    const { embedding, memory, current, candidate } = this;
    if (!memory.extrapolate(current.next, current.f, candidate)) return false;
    embedding.evaluate(candidate, this.trial);
    // F is positively homogeneous: steps compare only beside the size of their points, or w -> 0 would always win.
    if (!(this.trial.relativeStep <= current.relativeStep)) return false;
    this.w.set(candidate);
    this.current = this.trial;
    this.trial = current;
    return true;
  }

  /** Brings ||w|| back to about sqrt(size) by a power of two, with what the memory holds; exact. */
  private renormalize(): void {
    const { w } = this;
    let squares = 0;
    for (let i = 0; i < w.length; i++) squares += w[i] * w[i];
    const size = Math.sqrt(squares / w.length);
    if (size === 0 || (size > 1 / LARGEST_DRIFT && size < LARGEST_DRIFT)) return;
    const factor = 2 ** -Math.round(Math.log2(size));
    for (let i = 0; i < w.length; i++) w[i] *= factor;
    this.memory.scale(factor);
  }
}
