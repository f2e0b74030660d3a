import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import type { BlockObjective } from "./block-objective.js";
import { blockNeeds, requireParts, ruleNeeds, updateNeeds } from "./needs.js";
import type { BcdMethodOptions, BcdProblem, BlockUpdate, NamedBlocks, SelectionRule } from "./options.js";
import { Separable } from "./separable.js";

const OWNER = "bcd";

/** The options of the method with their defaults, checked against each other and against what the objective offers. */
export interface Settings {
  readonly objective: BlockObjective;
  readonly separable: Separable;
  readonly tau: number;
  /** Whether blocks grow with the support in place of having tau variables at most. */
  readonly growing: boolean;
  readonly blocks: NonNullable<BcdMethodOptions["blocks"]>;
  readonly rule: NonNullable<BcdMethodOptions["rule"]>;
  readonly norm: 1 | 2;
  readonly update: BlockUpdate;
  readonly hessianLipschitz: number;
  readonly maxIterations: number;
  readonly tolerance: number;
  readonly fStar: number;
  /** Whether the L_i are estimated in the course of the run. */
  readonly estimated: boolean;
  readonly sufficientDecrease: number;
  readonly seed: number | string;
  readonly thresholding: "refined" | "plain";
}

/** Checks a problem and the options of the method. */
export function readSettings(problem: BcdProblem, options: BcdMethodOptions): Settings {
  const { objective, separable } = readProblem(OWNER, problem);
  const { n } = objective;
  const { blockSize: tau = Math.min(5, n), norm = 2, maxIterations = 500, tolerance = 1e-8, seed = 0 } = options;
  const { sufficientDecrease = 1e-4, thresholding = "refined", fStar = -Infinity } = options;
  requireInteger(OWNER, "blockSize", tau, 1, n);
  requireChoice(OWNER, "norm", norm, [1, 2]);
  requireInteger(OWNER, "maxIterations", maxIterations, 0);
  requireNonNegative(OWNER, "tolerance", tolerance);
  if (typeof seed !== "string") requireInteger(OWNER, "seed", seed, Number.MIN_SAFE_INTEGER);
  requireChoice(OWNER, "thresholding", thresholding, ["refined", "plain"]);
  if (options.fStar !== undefined && !Number.isFinite(fStar)) {
    throw new ValueError(`${OWNER}: fStar is ${fStar}; it must be finite`);
  }
  if (!(sufficientDecrease > 0 && sufficientDecrease < 0.5)) {
    throw new ValueError(`${OWNER}: sufficientDecrease is ${sufficientDecrease}; it must lie between 0 and 1/2`);
  }
  const blocks = readBlocks(objective, options);
  const update = readUpdate(objective, separable, blocks, options);
  const rule = readRule(objective, separable, blocks, options);
  refuseIdle(options, blocks, rule, update, searches(update, objective));
  const secondOrder = update === "pn" || update === "tmp";
  return {
    growing: options.blockSize === undefined && blocks === "variable" && rule === "gs-q" && secondOrder,
    ...{ objective, separable, tau, blocks, rule, norm, update, maxIterations, tolerance, fStar, seed },
    ...{ sufficientDecrease, thresholding },
    hessianLipschitz: options.hessianLipschitz ?? Number.NaN,
    estimated: update === "lipschitz-approx" || !(objective.lipschitz ?? objective.blockBound),
  };
}

/** Blocks that are chosen anew: variables are scored, not blocks. */
const unscored: readonly string[] = ["variable", "greedy-tree", "random-tree"] satisfies NamedBlocks[];

/** Whether an update looks for the length of its steps. */
function searches(update: BlockUpdate, { quadratic, blockHessian, sparseHessian }: BlockObjective): boolean {
  if (update === "newton" || update === "tmp") return true;
  if (quadratic) return false;
  return update === "pn" ? blockHessian !== undefined : update === "message-passing" && sparseHessian !== undefined;
}

/** @throws ValueError for an option that would do nothing beside the others. */
function refuseIdle(
  options: BcdMethodOptions,
  blocks: Settings["blocks"],
  rule: Settings["rule"],
  update: BlockUpdate,
  searched: boolean,
): void {
  const scored = !(typeof blocks === "string" && unscored.includes(blocks)) && (rule === "gs" || rule === "gsl");
  const sized = typeof blocks === "string" && !fromGraph(blocks);
  const shown = typeof blocks === "string" ? `blocks "${blocks}"` : "blocks of your own";
  const idle: readonly (readonly [name: keyof BcdMethodOptions, isIdle: boolean, reason: string])[] = [
    ["blockSize", !sized, `${shown} have their own sizes`],
    ["rule", blocks === "random-tree", `${shown} are drawn`],
    ["thresholding", rule !== "gsq" || blocks !== "variable", 'it is of rule "gsq" with variable blocks'],
    ["norm", !scored, 'it is of rules "gs" and "gsl" with fixed blocks'],
    ["sufficientDecrease", !searched, `update "${update}" takes its steps without a line search here`],
    ["hessianLipschitz", update !== "cubic", `it is of update "cubic", not of "${update}"`],
  ];
  for (const [name, isIdle, reason] of idle) {
    if (isIdle && options[name] !== undefined) throw new ValueError(`${OWNER}: ${name}: ${reason}; leave it out`);
  }
}

/** @internal f and the h_i of a problem, checked. */
export function readProblem(
  owner: string,
  problem: BcdProblem,
): { readonly objective: BlockObjective; readonly separable: Separable } {
  const objective = problem?.smooth;
  if (typeof objective?.value !== "function" || typeof objective.gradient !== "function") {
    throw new ValueError(
      `${owner}: problem.smooth must have n, value(x) and gradient(x); take leastSquares, quadratic, ... or your own`,
    );
  }
  checkOptions(`${owner}: problem`, problem, ["smooth", "composite"]);
  requireInteger(owner, "problem.smooth.n", objective.n, 1);
  const { composite = { kind: "none" } } = problem;
  return { objective, separable: new Separable(owner, composite, objective.n) };
}

function readBlocks(objective: BlockObjective, { blocks = "variable" }: BcdMethodOptions): Settings["blocks"] {
  if (Array.isArray(blocks)) return blocks as Settings["blocks"];
  requireChoice(OWNER, "blocks", blocks, Object.keys(blockNeeds));
  const { needs } = blockNeeds[blocks as NamedBlocks];
  if (needs) requireParts(objective, `blocks "${blocks}"`, needs);
  return blocks as NamedBlocks;
}

function readUpdate(
  objective: BlockObjective,
  separable: Separable,
  blocks: Settings["blocks"],
  options: BcdMethodOptions,
): BlockUpdate {
  const { update = defaultUpdate(objective, separable, blocks) } = options;
  requireChoice(OWNER, "update", update, Object.keys(updateNeeds));
  const { smoothOnly, needs } = updateNeeds[update];
  if (smoothOnly && !separable.none) {
    throw new ValueError(
      `${OWNER}: update "${update}" is for smooth problems; with a composite take "pg", "pn", "tmp" or "lipschitz-approx"`,
    );
  }
  if (needs) requireParts(objective, `update "${update}"`, needs);
  const { hessianLipschitz: M } = options;
  if (update === "cubic" && !(M !== undefined && M > 0 && M < Infinity)) {
    throw new ValueError(
      `${OWNER}: hessianLipschitz is ${M}; update "cubic" needs a positive bound of how fast the Hessian changes`,
    );
  }
  return update;
}

function defaultUpdate(objective: BlockObjective, separable: Separable, blocks: Settings["blocks"]): BlockUpdate {
  const { blockHessian, blockBound, lipschitz, quadratic } = objective;
  if (!separable.none) return blockHessian || blockBound ? "pn" : lipschitz ? "pg" : "lipschitz-approx";
  if (fromGraph(blocks)) return "message-passing";
  if (blockBound && (quadratic || !blockHessian)) return "matrix";
  if (blockHessian) return "newton";
  return lipschitz ? "gradient" : "lipschitz-approx";
}

function readRule(
  objective: BlockObjective,
  separable: Separable,
  blocks: Settings["blocks"],
  options: BcdMethodOptions,
): Settings["rule"] {
  const { rule = defaultRule(separable, blocks) } = options;
  if (typeof rule === "function") return rule;
  requireChoice(OWNER, "rule", rule, Object.keys(ruleNeeds));
  const what = `rule "${rule}"`;
  const { greedy, ordersTrees, quadraticOnly, fixed = [], variable = [] } = ruleNeeds[rule];
  if (greedy === "smooth" && !separable.none) {
    throw new ValueError(
      `${OWNER}: ${what} scores the gradient of a smooth problem; with a composite take "gs-q" or a rule without gradient`,
    );
  }
  if (blocks === "random-tree") return rule;
  if (blocks === "greedy-tree") {
    if (ordersTrees) return rule;
    throw new ValueError(`${OWNER}: ${what} does not order variables for "greedy-tree"; take "gs" or "gsd"`);
  }
  if (quadraticOnly && blocks === "variable") {
    throw new ValueError(`${OWNER}: ${what} would have to try every set of variables; take fixed blocks, or "gsq"`);
  }
  if (quadraticOnly && !objective.quadratic) {
    throw new UnsupportedError(`${OWNER}: ${what} is for quadratics; take "gsq"`);
  }
  for (const needs of blocks === "variable" ? variable : fixed) requireParts(objective, what, needs);
  return rule;
}

function defaultRule(separable: Separable, blocks: Settings["blocks"]): SelectionRule {
  if (blocks === "red-black" || blocks === "tree-partition") return "cyclic";
  if (!separable.none) return "gs-q";
  return blocks === "variable" || blocks === "greedy-tree" ? "gsd" : "gsl";
}

function fromGraph(blocks: Settings["blocks"]): boolean {
  return typeof blocks === "string" && blockNeeds[blocks as NamedBlocks].fromGraph === true;
}
