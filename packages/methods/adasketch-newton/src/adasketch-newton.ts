import { armijoSearch, runLoop, runOptionNames } from "@offprint/solvers";
import {
  add,
  checkOptions,
  concatenate,
  dot,
  linalg,
  mul,
  NonFiniteError,
  random,
  slice,
  type Tensor,
  type TensorLike,
  zerosLike,
} from "@offprint/tensor-core";
import { meritGradient, meritValue } from "./merit.js";
import { readMultipliers } from "./multipliers.js";
import {
  type AdaSketchOptions,
  type AdaSketchRecord,
  type AdaSketchResult,
  type AdaSketchSettings,
  type AdaSketchState,
  adaSketchOptionNames,
  type DirectionState,
  readSettings,
} from "./options.js";
import { type LagrangianPoint, type Oracle, readProblem, requireStateOf } from "./oracle.js";
import type { EqualityCallbacks, EqualityProblem } from "./problem.js";
import { denseSaddle, matrixFreeSaddle, type SaddleSystem, saddleProduct } from "./saddle-system.js";
import { matrixProduct, SketchSolver } from "./sketch-steps.js";

/** Beyond these penalties a direction is taken as it is. */
const LARGEST_ETA1 = 1e8;
const SMALLEST_ETA2 = 1e-8;
/** A symmetric solve is refined so often at most. */
const REFINEMENTS = 3;
/** Halvings of the step: 2^-40 is below 1e-12. */
const HALVINGS = 41;

/** What is known at the point of a state, and can be computed again. */
interface Known {
  readonly x: Tensor;
  readonly point: LagrangianPoint;
  /** `[d]` (g_L, c). */
  readonly res: Tensor;
  system?: SaddleSystem;
}

/**
 * Minimises f(x) subject to c(x) = 0 by Newton's method on the KKT conditions: each saddle-point system is solved by
 * randomised sketches, only as accurately as an adaptive rule asks for, and steps are judged by a differentiable exact
 * penalty whose two weights adapt themselves.
 *
 * @param problem - f and c in operations of tensors, or callbacks with derivatives.
 * @param initial - where it begins: a vector, or a tree of tensors. It need not be feasible.
 * @returns Not converging is a status.
 * @throws ShapeError; ValueError for options out of range; NonFiniteError where f, c or derivatives are not finite.
 * @example
 * const problem = { objective: (x) => sum(x), constraints: (x) => sub(sum(square(x)), 2) };
 * const { x } = await adaSketchNewton(problem, [-1.5, -0.5]); // [-1, -1]
 * @see Hong, Na, Mahoney and Kolar, "Constrained Optimization via Exact Augmented Lagrangian and Randomized Iterative
 * Sketching" (2023), https://arxiv.org/abs/2305.18379
 */
export async function adaSketchNewton(
  problem: EqualityProblem | EqualityCallbacks,
  initial: TensorLike,
  options?: AdaSketchOptions,
): Promise<AdaSketchResult<Tensor>>;
export async function adaSketchNewton<X>(
  problem: EqualityProblem<X>,
  initial: X,
  options?: AdaSketchOptions,
): Promise<AdaSketchResult<X>>;
export async function adaSketchNewton<X>(
  problem: EqualityProblem<X> | EqualityCallbacks,
  initial: X,
  options: AdaSketchOptions = {},
): Promise<AdaSketchResult<X>> {
  const owner = "adaSketchNewton";
  checkOptions(owner, options, [...adaSketchOptionNames, ...runOptionNames]);
  const settings = readSettings(owner, options);
  const m = options.resume?.inner?.multipliers?.size;
  const { oracle, start, restore } = await readProblem(owner, problem, initial, settings.derivatives, m);
  const multipliers = readMultipliers(owner, options.multipliers, oracle.m);
  const iteration = new AdaSketchIteration(owner, oracle, settings);
  const run = await runLoop<AdaSketchState, AdaSketchRecord, "converged" | "singularJacobian" | "inaccurate">(
    {
      owner,
      limit: settings.maxIterations,
      initial: () => iteration.begin(start, multipliers),
      step: (state) => iteration.step(state),
      record: ({ record, direction, obstacle }) =>
        direction === null && obstacle === null && record !== null ? record : undefined,
      count: (state) => state.iteration,
      finished: ({ kkt, obstacle }) => (kkt <= settings.tolerance ? "converged" : (obstacle ?? undefined)),
      check: (saved) => requireStateOf(owner, oracle, saved),
    },
    options,
  ).finally(() => iteration.release());
  const { last, status, iterations, history, state } = run;
  const { objective, kkt, infeasibility, evaluations } = last;
  return {
    ...{
      x: restore(last.x),
      multipliers: last.multipliers,
      objective,
      kkt,
      infeasibility,
      status,
      iterations,
      history,
    },
    ...{ evaluations, state },
  };
}

/** The iteration: a step of it begins a direction, refines it by one call of the sketching solver, or takes it. */
class AdaSketchIteration {
  readonly #owner: string;
  readonly #oracle: Oracle;
  readonly #settings: AdaSketchSettings;
  readonly #rng: random.Rng;
  readonly #solver: SketchSolver;
  #known?: Known;

  constructor(owner: string, oracle: Oracle, settings: AdaSketchSettings) {
    this.#owner = owner;
    this.#oracle = oracle;
    this.#settings = settings;
    this.#rng = random.rng(settings.seed);
    const formed = settings.derivatives === "matrices";
    const product = formed ? matrixProduct : saddleProduct(oracle);
    const form = formed ? "matrix" : oracle.traceable ? "traced" : "called";
    this.#solver = new SketchSolver(owner, settings.sketch, product, form);
  }

  release(): void {
    this.#solver.release();
  }

  async begin(x: Tensor, multipliers: Tensor): Promise<AdaSketchState> {
    const { eta1, eta2, delta } = this.#settings;
    const { point, res } = await this.#at(x, multipliers);
    return {
      ...{ x, multipliers, eta1, eta2, delta, ...figuresOf(point, res) },
      ...{ iteration: 0, direction: null, obstacle: null, record: null },
      evaluations: { objective: 1, constraints: 1, gradient: 1, hessian: 0 },
    };
  }

  async step(state: AdaSketchState): Promise<AdaSketchState> {
    const { res } = await this.#at(state.x, state.multipliers);
    const system = await this.#systemAt(state);
    if (state.direction === null) return this.#begun(state, system, res);
    const { direction, delta, kkt } = state;
    const settings = this.#settings;
    // Condition (A): ||K||_F Psi ||r|| <= theta_k delta ||res||.
    const threshold = (settings.theta(state.iteration, kkt) * delta * kkt) / (system.norm * system.psi);
    const limit = settings.sketch.kind === "exact" ? REFINEMENTS : settings.maxInnerSteps;
    if (direction.residual > threshold && direction.steps < limit) {
      const rng = this.#rng.fork(`${state.iteration}:${direction.calls}`);
      const { D, residual, steps } = this.#solver.advance(system, res, direction, { threshold, limit }, rng);
      const made = { steps: direction.steps + steps, calls: direction.calls + 1 };
      return { ...state, direction: { ...direction, D, residual, ...made } };
    }
    const slope = this.#slope(state, direction, system);
    const { eta1, eta2 } = state;
    // Condition (B): the direction lowers the merit function enough.
    if (slope <= -(eta2 / 2) * kkt ** 2 || eta1 > LARGEST_ETA1 || eta2 < SMALLEST_ETA2) {
      return this.#taken(state, direction, system, slope, direction.residual > threshold);
    }
    return this.#stricter(state, direction, system);
  }

  #begun(state: AdaSketchState, system: SaddleSystem, res: Tensor): AdaSketchState {
    const { singularTolerance, deltaFloor } = this.#settings;
    const evaluations = { ...state.evaluations, hessian: state.evaluations.hessian + 1 };
    if (!(system.xiG >= singularTolerance)) return { ...state, evaluations, obstacle: "singularJacobian" };
    const delta = Math.max(Math.min(state.delta, this.#deltaTrial(state, system)), deltaFloor);
    const direction = { D: zerosLike(res), residual: state.kkt, steps: 0, calls: 0, penaltyUpdates: 0 };
    return { ...state, evaluations, delta, direction };
  }

  /** Other penalties and a smaller error; the direction so far is kept and refined. */
  #stricter(state: AdaSketchState, direction: DirectionState, system: SaddleSystem): AdaSketchState {
    const { nu, deltaFloor } = this.#settings;
    const penalties = { eta1: state.eta1 * nu ** 2, eta2: state.eta2 / nu };
    const delta = Math.max(Math.min(state.delta / nu ** 4, this.#deltaTrial(penalties, system)), deltaFloor);
    return {
      ...{ ...state, ...penalties, delta },
      direction: { ...direction, penaltyUpdates: direction.penaltyUpdates + 1 },
    };
  }

  /** (1/2 - beta) eta2 / ((1 + eta1 + eta2) Upsilon^2 Psi^2) */
  #deltaTrial({ eta1, eta2 }: Pick<AdaSketchState, "eta1" | "eta2">, { upsilon, psi }: SaddleSystem): number {
    return ((0.5 - this.#settings.beta) * eta2) / ((1 + eta1 + eta2) * upsilon ** 2 * psi ** 2);
  }

  #slope(state: AdaSketchState, { D }: DirectionState, { products }: SaddleSystem): number {
    const { point } = this.#known as Known;
    const gradient = meritGradient(point, state, products);
    const [dx, dl] = this.#parts(D);
    const along = dot(gradient.x, dx).item();
    return this.#oracle.m === 0 ? along : along + dot(gradient.multipliers, dl).item();
  }

  #parts(D: Tensor): [dx: Tensor, dl: Tensor] {
    const { n, m } = this.#oracle;
    return [slice(D, [{ start: 0, stop: n }]), slice(D, [{ start: n, stop: n + m }])];
  }

  /** The line search on M, and what is known of the iteration. */
  async #taken(
    state: AdaSketchState,
    direction: DirectionState,
    system: SaddleSystem,
    slope: number,
    capped: boolean,
  ): Promise<AdaSketchState> {
    const { point } = this.#known as Known;
    const merit = meritValue(point, state.multipliers, state).item();
    const [dx, dl] = this.#parts(direction.D);
    let trials = 0;
    const trial = async (step: number) => {
      trials++;
      const x = add(state.x, mul(step, dx));
      const multipliers = this.#oracle.m === 0 ? state.multipliers : add(state.multipliers, mul(step, dl));
      const known = await this.#evaluated(x, multipliers);
      return { step, x, multipliers, known, value: meritValue(known.point, multipliers, state).item() };
    };
    const negligible = Math.abs(slope) < 1e-15 * Math.max(1, Math.abs(merit));
    // Below the rounding of M a decrease cannot be seen.
    const found = negligible
      ? await trial(1)
      : slope < 0
        ? await armijoSearch(
            trial,
            { value: merit, slope },
            { decrease: this.#settings.beta, maxEvaluations: HALVINGS },
          )
        : undefined;
    const { objective, constraints, gradient, hessian } = state.evaluations;
    const asked = { objective: objective + trials, constraints: constraints + trials, gradient: gradient + trials };
    const evaluations = { ...asked, hessian };
    if (found === undefined) return { ...state, evaluations, direction: null, obstacle: "inaccurate" };
    const iteration = state.iteration + 1;
    const figures = figuresOf(found.known.point, found.known.res);
    if (!Number.isFinite(figures.kkt)) throw new NonFiniteError("the KKT residual is not finite; begin elsewhere");
    this.#known = found.known;
    const { eta1, eta2, delta } = state;
    const { steps: innerSteps, penaltyUpdates } = direction;
    const record: AdaSketchRecord = {
      ...{ iteration, ...figures, eta1, eta2, delta, innerSteps, capped, penaltyUpdates, slope },
      ...{ relativeResidual: direction.residual / state.kkt, merit: found.value, stepSize: found.step },
      shift: system.shift,
    };
    const { x, multipliers } = found;
    return { ...state, x, multipliers, ...figures, iteration, direction: null, evaluations, record };
  }

  async #evaluated(x: Tensor, multipliers: Tensor): Promise<Known> {
    const point = await this.#oracle.at(x, multipliers);
    const res = this.#oracle.m === 0 ? point.gradient : concatenate([point.gradient, point.constraints], 0);
    return { x, point, res };
  }

  async #at(x: Tensor, multipliers: Tensor): Promise<Known> {
    if (this.#known?.x === x) return this.#known;
    const known = await this.#evaluated(x, multipliers);
    if (!Number.isFinite(linalg.norm(known.res).item()) || !Number.isFinite(known.point.objective.item())) {
      throw new NonFiniteError(
        `${this.#owner}: the objective, constraints or a derivative is not finite; begin elsewhere`,
      );
    }
    this.#known = known;
    return known;
  }

  async #systemAt(state: AdaSketchState): Promise<SaddleSystem> {
    const known = this.#known as Known;
    if (known.system !== undefined) return known.system;
    const linearisation = await this.#oracle.linearise(state.x, state.multipliers);
    const rng = () => this.#rng.fork(`norms of ${state.iteration}`);
    known.system =
      this.#settings.derivatives === "matrices"
        ? denseSaddle(this.#oracle, linearisation, this.#settings)
        : matrixFreeSaddle(this.#oracle, linearisation, this.#settings, rng());
    return known.system;
  }
}

function figuresOf({ objective, constraints }: LagrangianPoint, res: Tensor) {
  return {
    objective: objective.item(),
    kkt: linalg.norm(res).item(),
    infeasibility: constraints.size === 0 ? 0 : linalg.norm(constraints).item(),
  };
}
