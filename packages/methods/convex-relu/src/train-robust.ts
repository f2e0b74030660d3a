import { ShapeError, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";
import { blockNorm } from "./column-products.js";
import type { DualBound } from "./dual-bound.js";
import { arrangementPatterns, enumerationWork } from "./enumerate-patterns.js";
import { iterate } from "./iteration-loop.js";
import { lossGradient } from "./loss.js";
import { recoverNetwork, weightPenalty } from "./network.js";
import type { CommonOptions, ConvexNetResult, ConvexStatus, HistoryPoint } from "./options.js";
import { PatternOperator } from "./pattern-operator.js";
import type { Patterns } from "./patterns.js";
import { initialRobustState, RobustAdmm, type RobustState } from "./robust-admm.js";
import { RobustConic } from "./robust-conic.js";
import { type RobustDuals, robustDualBound, usablePatterns } from "./robust-duals.js";
import { RobustMap, rowNames } from "./robust-rows.js";
import { robustValues, worstLoss } from "./robust-terms.js";
import { drawPatterns, radiiOf } from "./sample-patterns.js";
import { type Problem, patternsOf, problemOf, requirePositive } from "./settings.js";

const OWNER = "trainRobust";
/** Usable patterns are listed where that takes this much at most. */
const ENUMERATION_WORK = 2e6;

/** Options of `trainRobust`. */
export interface RobustNetOptions extends CommonOptions {
  /** How far every feature of every sample may be moved: one radius >= 0, or `[features]`. */
  eps: TensorLike;
  /**
   * Activation patterns, or how many to sample with perturbed data (S = 6 patterns per draw). Default: all that the
   * programme can use where they can be listed; else those among 50 000 draws for n <= 500 and d <= 4; else 100 sampled.
   */
  patterns?: Patterns | number;
  /** `admm`: the splitting of this package; `conic`: the interface to @offprint/conic. Default `admm`. */
  solver?: "admm" | "conic";
  /** Most iterations. Default 4000; for `conic` 20 000. */
  maxIter?: number;
  /** Penalty of ADMM at the start, > 0; it follows the residuals in the first 60 % of a run. Default 0.01. */
  rho?: number;
  /** Over-relaxation of ADMM, in (0, 2). Default 1.6. */
  relaxation?: number;
  /** State of an earlier ADMM run with the same data and patterns, to go on from. */
  resume?: RobustState;
}

/** What `trainRobust` gives. */
export interface RobustNetResult extends Omit<ConvexNetResult, "state"> {
  /**
   * Upper bound of the sum of the largest losses that any moves within the boxes can cause, proved for the returned
   * network whether the constraints are met to rounding or not; in the units of the objective.
   */
  readonly certifiedLoss: number;
  /** The patterns of the programme: those given or found that can have a neuron at all. */
  readonly patterns: Patterns;
  /** No hyperplane of the patterns missed all boxes, so the zero network is the optimum: take smaller eps or more patterns. */
  readonly collapsed: boolean;
  /** What `resume` takes. */
  readonly state?: RobustState;
}

/**
 * Trains a ReLU network with one hidden layer against all moves of the samples within `|delta_c| <= eps_c`, as one
 * convex programme. `networkObjective` is the certified worst-case loss plus the weight penalty, `dualBound` what no
 * network with these patterns (with all usable patterns: no feasible network) can be below.
 * @param X `[samples, features]`, finite.
 * @param y `[samples]`; -1 and 1 for `bce` and `hinge`.
 * @throws ValueError, ShapeError for data or options that are not as described.
 * @see {@link https://arxiv.org/abs/2105.12237}
 * @example
 * const { net, certifiedLoss } = await trainRobust([[-1], [1]], [-1, 1], { loss: "hinge", beta: 0.01, eps: 0.3 });
 */
export async function trainRobust(X: TensorLike, y: TensorLike, options: RobustNetOptions): Promise<RobustNetResult> {
  const { solver = "admm", relaxation = 1.6, rho = 0.01 } = options;
  if (solver !== "admm" && solver !== "conic") {
    throw new ValueError(`${OWNER}: solver is "${String(solver)}"; it must be admm or conic`);
  }
  const problem = problemOf(OWNER, X, y, {
    ...options,
    maxIter: options.maxIter ?? (solver === "admm" ? 4000 : 20_000),
  });
  requirePositive(OWNER, "rho", rho);
  if (!(relaxation > 0 && relaxation < 2)) {
    throw new ValueError(`${OWNER}: relaxation is ${relaxation}; it must be in (0, 2)`);
  }
  const { design, bias } = problem;
  const eps = radiiOf(OWNER, options.eps, design.d - (bias ? 1 : 0), design.d);
  const patterns = usablePatterns(design, robustPatterns(problem, options.patterns, eps), eps);
  if (patterns.D.length === 0) return resultOf(problem, ...zeroNetwork(problem, patterns), eps, options);
  const operator = new PatternOperator(design, patterns);
  const solved =
    solver === "admm"
      ? await solveByAdmm(problem, operator, eps, options, rho, relaxation)
      : await solveByConic(problem, operator, eps, options);
  return resultOf(problem, operator, solved, eps, options);
}

interface Solved {
  readonly blocks: Float64Array;
  readonly duals: RobustDuals;
  readonly iterations: number;
  readonly status: ConvexStatus;
  readonly history: readonly HistoryPoint[];
  readonly state?: RobustState;
}

async function solveByAdmm(
  problem: Problem,
  operator: PatternOperator,
  eps: Float64Array,
  options: RobustNetOptions,
  rho: number,
  relaxation: number,
): Promise<Solved> {
  const { loss, y, beta, unit, tol, maxIter } = problem;
  const state = options.resume === undefined ? initialRobustState(operator, rho) : resumed(options.resume, operator);
  const admm = new RobustAdmm(new RobustMap(operator, loss, y, eps), beta, relaxation, state);
  const objective = () => {
    const values = robustValues(operator, state.z.blocks, eps);
    return unit * (worstLoss(loss, values, y) + beta * normSum(state.z.blocks, operator.d));
  };
  const { status, history } = await iterate(
    {
      made: () => state.k,
      step: () => admm.step(),
      report: () => ({ objective: objective() }),
      adapt({ primal, dual }, iteration) {
        if (iteration % 50 !== 0 || iteration > 0.6 * maxIter) return;
        if (primal > 5 * dual) admm.setRho(state.rho * 2);
        else if (dual > 5 * primal) admm.setRho(state.rho / 2);
      },
    },
    { ...options, tol, maxIter },
  );
  return { blocks: state.z.blocks, duals: admm.duals(), iterations: state.k, status, history, state };
}

async function solveByConic(
  { loss, y, beta, tol, maxIter }: Problem,
  operator: PatternOperator,
  eps: Float64Array,
  { signal }: RobustNetOptions,
): Promise<Solved> {
  const program = new RobustConic(operator, loss, y, beta, eps);
  const { blocks, duals, iterations, solved } = await program.solve(tol, maxIter, signal);
  const status = solved ? "converged" : signal?.aborted ? "aborted" : "inaccurate";
  return { blocks, duals, iterations, status, history: [] };
}

function resultOf(
  { design, loss, y, beta, unit, bias }: Problem,
  operator: PatternOperator,
  { blocks, duals, iterations, status, history, state }: Solved,
  eps: Float64Array,
  { certify = true }: RobustNetOptions,
): RobustNetResult {
  const { P, d, patterns } = operator;
  const net = recoverNetwork(blocks, P, d, bias);
  const values = robustValues(operator, blocks, eps);
  const norms = normSum(blocks, d);
  const certifiedLoss = unit * worstLoss(loss, values, y, values.excess);
  const networkObjective = certifiedLoss + unit * beta * weightPenalty(net);
  const bound = certify ? robustDualBound(design, patterns, loss, y, beta, eps, duals) : undefined;
  const dualBound: DualBound | undefined = bound && { ...bound, value: unit * bound.value };
  return {
    net,
    convexObjective: unit * (worstLoss(loss, values, y) + beta * norms),
    networkObjective,
    ...(dualBound && { dualBound, gap: dualBound.value > 0 ? networkObjective / dualBound.value - 1 : Infinity }),
    certifiedLoss,
    collapsed: norms < 1e-8,
    maxViolation: values.slack.reduce((worst, value) => Math.max(worst, -value), 0),
    V: tensor(blocks.slice(0, P * d), { shape: [P, d] }),
    W: tensor(blocks.slice(P * d), { shape: [P, d] }),
    patterns,
    iterations,
    status,
    history,
    ...(state && { state }),
  };
}

function robustPatterns(problem: Problem, patterns: Patterns | number | undefined, eps: Float64Array): Patterns {
  const { design, seed } = problem;
  const { n, d } = design;
  if (typeof patterns === "number")
    return drawPatterns(design, { count: patterns, seed, perturb: { eps, perDirection: 6 } });
  if (patterns !== undefined) return patternsOf(problem, patterns);
  const corners = 2 ** eps.filter((value) => value > 0).length;
  if (enumerationWork(n * corners, d) <= ENUMERATION_WORK) return arrangementPatterns(design, eps);
  if (n <= 500 && d <= 4) return drawPatterns(design, { count: n * n, seed, maxDraws: 50_000, usable: { eps } });
  return drawPatterns(design, { count: 100, seed, perturb: { eps, perDirection: 6 } });
}

/** No block can differ from 0: the optimum without an iteration, and the dual variables that prove it. */
function zeroNetwork({ design, loss, y }: Problem, patterns: Patterns): [PatternOperator, Solved] {
  const { n, d } = design;
  const one = new PatternOperator(design, { ...patterns, D: [new Uint8Array(n)] });
  const slope = new Float64Array(n);
  lossGradient(loss, new Float64Array(n), y, slope);
  if (loss !== "squared") for (let k = 0; k < n; k++) slope[k] *= -y[k];
  const duals: RobustDuals = {
    slope,
    size: slope.map(Math.abs),
    theta: new Float64Array(n * d),
    multipliers: new Float64Array(2 * n),
    turn: new Float64Array(2 * d),
  };
  return [one, { blocks: new Float64Array(2 * d), duals, iterations: 0, status: "converged", history: [] }];
}

function resumed(state: RobustState, operator: PatternOperator): RobustState {
  const fresh = initialRobustState(operator, state.rho);
  fresh.k = state.k;
  if (!(state.rho > 0)) throw new ValueError(`${OWNER}: resume.rho is ${state.rho}; give the state of an earlier run`);
  for (const side of ["z", "u"] as const) {
    for (const name of rowNames) {
      const values = Float64Array.from(state[side][name]);
      if (values.length !== fresh[side][name].length) {
        throw new ShapeError(
          `${OWNER}: resume.${side}.${name} has ${values.length} entries, not ${fresh[side][name].length}; ` +
            "give the state of a run on the same data and patterns",
        );
      }
      fresh[side][name].set(values);
    }
  }
  return fresh;
}

function normSum(blocks: Float64Array, d: number): number {
  let sum = 0;
  for (let at = 0; at < blocks.length; at += d) sum += blockNorm(blocks, at, d);
  return sum;
}
