import { UnsupportedError } from "@offprint/tensor-core";
import type { BlockObjective } from "./block-objective.js";
import type { BlockUpdate, NamedBlocks, SelectionRule } from "./options.js";

/** A part of an objective that rules and updates compute with. */
type Part = Exclude<keyof BlockObjective, "n" | "value" | "gradient" | "quadratic" | "start">;

/** Parts of which an objective must have one, and what else could be taken where it has none. */
export interface Need {
  readonly oneOf: readonly Part[];
  /** Ends the message. */
  readonly instead?: string;
}

/** What an update asks of a problem. */
export interface UpdateNeeds {
  /** Whether it is for h = 0 only. */
  readonly smoothOnly?: true;
  readonly needs?: Need;
}

const hessianOrBound = { oneOf: ["blockHessian", "blockBound"], instead: 'or take "lipschitz-approx"' } as const;
const constants = { oneOf: ["blockBound", "lipschitz"], instead: 'or take "lipschitz-approx"' } as const;
const bound = { oneOf: ["blockBound"], instead: 'or take "newton" or "lipschitz-approx"' } as const;
const hessian = { oneOf: ["blockHessian"], instead: 'or take "lipschitz-approx"' } as const;

/** The updates: smooth (the paper's Sections 2 and 3), on forests (Section 4), and with h (Section 5). */
export const updateNeeds: Readonly<Record<BlockUpdate, UpdateNeeds>> = {
  gradient: { smoothOnly: true, needs: constants },
  "lipschitz-approx": {},
  diagonal: { smoothOnly: true, needs: bound },
  matrix: { smoothOnly: true, needs: bound },
  newton: { smoothOnly: true, needs: hessian },
  cubic: { smoothOnly: true, needs: hessian },
  "message-passing": { smoothOnly: true, needs: { oneOf: ["sparseBound", "sparseHessian"] } },
  pg: { needs: constants },
  pn: { needs: hessianOrBound },
  tmp: { needs: hessianOrBound },
};

/** What a rule asks of a problem. */
export interface RuleNeeds {
  /** Whether it looks at the gradient; `"with h"` where it is that of a problem with h. */
  readonly greedy?: "smooth" | "with h";
  /** Whether it orders variables for `greedy-tree`. */
  readonly ordersTrees?: true;
  /** Whether it is for quadratics and fixed blocks only. */
  readonly quadraticOnly?: true;
  /** What it needs to score fixed blocks, and to choose among all sets of variables. */
  readonly fixed?: readonly Need[];
  readonly variable?: readonly Need[];
}

const insteadGsd = 'or take "gsd"';
const blockBound: Need = { oneOf: ["blockBound"], instead: insteadGsd };

/** The rules. */
export const ruleNeeds: Readonly<Record<SelectionRule, RuleNeeds>> = {
  random: {},
  cyclic: {},
  perm: {},
  lipschitz: {},
  gs: { greedy: "smooth", ordersTrees: true },
  gsl: { greedy: "smooth", variable: [{ oneOf: ["absoluteRowSums"], instead: insteadGsd }] },
  gsd: { greedy: "smooth", ordersTrees: true, fixed: [{ oneOf: ["blockBound"], instead: 'or take "gs"' }] },
  gsq: {
    greedy: "smooth",
    fixed: [blockBound],
    variable: [blockBound, { oneOf: ["boundTimes"], instead: insteadGsd }],
  },
  mi: { greedy: "smooth", quadraticOnly: true, fixed: [blockBound] },
  "gs-q": { greedy: "with h" },
};

const graph: Need = { oneOf: ["sparseBound"], instead: "whose pattern is the graph" };
const rowSums: Need = { oneOf: ["absoluteRowSums"], instead: 'or take "sort"' };

/** What the ways to make blocks need. */
export const blockNeeds: Readonly<Record<NamedBlocks, { readonly fromGraph?: true; readonly needs?: Need }>> = {
  variable: {},
  order: {},
  sort: {},
  avg: {},
  hsort: { needs: rowSums },
  havg: { needs: rowSums },
  "red-black": { fromGraph: true, needs: graph },
  "tree-partition": { fromGraph: true, needs: graph },
  "greedy-tree": { fromGraph: true, needs: graph },
  "random-tree": { fromGraph: true, needs: graph },
};

/** @throws UnsupportedError where the objective has none of the parts. */
export function requireParts(objective: BlockObjective, what: string, { oneOf, instead }: Need): void {
  if (oneOf.some((part) => objective[part] !== undefined)) return;
  const remedy = instead === undefined ? "" : `; ${instead}`;
  throw new UnsupportedError(`bcd: ${what} needs the objective's ${oneOf.join(" or ")}${remedy}`);
}
