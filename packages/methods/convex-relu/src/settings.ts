import { type TensorLike, ValueError } from "@offprint/tensor-core";
import { type Design, designOf, targetsOf } from "./design.js";
import { arrangementPatterns, enumerationWork } from "./enumerate-patterns.js";
import { checkLabels, type Loss } from "./loss.js";
import type { CommonOptions } from "./options.js";
import { checkPatterns, type Patterns, patternCount } from "./patterns.js";
import { drawPatterns } from "./sample-patterns.js";

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
  readonly seed: number;
  readonly tol: number;
  readonly maxIter: number;
}

/** @internal @throws ValueError, ShapeError */
export function problemOf(owner: string, X: TensorLike, y: TensorLike, options: CommonOptions): Problem {
  const { loss, beta, average = false, bias = true, seed = 0, tol = 1e-6, maxIter = 2000 } = options;
  const design = designOf(owner, X, bias);
  const targets = targetsOf(owner, y, design.n);
  checkLabels(owner, loss, targets);
  requirePositive(owner, "beta", beta);
  requirePositive(owner, "tol", tol);
  requireCount(owner, "maxIter", maxIter);
  if (!Number.isSafeInteger(seed)) throw new ValueError(`${owner}: seed is ${seed}; it must be an integer`);
  const factor = average ? design.n : 1;
  return { owner, design, y: targets, loss, beta: beta * factor, unit: 1 / factor, bias, seed, tol, maxIter };
}

/** @internal */
export function requirePositive(owner: string, name: string, value: number): void {
  if (typeof value !== "number" || !(value > 0 && value < Infinity)) {
    throw new ValueError(`${owner}: ${name} is ${String(value)}; it must be a finite number > 0`);
  }
}

/** @internal */
export function requireCount(owner: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new ValueError(`${owner}: ${name} is ${String(value)}; it must be an integer >= 1`);
  }
}

/** @internal The patterns that were given or asked for. */
export function patternsOf({ owner, design, seed }: Problem, patterns: Patterns | number | undefined): Patterns {
  const { n, d } = design;
  if (patterns === undefined) {
    if (patternCount(n, d) <= ALL_PATTERNS) return arrangementPatterns(design);
    return drawPatterns(design, { count: DEFAULT_SAMPLE, seed });
  }
  if (typeof patterns === "number") {
    requireCount(owner, "patterns", patterns);
    return drawPatterns(design, { count: patterns, seed });
  }
  checkPatterns(owner, patterns, n);
  return patterns;
}

/** @internal The patterns that a certificate is made for: all of them where that is affordable. */
export function certifiedPatterns(design: Design, patterns: Patterns): Patterns {
  if (patterns.complete || enumerationWork(design.n, design.d) > CERTIFICATE_WORK) return patterns;
  return arrangementPatterns(design);
}
