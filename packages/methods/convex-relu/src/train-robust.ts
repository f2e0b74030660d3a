import { type Loop, type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  refuseIdle,
  requireChoice,
  requirePositive,
  type TensorLike,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { keep, keptNumber, keptPositive } from "./admm-state.js";
import { blockNorms } from "./column-products.js";
import { type DualBound, relativeGap } from "./dual-bound.js";
import { arrangementPatterns, cornerCount, enumerationWork } from "./enumerate-patterns.js";
import { lossGradient } from "./loss.js";
import { recoverNetwork, weightPenalty } from "./network.js";
import { type CommonOptions, type ConvexNetResult, type ConvexRecord, commonOptionNames } from "./options.js";
import { PatternOperator } from "./pattern-operator.js";
import type { Patterns } from "./patterns.js";
import { initialRobustState, RobustAdmm, type RobustState } from "./robust-admm.js";
import { RobustConic } from "./robust-conic.js";
import { type RobustDuals, robustDualBound, usablePatterns } from "./robust-duals.js";
import { RobustMap, rowNames } from "./robust-rows.js";
import { robustValues, worstLoss } from "./robust-terms.js";
import { recordOf } from "./run-record.js";
import { drawPatternsPolitely, radiiOf } from "./sample-patterns.js";
import { type Problem, patternsOf, problemOf, residualBound } from "./settings.js";

const OWNER = "trainRobust";
/** Usable patterns are listed where that takes this much at most. */
const ENUMERATION_WORK = 2e6;
/** Without being asked for more the programme has so many patterns at most: its factor grows like their cube. */
const MOST_PATTERNS = 200;

/** Where a run of `trainRobust` stands. */
export type RobustRunState = RunState<RobustState, ConvexRecord>;

/** Options of `trainRobust`. */
export interface RobustNetOptions extends CommonOptions, RunOptions<ConvexRecord, RobustRunState> {
  /** How far every feature of every sample may be moved: one radius >= 0, or `[features]`. */
  eps: TensorLike;
  /**
   * Activation patterns, or how many to sample with perturbed data (S = 6 patterns per draw). Default: all that the
   * programme can use where they can be listed and are 200 at most; else the first 200 of those among 50 000 draws, for
   * n <= 500 and d <= 4; else 100 sampled.
   */
  patterns?: Patterns | number;
  /**
   * `admm`: the splitting of this package; `conic`: the interface to @offprint/conic, which reports nothing on its way
   * and keeps no state. Default `admm`.
   */
  solver?: "admm" | "conic";
  /** Most iterations, those of resumed runs included. Default 4000; for `conic` 20 000. */
  maxIterations?: number;
  /** Penalty of ADMM at the start, > 0; it follows the residuals in the first 60 % of a run. Default 0.01. */
  rho?: number;
  /** Over-relaxation of ADMM, in (0, 2). Default 1.6. */
  relaxation?: number;
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
  /**
   * Why the network has no neuron, else false. `optimum`: no network with these patterns is better than the zero network,
   * to the tolerance; take a smaller `eps` or `beta`, or more patterns. `unfinished`: the run ended before it had found
   * anything better, and whether there is something is not known; take more `maxIterations`.
   */
  readonly collapsed: "optimum" | "unfinished" | false;
  /** What `resume` takes; only ADMM has it, and none where the zero network is the only one. */
  readonly state?: RobustRunState;
}

const optionNames = [...commonOptionNames, "eps", "solver", "rho", "relaxation", ...runOptionNames];

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
  checkOptions(OWNER, options, optionNames, ["eps", "loss", "beta"]);
  const { solver = "admm", relaxation = 1.6, rho = 0.01 } = options;
  requireChoice(OWNER, "solver", solver, ["admm", "conic"]);
  if (solver === "conic" && (options.resume !== undefined || options.checkpoint !== undefined)) {
    throw new UnsupportedError(`${OWNER}: solver "conic" keeps no state to resume from; take "admm"`);
  }
  if (solver === "conic") refuseIdle(OWNER, 'solver "conic"', options, ["rho", "relaxation"]);
  const { maxIterations = solver === "admm" ? 4000 : 20_000 } = options;
  const problem = problemOf(OWNER, X, y, { ...options, maxIterations });
  requirePositive(OWNER, "rho", rho);
  if (!(relaxation > 0 && relaxation < 2)) {
    throw new ValueError(`${OWNER}: relaxation is ${relaxation}; it must be in (0, 2)`);
  }
  const { design, bias } = problem;
  const eps = radiiOf(OWNER, options.eps, design.d - (bias ? 1 : 0), design.d);
  const patterns = usablePatterns(design, await robustPatterns(problem, eps, options), eps);
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
  readonly status: Status;
  readonly history: readonly ConvexRecord[];
  readonly state?: RobustRunState;
}

async function solveByAdmm(
  problem: Problem,
  operator: PatternOperator,
  eps: Float64Array,
  options: RobustNetOptions,
  rho: number,
  relaxation: number,
): Promise<Solved> {
  const { loss, y, beta, unit, maxIterations } = problem;
  const tolerance = residualBound(problem);
  // A run that was aborted while its patterns were drawn has nothing to go on from yet.
  const from = options.resume?.iterations === 0 ? undefined : options.resume?.inner;
  const state = from === undefined ? initialRobustState(operator, rho) : resumed(from, operator);
  const admm = new RobustAdmm(new RobustMap(operator, loss, y, eps), beta, relaxation, state);
  const objective = () => {
    const values = robustValues(operator, state.z.blocks, eps);
    return unit * (worstLoss(loss, values, y) + beta * blockNorms(state.z.blocks, operator.d));
  };
  const converged = () => state.primal <= tolerance && state.dual <= tolerance;
  // The arrays of ADMM are the state of the iteration, and `snapshot` copies them.
  const loop: Loop<RobustState, ConvexRecord> = {
    owner: OWNER,
    limit: maxIterations,
    initial: () => state,
    step() {
      admm.step();
      balanceResiduals(admm, maxIterations);
      return state;
    },
    record: (_, k) => recordOf(k, state, converged(), objective),
    finished: () => (converged() ? "converged" : undefined),
    snapshot: () => structuredClone(state),
  };
  const { last: _, ...run } = await runLoop(loop, options);
  return { blocks: state.z.blocks, duals: admm.duals(), ...run };
}

/** Doubles or halves rho where one residual is far above the other; the last part of the run keeps it. */
function balanceResiduals(admm: RobustAdmm, maxIterations: number): void {
  const { k, primal, dual, rho } = admm.state;
  if (k % 50 !== 0 || k > 0.6 * maxIterations) return;
  if (primal > 5 * dual) admm.setRho(rho * 2);
  else if (dual > 5 * primal) admm.setRho(rho / 2);
}

async function solveByConic(
  { loss, y, beta, tolerance, maxIterations }: Problem,
  operator: PatternOperator,
  eps: Float64Array,
  { signal }: RobustNetOptions,
): Promise<Solved> {
  const program = new RobustConic(operator, loss, y, beta, eps);
  const { blocks, duals, iterations, solved } = await program.solve(tolerance, maxIterations, signal);
  const status = solved ? "converged" : signal?.aborted ? "aborted" : "limit";
  return { blocks, duals, iterations, status, history: [] };
}

function resultOf(
  problem: Problem,
  operator: PatternOperator,
  { blocks: found, duals, iterations, status, history, state }: Solved,
  eps: Float64Array,
  { certify = true }: RobustNetOptions,
): RobustNetResult {
  const { design, loss, y, beta, unit, bias, tolerance } = problem;
  const { P, d, patterns } = operator;
  const proved = (blocks: Float64Array) => {
    const net = recoverNetwork(blocks, P, d, bias);
    const values = robustValues(operator, blocks, eps);
    const certifiedLoss = unit * worstLoss(loss, values, y, values.excess);
    const networkObjective = certifiedLoss + unit * beta * weightPenalty(net);
    return { blocks, net, values, certifiedLoss, networkObjective };
  };
  // The zero network is always feasible. Where what was found is not better, as constraints are not met yet, or by rounding
  // only, it stands.
  const [own, zero] = [proved(found), proved(new Float64Array(found.length))];
  const { blocks, net, values, certifiedLoss, networkObjective } =
    own.networkObjective < (1 - 1e-12) * zero.networkObjective ? own : zero;
  const norms = blockNorms(blocks, d);
  const vanished = net.a.size === 0;
  // The bound also tells whether the zero network is the optimum or all that an unfinished run has.
  const bound = certify || vanished ? robustDualBound(design, patterns, loss, y, beta, eps, duals) : undefined;
  const dualBound: DualBound | undefined = bound && { ...bound, value: unit * bound.value };
  const gap = dualBound && relativeGap(networkObjective, dualBound.value);
  // Where the bound is loose, as the patterns' cones have too many corners, a run that converged to 0 tells as much.
  const optimal =
    (gap !== undefined && gap <= Math.max(tolerance, 1e-6)) ||
    (status === "converged" && blockNorms(found, d) <= residualBound(problem));
  return {
    net,
    convexObjective: unit * (worstLoss(loss, values, y) + beta * norms),
    networkObjective,
    ...(certify && { dualBound, gap }),
    certifiedLoss,
    collapsed: vanished && (optimal ? "optimum" : "unfinished"),
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

async function robustPatterns(
  problem: Problem,
  eps: Float64Array,
  { patterns, signal }: RobustNetOptions,
): Promise<Patterns> {
  const { design, seed } = problem;
  const { n, d } = design;
  const drawn = (count: number) =>
    drawPatternsPolitely(design, { count, seed, perturb: { eps, perDirection: 6 } }, signal);
  if (typeof patterns === "number") return drawn(patterns);
  if (patterns !== undefined) return patternsOf(problem, patterns, signal, eps);
  if (enumerationWork(n * cornerCount(eps), d) <= ENUMERATION_WORK) {
    const all = arrangementPatterns(design, eps);
    if (all.D.length <= MOST_PATTERNS) return all;
  }
  if (n <= 500 && d <= 4)
    return drawPatternsPolitely(design, { count: MOST_PATTERNS, seed, maxDraws: 50_000, usable: { eps } }, signal);
  return drawn(100);
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
  for (const name of ["k", "primal", "dual"] as const) fresh[name] = keptNumber(OWNER, name, state[name]);
  fresh.rho = keptPositive(OWNER, "rho", state.rho);
  for (const side of ["z", "u"] as const) {
    for (const name of rowNames) keep(OWNER, `${side}.${name}`, state[side]?.[name], fresh[side][name]);
  }
  return fresh;
}
