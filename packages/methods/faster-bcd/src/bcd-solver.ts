import { AbortedError, ConvergenceError } from "@offprint/tensor-core";
import { type Chooser, chooser, isGreedy, sweepLength } from "./choose-block.js";
import { CallbackState } from "./objectives/callback-state.js";
import type { BcdOptions, BcdProblem, BcdRecord, BcdSnapshot, BcdState, BcdStatus } from "./options.js";
import { type Settings, settle } from "./settle.js";
import { diagonalStep, estimatedGradient, proximalGradient } from "./updates/gradient-steps.js";
import { cubicStep, matrixStep, messagePassing, newtonStep } from "./updates/matrix-steps.js";
import { proximalNewton } from "./updates/proximal-newton.js";
import type { Update } from "./updates/step.js";
import { twoMetric } from "./updates/two-metric.js";
import { Workspace } from "./workspace.js";

/** Values this small count as zero in the support of a smooth problem. */
const ZERO = 1e-12;

/**
 * `bcd` one iteration at a time: for programs that show, steer or interleave it. The options are those of `bcd`; `signal`
 * and `onProgress` are honoured by `step`.
 */
export class BcdSolver {
  readonly #settings: Settings;
  readonly #space: Workspace;
  readonly #choose: Chooser;
  readonly #update: Update;
  readonly #options: BcdOptions;
  readonly #testEvery: number;
  readonly #off: Uint8Array;
  #support = 0;
  #iteration: number;
  #supportChangedAt: number;
  #composite: number;
  #status: BcdStatus | undefined;
  #block: Int32Array = new Int32Array(0);
  readonly #history: BcdRecord[] = [];
  readonly #state: BcdState;

  /** @throws ValueError, ShapeError, IndexError, UnsupportedError for what is wrong with the problem or an option. */
  constructor(problem: BcdProblem, options: BcdOptions = {}) {
    const settings = settle(problem, options);
    const { objective, separable, x0, lipschitz, estimated } = settings;
    this.#settings = settings;
    this.#options = options;
    const state = objective.start?.(x0) ?? new CallbackState(objective, x0);
    const space = new Workspace(objective, separable, state, lipschitz, estimated, settings);
    this.#space = space;
    this.#choose = chooser(settings, space);
    this.#update = updateOf(settings, space, options);
    this.#testEvery = isGreedy(settings) ? 1 : sweepLength(settings, space);
    this.#iteration = options.resume?.iteration ?? 0;
    this.#supportChangedAt = options.resume?.supportChangedAt ?? 0;
    this.#composite = separable.value(state.x);
    this.#off = Uint8Array.from(state.x, (_, i) => (this.#isOff(i) ? 1 : 0));
    this.#support = this.#off.reduce((count, off) => count + 1 - off, 0);
    this.#state = this.#view();
  }

  /** Where the run stands; the same object at every call, always up to date. */
  get state(): BcdState {
    return this.#state;
  }

  /** Why the run ended; undefined while it goes on. */
  get status(): BcdStatus | undefined {
    return this.#status;
  }

  /** One record for each iteration done by this solver. */
  get history(): readonly BcdRecord[] {
    return this.#history;
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

  /** Where the run stands, to go on from with the option `resume` and otherwise the same options. */
  snapshot(): BcdSnapshot {
    return {
      iteration: this.#iteration,
      x: Array.from(this.#space.state.x),
      supportChangedAt: this.#supportChangedAt,
      ...(this.#space.estimated && { lipschitz: Array.from(this.#space.lipschitz) }),
    };
  }

  /**
   * One iteration; nothing once the run has ended.
   * @throws AbortedError when the signal fires; ConvergenceError when F is no longer finite.
   */
  step(): BcdState {
    const { signal } = this.#options;
    if (signal?.aborted) throw new AbortedError("bcd: aborted by the caller's signal");
    if (this.#status !== undefined) return this.#state;
    const tested = this.#iteration % this.#testEvery === 0;
    const residual = tested ? this.#residual() : Number.NaN;
    if (this.#reached(residual) && this.#confirmed()) {
      this.#status = "converged";
    } else if (this.#iteration >= this.#settings.maxIterations) {
      this.#status = "maxIterations";
    } else {
      this.#iterate(residual);
    }
    return this.#state;
  }

  #iterate(residual: number): void {
    const { state, separable } = this.#space;
    const { block, id } = this.#choose(this.#iteration, this.#state);
    const g = new Float64Array(block.length);
    state.blockGradient(block, g);
    const { d, alpha, target } = this.#update(this.#space, block, g, id);
    if (alpha !== 0) {
      const moved = alpha === 1 || separable.none ? d : d.map((v) => alpha * v);
      this.#composite += separable.change(state.x, block, moved);
      state.commit(alpha);
      if (target) for (let k = 0; k < block.length; k++) state.x[block[k]] = target[k];
    }
    this.#iteration++;
    this.#block = block;
    this.#follow(block);
    const objective = this.#objective();
    if (!Number.isFinite(objective)) {
      throw new ConvergenceError(
        `bcd: F is ${objective} after iteration ${this.#iteration}: the problem is unbounded, or its bounds are too small; ` +
          'check them, or take update "lipschitz-approx"',
      );
    }
    const record = {
      iteration: this.#iteration,
      objective,
      blockSize: block.length,
      stepSize: alpha,
      support: this.#support,
      residual,
    };
    this.#history.push(record);
    if (this.#options.onProgress?.(this.#state) === false) this.#status = "stopped";
  }

  #objective(): number {
    return this.#space.state.value + this.#composite;
  }

  /** The largest |g_i|; with a composite the largest move of a proximal step 1 / L_i. */
  #residual(): number {
    const { state, separable, lipschitz } = this.#space;
    const g = state.gradient();
    let most = 0;
    for (let i = 0; i < g.length; i++) {
      const x = state.x[i];
      const size = separable.none
        ? Math.abs(g[i])
        : Math.abs(x - separable.prox(i, x - g[i] / lipschitz[i], 1 / lipschitz[i]));
      if (size > most) most = size;
    }
    return most;
  }

  #reached(residual: number): boolean {
    const { fStar } = this.#options;
    const { tol } = this.#settings;
    return residual <= tol || (fStar !== undefined && this.#objective() - fStar <= tol);
  }

  /** Computes everything afresh: rounding errors of updates must not pass for convergence. */
  #confirmed(): boolean {
    this.#space.state.refresh();
    this.#composite = this.#space.separable.value(this.#space.state.x);
    return this.#reached(this.#residual());
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
        return solver.#history.at(-1);
      },
    };
  }
}

function updateOf({ update }: Settings, space: Workspace, { hessianLipschitz }: BcdOptions): Update {
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
      return cubicStep(hessianLipschitz as number);
    case "message-passing":
      return messagePassing(space);
    case "pn":
      return proximalNewton;
    case "tmp":
      return twoMetric;
  }
}
