import { checkOptions, NonFiniteError, requireObject } from "@offprint/tensor-core";
import { firstConstants, firstGuesses, firstPoint } from "./begin.js";
import { type Chooser, chooser, isGreedy, sweepLength } from "./choose-block.js";
import { keptNumber } from "./memory.js";
import { CallbackState } from "./objectives/callback-state.js";
import {
  type BcdMethodOptions,
  type BcdPoint,
  type BcdProblem,
  type BcdRecord,
  type BcdState,
  methodOptionNames,
} from "./options.js";
import { readSettings, type Settings } from "./settings.js";
import { diagonalStep, estimatedGradient, proximalGradient } from "./updates/gradient-steps.js";
import { cubicStep, matrixStep, messagePassing, newtonStep } from "./updates/matrix-steps.js";
import { proximalNewton } from "./updates/proximal-newton.js";
import type { Update } from "./updates/step.js";
import { twoMetric } from "./updates/two-metric.js";
import { Workspace } from "./workspace.js";

/** Values this small count as zero in the support of a smooth problem. */
const ZERO = 1e-12;

/** `bcd` one iteration at a time: for programs that show, steer or interleave it. */
export class BcdSolver {
  readonly #settings: Settings;
  readonly #space: Workspace;
  readonly #choose: Chooser;
  readonly #update: Update;
  readonly #testEvery: number;
  readonly #off: Uint8Array;
  #support = 0;
  #iteration: number;
  #supportChangedAt: number;
  #composite: number;
  #status: "converged" | "limit" | undefined;
  /** At the present point, where it was computed. */
  #residual = Number.NaN;
  /** Whether that is by guesses of L_i for variables that would move: how far is not known. */
  #unsure = false;
  #block: Int32Array;
  #record: BcdRecord | undefined;
  readonly #state: BcdState;

  /**
   * @param from goes on from what `save` gave, with otherwise the same problem and options
   * @throws ValueError, ShapeError, IndexError, UnsupportedError for what is wrong with the problem or an option.
   */
  constructor(problem: BcdProblem, options: BcdMethodOptions = {}, from?: BcdPoint) {
    checkOptions("bcd", options, methodOptionNames);
    const settings = readSettings(problem, options);
    const { objective, separable, estimated } = settings;
    this.#settings = settings;
    const x = firstPoint(objective, separable, options.initial, from);
    const lipschitz = firstConstants(objective, estimated, from);
    if (from) requireObject("bcd", "resume.inner.smooth", from.smooth, "the `state` of an earlier run");
    const state = objective.start?.(x, from?.smooth) ?? new CallbackState(objective, x, from?.smooth);
    const guessed = settings.update === "lipschitz-approx" ? firstGuesses(objective, from) : undefined;
    const space = new Workspace(objective, separable, state, lipschitz, estimated, { ...settings, guessed });
    this.#space = space;
    this.#choose = chooser(settings, space);
    this.#update = updateOf(settings, space);
    this.#testEvery = isGreedy(settings) ? 1 : sweepLength(settings, space);
    const kept = (name: "iteration" | "supportChangedAt" | "composite") =>
      from && keptNumber({ [name]: from[name] }, name);
    this.#iteration = kept("iteration") ?? 0;
    this.#supportChangedAt = kept("supportChangedAt") ?? 0;
    this.#composite = kept("composite") ?? separable.value(state.x);
    this.#block = from?.block ?? new Int32Array(0);
    this.#record = from?.record ?? undefined;
    this.#off = new Uint8Array(state.x.length);
    for (let i = 0; i < this.#off.length; i++) {
      if (this.#isOff(i)) this.#off[i] = 1;
      else this.#support++;
    }
    this.#state = this.#view();
    const first = this.#objective();
    if (!Number.isFinite(first)) {
      throw new NonFiniteError(
        `bcd: F is ${first} at the first point; F must be a number, and initial lie where it is finite`,
      );
    }
    this.#test();
  }

  /** Where the run stands; the same object at every call, always up to date. */
  get state(): BcdState {
    return this.#state;
  }

  /** Why the run ended; undefined while it goes on. */
  get status(): "converged" | "limit" | undefined {
    return this.#status;
  }

  /** Iterations after which the support last changed: from then on the active set was identified. */
  get identifiedAt(): number {
    return this.#supportChangedAt;
  }

  /** The variables that are not zero; with bounds, those on none, with l1 those not at zero. */
  support(): Int32Array {
    const found = new Int32Array(this.#support);
    for (let i = 0, k = 0; i < this.#off.length; i++) if (this.#off[i] === 0) found[k++] = i;
    return found;
  }

  /** Where the run stands, as a tree of its own: a solver made with it goes on bit for bit. */
  save(): BcdPoint {
    const { state, estimated, lipschitz, guessed } = this.#space;
    return {
      iteration: this.#iteration,
      x: state.x.slice(),
      composite: this.#composite,
      smooth: state.save(),
      lipschitz: estimated ? lipschitz.map((L, i) => (guessed?.[i] === 1 ? -L : L)) : null,
      supportChangedAt: this.#supportChangedAt,
      block: this.#block.slice(),
      record: this.#record ?? null,
    };
  }

  /**
   * One iteration; nothing once the run has ended.
   * @throws NonFiniteError where F would no longer be finite; the solver then stands where it stood.
   */
  step(): BcdState {
    if (this.#status !== undefined) return this.#state;
    const { state, separable } = this.#space;
    const { block, id } = this.#choose(this.#iteration, this.#state);
    const g = new Float64Array(block.length);
    state.blockGradient(block, g);
    const { d, alpha, target } = this.#update(this.#space, block, g, id);
    if (alpha !== 0) {
      const moved = alpha === 1 || separable.none ? d : d.map((v) => alpha * v);
      const rise = separable.change(state.x, block, moved);
      this.#requireFinite(this.#objective() + state.change(alpha) + rise);
      this.#composite += rise;
      state.commit(alpha);
      if (target) for (let k = 0; k < block.length; k++) state.x[block[k]] = target[k];
    }
    this.#iteration++;
    this.#block = block;
    this.#follow(block);
    this.#record = {
      iteration: this.#iteration,
      objective: this.#objective(),
      blockSize: block.length,
      stepSize: alpha,
      support: this.#support,
      residual: this.#residual,
    };
    this.#test();
    return this.#state;
  }

  #requireFinite(objective: number): void {
    if (Number.isFinite(objective)) return;
    throw new NonFiniteError(
      `F would be ${objective}: the problem is unbounded, or its bounds are too small; check them, or take update "lipschitz-approx"`,
      { state: this.save() },
    );
  }

  /** Whether this is the end. A rule without the gradient looks at it once for each sweep. */
  #test(): void {
    const due = this.#iteration % this.#testEvery === 0;
    this.#residual = Number.NaN;
    // Where fStar says that it is, no gradient is needed.
    if (this.#atBest() && this.#confirmed()) this.#status = "converged";
    else if (due && this.#settled() && this.#confirmed()) this.#status = "converged";
    else if (this.#iteration >= this.#settings.maxIterations) this.#status = "limit";
  }

  #objective(): number {
    return this.#space.state.value + this.#composite;
  }

  /** The largest |g_i|; with a composite the largest move of a proximal step 1 / L_i. */
  #largestMove(): number {
    const { state, separable, lipschitz, guessed } = this.#space;
    const g = state.gradient();
    let most = 0;
    this.#unsure = false;
    for (let i = 0; i < g.length; i++) {
      const x = state.x[i];
      const size = separable.none
        ? Math.abs(g[i])
        : Math.abs(x - separable.prox(i, x - g[i] / lipschitz[i], 1 / lipschitz[i]));
      if (Number.isNaN(g[i])) {
        throw new NonFiniteError(`bcd: the gradient is NaN at ${i}; the objective's derivatives must be numbers`, {
          state: this.save(),
        });
      }
      if (size > most) most = size;
      if (guessed?.[i] === 1 && !separable.none && size > 0) this.#unsure = true;
    }
    return most;
  }

  #atBest(): boolean {
    const { fStar, tolerance } = this.#settings;
    return this.#objective() - fStar <= tolerance;
  }

  #settled(): boolean {
    this.#residual = this.#largestMove();
    return this.#residual <= this.#settings.tolerance && !this.#unsure;
  }

  /** Computes everything afresh: rounding errors of updates must not pass for convergence. */
  #confirmed(): boolean {
    this.#space.state.refresh();
    this.#composite = this.#space.separable.value(this.#space.state.x);
    return this.#atBest() || this.#settled();
  }

  #isOff(i: number): boolean {
    const { separable, state } = this.#space;
    return separable.none ? Math.abs(state.x[i]) <= ZERO : separable.pinned(i, state.x[i]);
  }

  /** Notes whether the block changed the support. */
  #follow(block: Int32Array): void {
    let changed = false;
    for (const i of block) {
      const off = this.#isOff(i) ? 1 : 0;
      if (off === this.#off[i]) continue;
      changed = true;
      this.#support += this.#off[i] - off;
      this.#off[i] = off;
    }
    if (changed) this.#supportChangedAt = this.#iteration;
  }

  #view(): BcdState {
    const solver = this;
    const { state, lipschitz } = this.#space;
    return {
      get iteration() {
        return solver.#iteration;
      },
      get x() {
        return state.x;
      },
      get objective() {
        return solver.#objective();
      },
      get block() {
        return solver.#block;
      },
      lipschitz,
      gradient: () => state.gradient(),
      get record() {
        return solver.#record;
      },
    };
  }
}

function updateOf({ update, hessianLipschitz }: Settings, space: Workspace): Update {
  switch (update) {
    case "gradient":
    case "pg":
      return space.estimated ? estimatedGradient : proximalGradient;
    case "lipschitz-approx":
      return estimatedGradient;
    case "diagonal":
      return diagonalStep;
    case "matrix":
      return matrixStep;
    case "newton":
      return newtonStep;
    case "cubic":
      return cubicStep(hessianLipschitz);
    case "message-passing":
      return messagePassing(space);
    case "pn":
      return proximalNewton;
    case "tmp":
      return twoMetric;
  }
}
