import { ShapeError, UnsupportedError, ValueError } from "@offprint/tensor-core";
import type { BlockObjective } from "./block-objective.js";
import { requireWhole, requireWord, vectorOf } from "./numbers.js";
import { numbersFrom } from "./objectives/callback-state.js";
import type { BcdOptions, BcdProblem, BcdSnapshot, BlockUpdate, SelectionRule } from "./options.js";
import { Separable } from "./separable.js";

const OWNER = "bcd";
const CHOICES = [
  "variable",
  "order",
  "sort",
  "avg",
  "hsort",
  "havg",
  "red-black",
  "tree-partition",
  "greedy-tree",
  "random-tree",
];
const RULES = ["random", "cyclic", "perm", "lipschitz", "gs", "gsl", "gsd", "gsq", "mi", "gs-q"];
const UPDATES = [
  "gradient",
  "lipschitz-approx",
  "diagonal",
  "matrix",
  "newton",
  "cubic",
  "message-passing",
  "pg",
  "pn",
  "tmp",
];
const FROM_GRAPH = ["red-black", "tree-partition", "greedy-tree", "random-tree"];
const SMOOTH_ONLY: readonly BlockUpdate[] = ["gradient", "diagonal", "matrix", "newton", "cubic", "message-passing"];

/** Options with their defaults, checked against each other and against what the objective offers. */
export interface Settings {
  readonly objective: BlockObjective;
  readonly separable: Separable;
  readonly tau: number;
  readonly blocks: NonNullable<BcdOptions["blocks"]>;
  readonly rule: NonNullable<BcdOptions["rule"]>;
  readonly norm: 1 | 2;
  readonly update: BlockUpdate;
  readonly maxIterations: number;
  readonly tol: number;
  readonly x0: Float64Array;
  /** `[n]` L_i, positive; ones where they are estimated. */
  readonly lipschitz: Float64Array;
  readonly estimated: boolean;
  readonly sufficientDecrease: number;
  readonly seed: number;
  readonly thresholding: "refined" | "plain";
}

/** Checks a problem and its options. */
export function settle(problem: BcdProblem, options: BcdOptions): Settings {
  const objective = problem.smooth;
  if (typeof objective?.value !== "function" || typeof objective.gradient !== "function") {
    throw new ValueError(
      `${OWNER}: problem.smooth must have n, value(x) and gradient(x); take leastSquares, quadratic, ... or your own`,
    );
  }
  const { n } = objective;
  requireWhole(OWNER, "problem.smooth.n", n, 1);
  const separable = new Separable(OWNER, problem.composite ?? { kind: "none" }, n);
  const {
    blockSize = Math.min(5, n),
    blocks = "variable",
    norm = 2,
    maxIterations = 500,
    tol = 1e-8,
    seed = 0,
  } = options;
  requireWhole(OWNER, "blockSize", blockSize, 1, n);
  requireWhole(OWNER, "maxIterations", maxIterations, 0);
  requireWhole(OWNER, "seed", seed, Number.MIN_SAFE_INTEGER);
  if (options.resume) requireWhole(OWNER, "resume.iteration", options.resume.iteration, 0);
  if (!(tol >= 0 && tol < Infinity)) throw new ValueError(`${OWNER}: tol is ${tol}; it must be finite and >= 0`);
  if (norm !== 1 && norm !== 2) throw new ValueError(`${OWNER}: norm is ${norm}; it must be 1 or 2`);
  if (options.fStar !== undefined && !Number.isFinite(options.fStar)) {
    throw new ValueError(`${OWNER}: fStar is ${options.fStar}; it must be finite`);
  }
  const { sufficientDecrease = 1e-4, thresholding = "refined" } = options;
  if (!(sufficientDecrease > 0 && sufficientDecrease < 0.5)) {
    throw new ValueError(`${OWNER}: sufficientDecrease is ${sufficientDecrease}; it must lie between 0 and 1/2`);
  }
  requireWord(OWNER, "thresholding", thresholding, ["refined", "plain"]);
  if (typeof blocks === "string") {
    requireWord(OWNER, "blocks", blocks, CHOICES);
    if (FROM_GRAPH.includes(blocks))
      need(objective.sparseBound, `blocks "${blocks}"`, "sparseBound, whose pattern is the graph");
    if (blocks === "hsort" || blocks === "havg")
      need(objective.absoluteRowSums, `blocks "${blocks}"`, 'absoluteRowSums; or take "sort"');
  }
  const update = options.update ?? defaultUpdate(objective, separable, blocks);
  requireWord(OWNER, "update", update, UPDATES);
  requireUpdate(objective, separable, update, options);
  const rule = options.rule ?? defaultRule(separable, blocks);
  if (typeof rule !== "function") {
    requireWord(OWNER, "rule", rule, RULES);
    requireRule(objective, separable, blocks, rule);
  }
  const estimated = update === "lipschitz-approx" || !(objective.lipschitz ?? objective.blockBound);
  return {
    ...{ objective, separable, tau: blockSize, blocks, rule, norm, update, maxIterations, tol, seed },
    ...{ estimated, sufficientDecrease, thresholding },
    x0: firstPoint(objective, separable, options),
    lipschitz: constants(objective, estimated, options.resume),
  };
}

function defaultUpdate(objective: BlockObjective, separable: Separable, blocks: Settings["blocks"]): BlockUpdate {
  const curved = objective.blockHessian !== undefined || objective.blockBound !== undefined;
  if (!separable.none) return curved ? "pn" : objective.lipschitz ? "pg" : "lipschitz-approx";
  if (typeof blocks === "string" && FROM_GRAPH.includes(blocks)) return "message-passing";
  if (objective.blockBound && (objective.quadratic || !objective.blockHessian)) return "matrix";
  if (objective.blockHessian) return "newton";
  return objective.lipschitz ? "gradient" : "lipschitz-approx";
}

function defaultRule(separable: Separable, blocks: Settings["blocks"]): SelectionRule {
  if (blocks === "red-black" || blocks === "tree-partition") return "cyclic";
  if (!separable.none) return "gs-q";
  return blocks === "variable" || blocks === "greedy-tree" ? "gsd" : "gsl";
}

function need(there: unknown, what: string, remedy: string): void {
  if (!there) throw new UnsupportedError(`${OWNER}: ${what} needs the objective's ${remedy}`);
}

function requireUpdate(
  objective: BlockObjective,
  separable: Separable,
  update: BlockUpdate,
  options: BcdOptions,
): void {
  const what = `update "${update}"`;
  if (!separable.none && SMOOTH_ONLY.includes(update)) {
    throw new ValueError(
      `${OWNER}: ${what} is for smooth problems; with a composite take "pg", "pn", "tmp" or "lipschitz-approx"`,
    );
  }
  const { blockBound, blockHessian, lipschitz, sparseBound, sparseHessian } = objective;
  if (update === "gradient" || update === "pg")
    need(blockBound || lipschitz, what, 'blockBound or lipschitz; or take "lipschitz-approx"');
  if (update === "matrix" || update === "diagonal")
    need(blockBound, what, 'blockBound; or take "newton" or "lipschitz-approx"');
  if (update === "newton" || update === "cubic") need(blockHessian, what, 'blockHessian; or take "lipschitz-approx"');
  if (update === "pn" || update === "tmp")
    need(blockHessian || blockBound, what, 'blockHessian or blockBound; or take "lipschitz-approx"');
  if (update === "message-passing") need(sparseBound || sparseHessian, what, "sparseBound or sparseHessian");
  const { hessianLipschitz: M } = options;
  if (update === "cubic" && !(M !== undefined && M > 0 && M < Infinity)) {
    throw new ValueError(
      `${OWNER}: hessianLipschitz is ${M}; update "cubic" needs a positive bound of how fast the Hessian changes`,
    );
  }
}

function requireRule(
  objective: BlockObjective,
  separable: Separable,
  blocks: Settings["blocks"],
  rule: SelectionRule,
): void {
  const what = `rule "${rule}"`;
  const plain = ["random", "cyclic", "perm", "lipschitz"].includes(rule);
  if (!separable.none && !plain && rule !== "gs-q") {
    throw new ValueError(
      `${OWNER}: ${what} scores the gradient of a smooth problem; with a composite take "gs-q" or a rule without gradient`,
    );
  }
  if (blocks === "random-tree") return;
  if (blocks === "greedy-tree" && rule !== "gs" && rule !== "gsd") {
    throw new ValueError(`${OWNER}: ${what} does not order variables for "greedy-tree"; take "gs" or "gsd"`);
  }
  const variable = blocks === "variable";
  if (rule === "mi") {
    if (variable)
      throw new ValueError(`${OWNER}: ${what} would have to try every set of variables; take fixed blocks, or "gsq"`);
    if (!objective.quadratic) throw new UnsupportedError(`${OWNER}: ${what} is for quadratics; take "gsq"`);
  }
  if (rule === "gsq" || rule === "mi") need(objective.blockBound, what, 'blockBound; or take "gsd"');
  if (rule === "gsd" && !variable && blocks !== "greedy-tree")
    need(objective.blockBound, what, 'blockBound; or take "gs"');
  if (rule === "gsq" && variable) need(objective.boundTimes, what, 'boundTimes; or take "gsd"');
  if (rule === "gsl" && variable) need(objective.absoluteRowSums, what, 'absoluteRowSums; or take "gsd"');
}

function firstPoint(objective: BlockObjective, separable: Separable, { x0, resume }: BcdOptions): Float64Array {
  const { n } = objective;
  const given = resume
    ? vectorOf(OWNER, "resume.x", resume.x as number[])
    : x0 === undefined
      ? undefined
      : vectorOf(OWNER, "x0", x0);
  if (given && given.length !== n) {
    throw new ShapeError(`${OWNER}: ${resume ? "resume.x" : "x0"} has ${given.length} values for ${n} variables`);
  }
  const x = given ?? new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const inside = Math.min(separable.upper[i], Math.max(separable.lower[i], x[i]));
    if (given && inside !== x[i]) {
      throw new ValueError(
        `${OWNER}: x0 is ${x[i]} at ${i}, outside [${separable.lower[i]}, ${separable.upper[i]}]; begin inside the bounds`,
      );
    }
    x[i] = inside;
  }
  return x;
}

function constants(objective: BlockObjective, estimated: boolean, resume?: BcdSnapshot): Float64Array {
  const { n } = objective;
  if (estimated)
    return resume?.lipschitz
      ? vectorOf(OWNER, "resume.lipschitz", resume.lipschitz as number[], { length: n })
      : new Float64Array(n).fill(1);
  const single = (i: number) => (objective.blockBound as NonNullable<typeof objective.blockBound>)(Int32Array.of(i))[0];
  const L = numbersFrom("lipschitz", objective.lipschitz ?? Array.from({ length: n }, (_, i) => single(i)), n);
  let most = 0;
  for (let i = 0; i < n; i++) {
    if (L[i] < 0)
      throw new ValueError(`${OWNER}: problem.smooth.lipschitz holds ${L[i]} at ${i}; Lipschitz constants are >= 0`);
    most = Math.max(most, L[i]);
  }
  // Variables that f does not depend on: a little curvature, so that nothing is divided by zero.
  const floor = 1e-12 * (most || 1);
  return L.map((v) => Math.max(v, floor));
}
