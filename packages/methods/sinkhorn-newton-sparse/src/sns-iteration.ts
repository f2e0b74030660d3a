import { easierLevel, type Level, levelAfter } from "./annealing.js";
import type { GibbsKernel, PlanSums } from "./gibbs-kernel.js";
import { type NewtonMemory, type NewtonOptions, newtonIteration } from "./safeguards.js";
import { sinkhornIteration } from "./sinkhorn-iteration.js";
import type { SnsState } from "./solver-state.js";

/** `auto` ends stage 1 below this marginal error, ... */
const NEAR = 0.05;
/** ... when the error falls by less than this factor per iteration, ... */
const SLOW = 0.9;
/** ... or after so many iterations. */
const AUTO_LIMIT = 1000;
/** `auto` anneals when the marginal error after stage 1 exceeds this: Newton steps are of little use so far away. */
const FAR = 0.1;
/** A step this short is a sign that Newton steps lead nowhere yet. */
const SHORT = 1 / 8;
/** The marginal error that is enough before the next level, and the Sinkhorn iterations at the levels after the first. */
const ENOUGH = 1e-3;
const SINKHORN_BETWEEN = 3;
/** Where this many Newton steps have not come near, an easier level is worth more than further ones. */
const NEWTON_BETWEEN = 15;
/** Newton steps that end above this marginal error have failed; below, rounding may be all that is left. */
const FAILED = 1e-6;

/** Options of a run, with all defaults in place. */
export interface SnsSettings {
  readonly eta: number;
  readonly sinkhornIterations: number | "auto";
  readonly newtonIterations: number;
  readonly tolerance: number;
  readonly anneal: boolean | "auto";
  /** Greatest less least cost. */
  readonly spread: number;
  readonly newton: NewtonOptions;
  readonly memory: NewtonMemory;
}

/** Takes the iterations of a run: Sinkhorn, then Newton, at one level of the regularisation or at several. */
export class SnsIteration {
  /** The state at which the kernel stands, and the plan's sums there where they are known. */
  #at: SnsState | undefined;
  #sums: PlanSums | undefined;

  constructor(
    private readonly kernel: GibbsKernel,
    private readonly settings: SnsSettings,
  ) {}

  /** The state after one iteration. */
  step(state: SnsState): SnsState {
    this.moveTo(state);
    const after = state.stage === "sinkhorn" ? this.sinkhorn(state) : this.newton(state);
    const decided = this.decide(after, state.error);
    this.#at = decided;
    return decided;
  }

  /** Puts the kernel where a state stands. */
  moveTo(state: SnsState): void {
    if (this.#at === state) return;
    this.kernel.moveTo(state.place);
    this.#sums = undefined;
    this.#at = state;
  }

  private sinkhorn(state: SnsState): SnsState {
    const { error, f, next } = sinkhornIteration(this.kernel, state.next ?? undefined);
    this.#sums = undefined;
    const did = { stage: "sinkhorn" as const, alpha: 1, cgSteps: 0, kept: 0, shift: 0 };
    const last = { ...did, eta: this.kernel.eta, marginalError: error, f };
    return { ...state, place: this.kernel.place(), taken: state.taken + 1, error, next, last };
  }

  private newton(state: SnsState): SnsState {
    const sums = this.#sums ?? this.kernel.evaluate();
    const after = newtonIteration(this.kernel, sums, state.error, state.memory, this.settings.newton);
    this.#sums = after.sums;
    const { error, f, memory, did } = after;
    const last = { ...did, eta: this.kernel.eta, marginalError: error, f };
    return { ...state, place: this.kernel.place(), taken: state.taken + 1, error, memory, last };
  }

  /** What follows an iteration: the same stage, the next one, another level, or the end. */
  private decide(state: SnsState, before: number): SnsState {
    const { level, error, taken, last } = state;
    const { eta, tolerance, anneal } = this.settings;
    const between = !(level.eta === eta || level.phase === "direct");
    const newtonIterations = Math.min(this.settings.newtonIterations, between ? NEWTON_BETWEEN : Infinity);
    const direct = level.phase === "direct";
    if (error <= (level.eta === eta ? tolerance : Math.max(tolerance, ENOUGH))) return this.succeed(state);
    if (state.stage === "sinkhorn") {
      if (taken < this.sinkhornLimit(level) && !this.isSlow(error, before)) return state;
      // Far from the solution Newton steps are of no use: stage 1 must come near at an easier level first.
      const far = error > FAR && (direct ? anneal === "auto" : level.reached === 0);
      return far || newtonIterations === 0 ? this.fail(state) : this.toNewton(state);
    }
    const slow = taken >= NEWTON_BETWEEN && error > ENOUGH;
    const short = direct && anneal === "auto" && ((last?.alpha ?? 1) < SHORT || slow);
    return short || taken >= newtonIterations ? this.fail(state) : state;
  }

  private sinkhornLimit({ phase, reached }: Level): number {
    const { sinkhornIterations } = this.settings;
    if (sinkhornIterations === "auto") return AUTO_LIMIT;
    return phase === "annealing" && reached > 0 ? Math.min(sinkhornIterations, SINKHORN_BETWEEN) : sinkhornIterations;
  }

  private isSlow(error: number, before: number): boolean {
    return this.settings.sinkhornIterations === "auto" && (error < NEAR || error > SLOW * before);
  }

  private toNewton(state: SnsState): SnsState {
    this.kernel.absorb();
    this.#sums = undefined;
    return { ...state, place: this.kernel.place(), stage: "newton", taken: 0, next: null };
  }

  private succeed(state: SnsState): SnsState {
    const { eta } = this.settings;
    if (state.level.eta === eta) return { ...state, ending: "converged" };
    const reached = this.kernel.place();
    return this.begin({ ...state, reached }, levelAfter(state.level, eta));
  }

  private fail(state: SnsState): SnsState {
    const { eta, spread, anneal, newtonIterations } = this.settings;
    const { level, error, reached } = state;
    const near = level.eta === eta && error <= FAILED;
    if (near || newtonIterations === 0 || (level.phase === "direct" && anneal === false)) {
      return { ...state, ending: "limit" };
    }
    const easier = easierLevel(level, eta, spread);
    if (easier === undefined) return { ...state, ending: "limit" };
    if (reached !== null) this.kernel.moveTo(reached);
    return this.begin(state, easier);
  }

  /** Begins a level from the kernel's potentials. */
  private begin(state: SnsState, level: Level): SnsState {
    const { sinkhornIterations, memory, eta } = this.settings;
    this.kernel.setEta(level.eta);
    // Rounding of the factor must not move the regularisation that was asked for.
    if (level.eta === eta) this.kernel.eta = eta;
    this.#sums = undefined;
    const stage = sinkhornIterations === 0 ? "newton" : "sinkhorn";
    return { ...state, place: this.kernel.place(), level, stage, taken: 0, error: Infinity, next: null, memory };
  }
}
