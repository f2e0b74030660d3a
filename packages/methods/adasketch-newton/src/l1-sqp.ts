import { armijoSearch, gmresSync, runOptionNames } from "@offprint/solvers";
import {
  abs,
  add,
  checkOptions,
  dot,
  matmul,
  mul,
  neg,
  requireChoice,
  slice,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  zerosLike,
} from "@offprint/tensor-core";
import {
  type BaselineOptions,
  type BaselineRecord,
  type BaselineResult,
  type BaselineState,
  baselineOptionNames,
} from "./baseline.js";
import { type Asked, ask, figuresOf, runBaseline } from "./baseline-run.js";
import type { Oracle } from "./oracle.js";
import type { EqualityCallbacks, EqualityProblem } from "./problem.js";
import { denseSaddle, type SaddleSystem } from "./saddle-system.js";

/** Options of {@link l1Sqp}. */
export interface L1SqpOptions extends BaselineOptions {
  /**
   * When GMRES has done enough: by the two tests of Byrd, Curtis and Nocedal (default), or where the residual has
   * fallen by a factor that adapts itself.
   */
  readonly termination?: "twoTests" | "adaptive";
}

/** Constants of the two tests, and of the adaptive rule. */
const KAPPA = 1;
const KAPPA_1 = 0.1;
const EPSILON = 0.1;
const TAU = 0.1;
const SIGMA = TAU * (1 - EPSILON);
const ADAPTIVE_KAPPA = 0.1;
const ADAPTIVE_SIGMA = 0.09;
const NU = 1.5;
const ARMIJO = 1e-8;
const HALVINGS = 41;
/** Iterations between restarts, until a cycle makes no progress. */
const RESTART = 2;
const CYCLES = 2000;
const SADDLE = { xiB: 0.1, shift: "reduced", reducedHessianTolerance: 1e-6, psi: 1 } as const;
const SINGULAR = 1e-8;

const one = (v: Tensor): number => sum(abs(v)).item();

/** A direction, the residual it leaves, and what the model of the merit function says of it. */
interface Trial {
  readonly D: Tensor;
  readonly dx: Tensor;
  readonly residual: { readonly all: number; readonly x: number; readonly c: number };
  /** grad f . dx + max(dx . B dx / 2, 0) */
  readonly rise: number;
}

/**
 * Baseline: sequential quadratic programming with the l1 merit function `f + mu ||c||_1`, whose systems are solved
 * by restarted GMRES (Byrd, Curtis and Nocedal 2008).
 *
 * @param problem - f and c in operations of tensors, or callbacks with derivatives.
 * @param initial - where it begins.
 * @throws ShapeError; ValueError for options out of range; NonFiniteError.
 */
export async function l1Sqp(
  problem: EqualityProblem | EqualityCallbacks,
  initial: TensorLike,
  options?: L1SqpOptions,
): Promise<BaselineResult<Tensor>>;
export async function l1Sqp<X>(
  problem: EqualityProblem<X>,
  initial: X,
  options?: L1SqpOptions,
): Promise<BaselineResult<X>>;
export async function l1Sqp<X>(
  problem: EqualityProblem<X> | EqualityCallbacks,
  initial: X,
  options: L1SqpOptions = {},
): Promise<BaselineResult<X>> {
  const owner = "l1Sqp";
  checkOptions(owner, options, [...baselineOptionNames, "termination", ...runOptionNames]);
  const { termination = "twoTests" } = options;
  requireChoice(owner, "termination", termination, ["twoTests", "adaptive"]);
  const adaptive = termination === "adaptive";
  return runBaseline(owner, problem, initial, options, {
    // The bound b_T of the second test, or kappa of the adaptive rule.
    begin: ({ point }) => ({
      mu: 1,
      accuracy: adaptive ? ADAPTIVE_KAPPA : Math.max(one(point.gradient) / (one(point.constraints) + 1), 1),
    }),
    async step(oracle, state, asked) {
      const system = denseSaddle(oracle, await oracle.linearise(asked.x, asked.multipliers), SADDLE);
      const evaluations = { ...state.evaluations, hessian: state.evaluations.hessian + 1 };
      if (!(system.xiG >= SINGULAR)) return { ...state, evaluations, obstacle: "singularJacobian" };
      const search = new DirectionSearch(oracle, system, asked);
      const { trial, mu, accuracy } = adaptive ? search.adaptive(state) : search.twoTests(state);
      return stepped(oracle, { ...state, evaluations, mu, accuracy }, asked, search, trial, system);
    },
  });
}

/** The search for a direction at a point. */
class DirectionSearch {
  readonly #n: number;
  readonly #matrix: Tensor;
  readonly #res: Tensor;
  readonly #objectiveGradient: Tensor;
  readonly #c: number;
  readonly #gL: number;
  #restart = RESTART;
  /** Iterations of GMRES so far. */
  innerSteps = 0;

  constructor(oracle: Oracle, { matrix, products }: SaddleSystem, { point, multipliers, res }: Asked) {
    this.#n = oracle.n;
    this.#matrix = matrix as Tensor;
    this.#res = res;
    this.#objectiveGradient = sub(point.gradient, products.jacobianTransposed(multipliers));
    this.#c = one(point.constraints);
    this.#gL = one(point.gradient);
  }

  /** mu (||c||_1 - ||c + G dx||_1) - rise: what the model of the merit function falls by. */
  reduction({ rise, residual }: Trial, mu: number): number {
    return mu * (this.#c - residual.c) - rise;
  }

  twoTests({ mu, accuracy: bound }: BaselineState): { trial: Trial; mu: number; accuracy: number } {
    let trial = this.#trial(zerosLike(this.#res));
    const all = one(this.#res);
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      trial = this.#refined(trial);
      const { residual, rise } = trial;
      const needed = SIGMA * mu * Math.max(this.#c, residual.c - this.#c);
      const accurate = residual.all <= KAPPA * all && residual.c <= Math.max(KAPPA_1 * this.#gL, bound * this.#c);
      if (accurate && this.reduction(trial, mu) >= needed) break;
      if (residual.c <= EPSILON * this.#c && residual.x <= bound * this.#c) {
        const gain = this.#c - residual.c;
        const enough = this.reduction(trial, mu) >= needed || gain <= 0;
        return { trial, mu: enough ? mu : Math.max(mu, rise / ((1 - TAU) * gain)) + 1e-4, accuracy: bound };
      }
    }
    return { trial, mu, accuracy: bound };
  }

  adaptive({ mu, accuracy }: BaselineState): { trial: Trial; mu: number; accuracy: number } {
    let [trial, penalty, kappa] = [this.#trial(zerosLike(this.#res)), mu, accuracy];
    const all = one(this.#res);
    this.#restart = this.#res.size;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      while (trial.residual.all > kappa * all && kappa > 1e-14) {
        const before = trial.residual.all;
        trial = this.#refined(trial, (kappa * all) / Math.sqrt(this.#res.size));
        if (!(trial.residual.all < before)) break;
      }
      const needed = ADAPTIVE_SIGMA * penalty * Math.max(this.#c, trial.residual.c - this.#c);
      if (this.reduction(trial, penalty) >= needed || kappa <= 1e-14) break;
      penalty *= NU;
      kappa /= NU ** 2;
    }
    return { trial, mu: penalty, accuracy: Math.max(kappa, 1e-14) };
  }

  /** A cycle of GMRES from where the trial is; full where short cycles make no progress. */
  #refined(trial: Trial, absoluteTolerance = 0): Trial {
    const restart = this.#restart;
    const settings = { initial: trial.D, restart, maxIterations: restart, tolerance: 0, absoluteTolerance };
    const { x, iterations } = gmresSync(this.#matrix, neg(this.#res), settings);
    this.innerSteps += iterations;
    const next = this.#trial(tensor(x));
    if (!(next.residual.all < trial.residual.all * (1 - 1e-3))) this.#restart = this.#res.size;
    return next.residual.all <= trial.residual.all ? next : trial;
  }

  #trial(D: Tensor): Trial {
    const [n, d] = [this.#n, this.#res.size];
    const r = add(matmul(this.#matrix, D), this.#res);
    const dx = slice(D, [{ start: 0, stop: n }]);
    const B = slice(this.#matrix, [
      { start: 0, stop: n },
      { start: 0, stop: n },
    ]);
    const curvature = dot(dx, matmul(B, dx)).item();
    const [x, c] = [one(slice(r, [{ start: 0, stop: n }])), one(slice(r, [{ start: n, stop: d }]))];
    const rise = dot(this.#objectiveGradient, dx).item() + Math.max(curvature / 2, 0);
    return { D, dx, residual: { all: x + c, x, c }, rise };
  }
}

/** The line search on the merit function. */
async function stepped(
  oracle: Oracle,
  state: BaselineState,
  asked: Asked,
  search: DirectionSearch,
  trial: Trial,
  system: SaddleSystem,
): Promise<BaselineState> {
  const { mu } = state;
  const { n, m } = oracle;
  const reduction = search.reduction(trial, mu);
  const dl = slice(trial.D, [{ start: n, stop: n + m }]);
  const meritOf = ({ point }: Asked) => point.objective.item() + mu * one(point.constraints);
  let trials = 0;
  const at = async (step: number) => {
    trials++;
    const multipliers = m === 0 ? asked.multipliers : add(asked.multipliers, mul(step, dl));
    const next = await ask(oracle, add(asked.x, mul(step, trial.dx)), multipliers);
    return { step, next, value: meritOf(next) };
  };
  const start = { value: meritOf(asked), slope: -reduction };
  const found =
    reduction > 0 ? await armijoSearch(at, start, { decrease: ARMIJO, maxEvaluations: HALVINGS }) : undefined;
  const { objective, constraints, gradient, hessian } = state.evaluations;
  // The merit function needs no gradient: it is asked for at the point that is taken.
  const evaluations = {
    objective: objective + trials,
    constraints: constraints + trials,
    gradient: gradient + 1,
    hessian,
  };
  if (found === undefined) return { ...state, evaluations, obstacle: "inaccurate" };
  const { x, multipliers } = found.next;
  const figures = figuresOf(found.next);
  const iteration = state.iteration + 1;
  const { innerSteps } = search;
  const record: BaselineRecord = { iteration, ...figures, mu, innerSteps, stepSize: found.step, shift: system.shift };
  return { ...state, x, multipliers, ...figures, iteration, evaluations, record };
}
