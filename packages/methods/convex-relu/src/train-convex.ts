import { type Loop, runLoop, runOptionNames } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  random,
  refuseIdle,
  requireChoice,
  requireInteger,
  requirePositive,
  ShapeError,
  type TensorLike,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { type AdmmState, initialState, resumedState } from "./admm-state.js";
import { blockNorm, blockNorms } from "./column-products.js";
import { type DualBound, dualBound, relativeGap } from "./dual-bound.js";
import { ExactAdmm } from "./exact-admm.js";
import { type Loss, lossGradient, lossSum } from "./loss.js";
import { outputsOn, recoverNetwork, weightPenalty } from "./network.js";
import { type ConvexNetOptions, type ConvexNetResult, type ConvexRecord, commonOptionNames } from "./options.js";
import { PatternOperator } from "./pattern-operator.js";
import { PatternSet, type Patterns, patternOf } from "./patterns.js";
import { RbcdAdmm, type RbcdSettings } from "./rbcd-admm.js";
import { recordOf } from "./run-record.js";
import { SampledProgram, type SampledState } from "./sampled-program.js";
import { certifiedPatterns, type Problem, patternsOf, problemOf, residualBound } from "./settings.js";

const OWNER = "trainConvex";

const optionNames = [...commonOptionNames, "method", "rho", "dualStep", "rbcd", "scp", ...runOptionNames];

/** What a method does not look at. */
const idleOptions = {
  admm: ["rbcd", "scp"],
  "admm-rbcd": ["scp"],
  scp: ["patterns", "rho", "dualStep", "rbcd"],
} as const;

/**
 * Trains a ReLU network with one hidden layer to the global optimum, by convex optimisation over activation patterns,
 * and proves how far from the optimum it is at most.
 * @param X `[samples, features]`, finite; standardise columns of different units first.
 * @param y `[samples]`; -1 and 1 for `bce` and `hinge`.
 * @throws ValueError, ShapeError for data or options that are not as described; UnsupportedError for the hinge loss
 * with a method that needs a derivative.
 * @see {@link https://arxiv.org/abs/2201.01965}
 * @example
 * const { net, gap } = await trainConvex([[-1], [0], [1], [2]], [1, 0, 1, 2], { loss: "squared", beta: 0.01 });
 * predict(net, [[0.5]]);
 */
export async function trainConvex(X: TensorLike, y: TensorLike, options: ConvexNetOptions): Promise<ConvexNetResult> {
  checkOptions(OWNER, options, optionNames, ["loss", "beta"]);
  const problem = problemOf(OWNER, X, y, options);
  const { method = "admm" } = options;
  requireChoice(OWNER, "method", method, ["admm", "admm-rbcd", "scp"]);
  if (problem.loss === "hinge" && method !== "admm") {
    throw new UnsupportedError(`${OWNER}: ${method} needs a differentiable loss; use method admm for the hinge loss`);
  }
  refuseIdle(OWNER, `method "${method}"`, options, idleOptions[method]);
  return method === "scp" ? trainSampled(problem, options) : trainOverPatterns(problem, options, method);
}

async function trainOverPatterns(
  problem: Problem,
  options: ConvexNetOptions,
  method: "admm" | "admm-rbcd",
): Promise<ConvexNetResult> {
  const { design, y, loss, beta, maxIterations } = problem;
  const tolerance = residualBound(problem);
  const { dualStep = 1, rho = "auto", resume } = options;
  if (!(dualStep > 0 && dualStep < 1.618)) {
    throw new ValueError(`${OWNER}: dualStep is ${dualStep}; it must be in (0, 1.618)`);
  }
  if (rho !== "auto") requirePositive(OWNER, "rho", rho);
  const descent = rbcdSettings(options);
  const operator = new PatternOperator(design, await patternsOf(problem, options.patterns, options.signal));
  const { P, n, d } = operator;
  // A run that was aborted while its patterns were drawn has nothing to go on from yet.
  const from = resume?.iterations === 0 ? undefined : (resume?.inner as AdmmState | undefined);
  const state =
    from === undefined
      ? initialState(P, n, d, rho === "auto" ? startingRho(operator) : rho, descent.stepSize)
      : resumedState(OWNER, from, P, n, d);
  const admm =
    method === "admm"
      ? new ExactAdmm(operator, loss, y, beta, dualStep, state)
      : new RbcdAdmm(operator, loss, y, beta, dualStep, state, descent, problem.seed);
  const difference = new Float64Array(P * d);
  const f = new Float64Array(n);
  const objective = () => {
    operator.differences(state.v, difference);
    operator.predict(difference, f);
    return problem.unit * (lossSum(loss, f, y) + beta * blockNorms(state.v, d));
  };
  let zeroIsBest: boolean | undefined;
  const converged = () => {
    if (!(state.primal <= tolerance && state.dual <= tolerance)) return false;
    // Updates that are below all floats leave no residual either, however far the optimum is.
    if (state.v.some((value) => value !== 0)) return true;
    zeroIsBest ??= zeroSolves(problem, operator.patterns);
    return zeroIsBest;
  };
  // The arrays of ADMM are the state of the iteration, and `snapshot` copies them.
  const loop: Loop<AdmmState | SampledState, ConvexRecord> = {
    owner: OWNER,
    limit: maxIterations,
    initial: () => state,
    step() {
      admm.step();
      if (rho === "auto") balanceResiduals(admm, maxIterations);
      return state;
    },
    record: (_, k) => recordOf(k, state, converged(), objective),
    finished: () => (converged() ? "converged" : undefined),
    snapshot: () => structuredClone(state),
  };
  const { last: _, ...run } = await runLoop(loop, options);
  const net = recoverNetwork(state.v, P, d, problem.bias);
  const convexObjective = objective();
  // Minus a subgradient of the loss: for the hinge loss the dual variable knows which one.
  const z = new Float64Array(n);
  if (loss === "hinge") for (let k = 0; k < n; k++) z[k] = -state.rho * state.mu[k];
  return {
    net,
    convexObjective,
    ...certified(problem, options, net, operator.patterns, loss === "hinge" ? z : undefined),
    maxViolation: operator.violation(state.v),
    V: tensor(state.v.slice(0, P * d), { shape: [P, d] }),
    W: tensor(state.v.slice(P * d), { shape: [P, d] }),
    patterns: operator.patterns,
    ...run,
  };
}

/** 0.01 times the mean diagonal of F^T F. */
function startingRho({ P, n, d, mask, design }: PatternOperator): number {
  let trace = 0;
  for (let i = 0; i < P; i++) {
    for (let k = 0; k < n; k++) if (mask[i * n + k]) trace += blockNorm(design.rows, k * d, d) ** 2;
  }
  return trace > 0 ? (0.01 * trace) / (P * d) : 1;
}

/** What the bound of the optimum may be below the loss of the zero network, as a part of it, where that is the solution. */
const ZERO_GAP = 0.1;

/** Minus the gradient of the loss. */
function descent(loss: Loss, f: Float64Array, y: Float64Array): Float64Array {
  const z = new Float64Array(f.length);
  lossGradient(loss, f, y, z);
  for (let k = 0; k < z.length; k++) z[k] = -z[k];
  return z;
}

/** Whether no network with these patterns is much better than the zero network. */
function zeroSolves({ design, y, loss, beta }: Problem, patterns: Patterns): boolean {
  const f = new Float64Array(design.n);
  return dualBound(design, patterns, loss, descent(loss, f, y), y, beta).value >= (1 - ZERO_GAP) * lossSum(loss, f, y);
}

/** Doubles or halves rho where one residual is far above the other; the last part of the run keeps it. */
function balanceResiduals(admm: ExactAdmm | RbcdAdmm, maxIterations: number): void {
  const { k, primal, dual, rho } = admm.state;
  if (k % 50 !== 0 || k > 0.6 * maxIterations) return;
  if (primal > 5 * dual) admm.setRho(rho * 2);
  else if (dual > 5 * primal) admm.setRho(rho / 2);
}

function rbcdSettings({ rbcd = {} }: ConvexNetOptions): RbcdSettings {
  checkOptions(`${OWNER}: rbcd`, rbcd, ["blockSize", "threshold", "decay", "stepSize", "cap"]);
  const { blockSize = 3, threshold = 1e-2, decay = 0.95, stepSize = 1, cap = 2000 } = rbcd;
  requireInteger(OWNER, "rbcd.blockSize", blockSize, 1);
  requireInteger(OWNER, "rbcd.cap", cap, 1);
  requirePositive(OWNER, "rbcd.threshold", threshold);
  requirePositive(OWNER, "rbcd.stepSize", stepSize);
  if (!(decay > 0 && decay <= 1)) throw new ValueError(`${OWNER}: rbcd.decay is ${decay}; it must be in (0, 1]`);
  return { blockSize, threshold, decay, stepSize, cap };
}

/** The network's objective, a lower bound of the optimum, and the gap between them. */
function certified(
  { design, y, loss, beta, unit }: Problem,
  { certify = true }: ConvexNetOptions,
  net: ConvexNetResult["net"],
  patterns: Patterns,
  subgradient?: Float64Array,
): Pick<ConvexNetResult, "networkObjective" | "dualBound" | "gap"> {
  const f = outputsOn(net, design);
  const networkObjective = unit * (lossSum(loss, f, y) + beta * weightPenalty(net));
  if (!certify) return { networkObjective };
  const z = subgradient ?? descent(loss, f, y);
  const { value, scope } = dualBound(design, certifiedPatterns(design, patterns), loss, z, y, beta);
  const bound: DualBound = { value: unit * value, scope };
  return { networkObjective, dualBound: bound, gap: relativeGap(networkObjective, bound.value) };
}

async function trainSampled(problem: Problem, options: ConvexNetOptions): Promise<ConvexNetResult> {
  const { design, y, loss, beta, unit, bias, maxIterations } = problem;
  const tolerance = residualBound(problem);
  const { n, d } = design;
  const neurons = sampledNeurons(problem, options);
  const N = neurons.length / d;
  const from = options.resume?.inner as SampledState | undefined;
  const program = new SampledProgram(design, neurons, loss, y, beta, from);
  const { state } = program;
  const converged = () => state.change <= tolerance;
  const loop: Loop<AdmmState | SampledState, ConvexRecord> = {
    owner: OWNER,
    limit: maxIterations,
    initial: () => state,
    step() {
      program.advance();
      return state;
    },
    record: (_, k) => recordOf(k, { primal: state.change, dual: 0 }, converged(), () => unit * state.objective),
    finished: () => (converged() ? "converged" : undefined),
    snapshot: () => structuredClone(state),
  };
  const { last: _, ...run } = await runLoop(loop, options);
  const blocks = new Float64Array(2 * N * d);
  const found = new PatternSet();
  const pattern = new Uint8Array(n);
  for (let i = 0; i < N; i++) {
    const weight = state.a[i];
    const to = (weight > 0 ? i : N + i) * d;
    for (let c = 0; c < d; c++) blocks[to + c] = Math.abs(weight) * neurons[i * d + c];
    patternOf(design.rows, n, d, neurons, i * d, pattern);
    found.add(pattern);
  }
  const net = recoverNetwork(blocks, N, d, bias);
  const patterns: Patterns = { D: found.D, draws: N, exhausted: false, complete: false };
  return {
    net,
    convexObjective: unit * state.objective,
    ...certified(problem, options, net, patterns),
    maxViolation: 0,
    V: tensor(blocks.slice(0, N * d), { shape: [N, d] }),
    W: tensor(blocks.slice(N * d), { shape: [N, d] }),
    patterns,
    ...run,
  };
}

/** Unit vectors `[N, d]`. */
function sampledNeurons({ design, seed }: Problem, { scp = {} }: ConvexNetOptions): Float64Array {
  const { d } = design;
  checkOptions(`${OWNER}: scp`, scp, ["samples", "weights"]);
  if (scp.weights !== undefined) refuseIdle(`${OWNER}: scp`, "weights of your own", scp, ["samples"]);
  if (scp.weights === undefined) {
    const { samples = 500 } = scp;
    requireInteger(OWNER, "scp.samples", samples, 1);
    return random.rng(seed).sphere([samples, d], { dtype: "float64" }).data() as Float64Array;
  }
  const weights = asTensor(scp.weights, "float64");
  if (weights.rank !== 2 || weights.shape[0] !== d || weights.shape[1] === 0) {
    throw new ShapeError(`${OWNER}: scp.weights has shape [${weights.shape}]; give [${d}, neurons]`);
  }
  const N = weights.shape[1];
  const columns = weights.data();
  const out = new Float64Array(N * d);
  for (let i = 0; i < N; i++) {
    for (let c = 0; c < d; c++) out[i * d + c] = columns[c * N + i];
    const norm = blockNorm(out, i * d, d);
    if (!(norm > 0 && norm < Infinity)) {
      throw new ValueError(
        `${OWNER}: column ${i} of scp.weights has the norm ${norm}; give finite columns that are not 0`,
      );
    }
    for (let c = 0; c < d; c++) out[i * d + c] /= norm;
  }
  return out;
}
