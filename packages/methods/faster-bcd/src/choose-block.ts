import { IndexError, requireObject, ValueError } from "@offprint/tensor-core";
import { type FixedRule, greedyFixedRule, plainFixedRule } from "./blocks/fixed-rules.js";
import { forestPartition } from "./blocks/forest-block.js";
import { descendingOrder } from "./blocks/order.js";
import { averaged, checkedBlocks, consecutive, cut, sorted } from "./blocks/partition.js";
import { redBlackPartition } from "./blocks/red-black.js";
import {
  compositeRule,
  forestRule,
  greedyVariableRule,
  plainVariableRule,
  type VariableRule,
} from "./blocks/variable-rules.js";
import { ruleNeeds } from "./needs.js";
import { numbersFrom } from "./objectives/callback-state.js";
import type { BcdState, SelectionRule } from "./options.js";
import type { Settings } from "./settings.js";
import type { Workspace } from "./workspace.js";

/** A block, and its number where blocks are fixed (else -1). */
export interface Chosen {
  readonly block: Int32Array;
  readonly id: number;
}

/** Gives the block of iteration k. */
export type Chooser = (k: number, state: BcdState) => Chosen;

type Plain = "random" | "cyclic" | "perm" | "lipschitz";
const isPlain = (rule: SelectionRule): rule is Plain => ruleNeeds[rule].greedy === undefined;

/** Whether a rule needs the whole gradient. */
export function isGreedy({ rule, blocks }: Settings): boolean {
  return typeof rule !== "function" && !isPlain(rule) && blocks !== "random-tree";
}

/** Iterations in which a rule without gradient comes round once. */
export function sweepLength({ blocks, tau }: Settings, space: Workspace): number {
  if (space.fixed.length > 0) return space.fixed.length;
  return blocks === "variable" ? Math.ceil(space.n / tau) : 1;
}

/** The chooser that the options ask for; puts fixed blocks into the workspace. */
export function chooser(settings: Settings, space: Workspace): Chooser {
  const { rule, blocks, tau, growing, thresholding, norm } = settings;
  space.fixed = fixedBlocks(settings, space);
  if (typeof rule === "function") return ownRule(rule, space.n);
  const anew =
    (choose: VariableRule): Chooser =>
    (k) => ({ block: choose(k), id: -1 });
  if (blocks === "random-tree") return anew(forestRule("random", space, space.graph()));
  if (blocks === "greedy-tree") return anew(forestRule(rule as "gs" | "gsd", space, space.graph()));
  if (blocks === "variable") {
    if (isPlain(rule)) return anew(plainVariableRule(rule, space, tau));
    if (rule === "gs-q") return anew(compositeRule(space, growing ? undefined : tau));
    return anew(greedyVariableRule(rule as Exclude<SelectionRule, Plain | "mi" | "gs-q">, space, tau, thresholding));
  }
  const choose: FixedRule = isPlain(rule) ? plainFixedRule(rule, space) : greedyFixedRule(rule, space, norm);
  return (k) => {
    const id = choose(k);
    return { block: space.fixed[id], id };
  };
}

function fixedBlocks({ blocks, tau, objective }: Settings, space: Workspace): readonly Int32Array[] {
  const { n, lipschitz } = space;
  if (typeof blocks !== "string") return checkedBlocks("bcd", blocks, n);
  const rowSums = () => numbersFrom("absoluteRowSums", objective.absoluteRowSums?.() ?? [], n);
  switch (blocks) {
    case "order":
      return cut(consecutive(n), tau);
    case "sort":
      return cut(sorted(lipschitz), tau);
    case "avg":
      return cut(averaged(lipschitz), tau);
    case "hsort":
      return cut(sorted(rowSums()), tau);
    case "havg":
      return cut(averaged(rowSums()), tau);
    case "red-black":
      return redBlackPartition(space.graph(), descendingOrder(lipschitz));
    case "tree-partition":
      return forestPartition(space.graph(), descendingOrder(lipschitz));
    default:
      return [];
  }
}

function ownRule(rule: (state: BcdState) => ArrayLike<number>, n: number): Chooser {
  const seen = new Float64Array(n).fill(-1);
  return (k, state) => {
    const given = rule(state);
    requireObject("bcd", "what the rule gave", given, "an array of variables");
    if (!(given.length > 0)) throw new ValueError("bcd: the rule gave an empty block; give at least one variable");
    for (const i of Array.from(given)) {
      if (!(Number.isInteger(i) && i >= 0 && i < n))
        throw new IndexError(`bcd: the rule gave variable ${i}; variables are the integers from 0 to ${n - 1}`);
      if (seen[i] === k) throw new ValueError(`bcd: the rule gave variable ${i} twice in one block`);
      seen[i] = k;
    }
    return { block: Int32Array.from(given), id: -1 };
  };
}
