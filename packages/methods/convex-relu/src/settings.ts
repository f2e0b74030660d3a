import { requireInteger, requirePositive, type TensorLike } from "@offprint/tensor-core";
import { type Design, designOf, requireFlag, targetsOf } from "./design.js";
import { arrangementPatterns, cornerCount, enumerationWork } from "./enumerate-patterns.js";
import { checkLabels, type Loss } from "./loss.js";
import type { CommonOptions } from "./options.js";
import { cellCount, checkPatterns, PatternSet, type Patterns } from "./patterns.js";
import { drawPatterns, drawPatternsPolitely } from "./sample-patterns.js";

/** As many patterns are all taken without being asked for. */
const ALL_PATTERNS = 200;
const DEFAULT_SAMPLE = 100;
/** Certificates look at all patterns where listing them takes this much at most. */
const CERTIFICATE_WORK = 4e6;

/** @internal A checked problem. */
export interface Problem {
  readonly owner: string;
  readonly design: Design;
  readonly y: Float64Array;
  readonly loss: Loss;
  /** For losses that are summed. */
  readonly beta: number;
  /** What objectives are multiplied with: 1, or 1/n for an average. */
  readonly unit: number;
  readonly bias: boolean;
  readonly seed: number | string;
  readonly tolerance: number;
  readonly maxIterations: number;
}

/** @internal @throws ValueError, ShapeError */
export function problemOf(owner: string, X: TensorLike, y: TensorLike, options: CommonOptions): Problem {
  const { loss, beta, average = false, bias = true, seed = 0, tolerance = 1e-6, maxIterations = 2000 } = options;
  requireFlag(owner, "average", average);
  requireFlag(owner, "certify", options.certify ?? true);
  const design = designOf(owner, X, bias);
  const targets = targetsOf(owner, y, design.n);
  checkLabels(owner, loss, targets);
  requirePositive(owner, "beta", beta);
  requirePositive(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  if (typeof seed !== "string") requireInteger(owner, "seed", seed, Number.MIN_SAFE_INTEGER);
  const factor = average ? design.n : 1;
  return {
    owner,
    design,
    y: targets,
    loss,
    beta: beta * factor,
    unit: 1 / factor,
    bias,
    seed,
    tolerance,
    maxIterations,
  };
}

/**
 * @internal The bound of residuals. They are in the units of predictions, so that for a squared loss of targets below 1 it
 * is as much smaller: else the zero network would pass for a solution of small ones.
 */
export function residualBound({ tolerance, loss, y }: Problem): number {
  const largest = loss === "squared" ? y.reduce((most, value) => Math.max(most, Math.abs(value)), 0) : 1;
  return largest > 0 && largest < 1 ? tolerance * 2 ** Math.floor(Math.log2(largest)) : tolerance;
}

/** Draws that a claim of completeness has to stand where the patterns cannot be listed. */
const PROBES = 2000;

/**
 * Whether patterns of one's own that say so are all that the data has, or all that can be used within the radii `eps`: they
 * may be those of other data or other radii, and certificates would be wrong.
 */
function areComplete({ design, seed }: Problem, { D }: Patterns, eps: Float64Array | undefined): boolean {
  const { n, d } = design;
  const known = new PatternSet();
  for (const pattern of D) known.add(pattern);
  const corners = eps === undefined ? 1 : cornerCount(eps);
  const all =
    enumerationWork(n * corners, d) <= CERTIFICATE_WORK
      ? arrangementPatterns(design, eps)
      : drawPatterns(design, { count: PROBES, maxDraws: PROBES, seed, ...(eps && { usable: { eps } }) });
  return all.D.every((pattern) => known.has(pattern));
}

/** @internal The patterns that were given or asked for; those of a robust programme for the radii `eps`. */
export async function patternsOf(
  problem: Problem,
  patterns: Patterns | number | undefined,
  signal: AbortSignal | undefined,
  eps?: Float64Array,
): Promise<Patterns> {
  const { owner, design, seed } = problem;
  const { n, d } = design;
  if (patterns === undefined) {
    if (cellCount(n, d) <= ALL_PATTERNS) return arrangementPatterns(design);
    return drawPatternsPolitely(design, { count: DEFAULT_SAMPLE, seed }, signal);
  }
  if (typeof patterns === "number") {
    requireInteger(owner, "patterns", patterns, 1);
    return drawPatternsPolitely(design, { count: patterns, seed }, signal);
  }
  checkPatterns(owner, patterns, n);
  return patterns.complete && !areComplete(problem, patterns, eps) ? { ...patterns, complete: false } : patterns;
}

/** @internal The patterns that a certificate is made for: all of them where that is affordable. */
export function certifiedPatterns(design: Design, patterns: Patterns): Patterns {
  if (patterns.complete || enumerationWork(design.n, design.d) > CERTIFICATE_WORK) return patterns;
  return arrangementPatterns(design);
}
