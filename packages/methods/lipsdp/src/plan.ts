import { UnsupportedError, ValueError } from "@offprint/tensor-core";
import type { MultiplierKind } from "./dense-programme.js";
import type { LipschitzOptions } from "./lipschitz-bound.js";
import type { CheckedNetwork } from "./network.js";
import { onlySlopes } from "./slope-operator.js";

/** @internal Total width up to which `auto` takes one dense inequality. */
export const DENSE_WIDTH = 150;
/** Where all activations are scalar, terms have rank two: one inequality is then solved sooner than a chordal form of up to so many layers. */
const SCALAR_LAYERS = 20;
/** Its order at most, as a matrix of it is 80 MB. */
const SCALAR_ORDER = 3200;

/** How the programme is written; all forms of one programme have the same optimum. */
export type ProgrammeForm = "chain" | "dense" | "chordal";

/** @internal The programme that is solved. */
export interface Plan {
  readonly kind: MultiplierKind;
  readonly form: ProgrammeForm;
}

/**
 * @internal The programme that the options ask for.
 *
 * @throws ValueError for unknown words; UnsupportedError for a form that the network or the multipliers do not have
 */
export function choosePlan(checked: CheckedNetwork, { multipliers = "auto", form = "auto" }: LipschitzOptions): Plan {
  const width = checked.widths.reduce((sum, n) => sum + n, 0);
  const forward = checked.kind === "feedforward";
  const grouped = checked.groups.every(({ kind }) => kind !== "slope");
  if (!["auto", "diag", "full", "eliminated"].includes(multipliers)) {
    throw new ValueError(`lipschitzBound: multipliers must be auto, diag, full or eliminated, got "${multipliers}"`);
  }
  const tight = !forward || width <= DENSE_WIDTH;
  const kind =
    multipliers === "auto" ? (tight && form !== "chain" && form !== "chordal" ? "eliminated" : "diag") : multipliers;
  if (form === "auto") {
    if (!forward || kind === "eliminated") return { kind, form: "dense" };
    if (kind === "diag" && grouped) return { kind, form: "chain" };
    return { kind, form: width <= DENSE_WIDTH || isShallowScalar(checked, width) ? "dense" : "chordal" };
  }
  if (form !== "dense" && !forward) {
    throw new UnsupportedError(`lipschitzBound: form "${form}" is for feed-forward networks; take "dense"`);
  }
  if (form === "chain" && (kind !== "diag" || !grouped)) {
    throw new UnsupportedError('lipschitzBound: form "chain" needs multipliers "diag" and activations on groups');
  }
  if (form === "chordal" && kind === "eliminated") {
    throw new UnsupportedError('lipschitzBound: form "chordal" has multipliers "diag" or "full"');
  }
  if (form !== "chain" && form !== "dense" && form !== "chordal") {
    throw new ValueError(`lipschitzBound: form must be auto, chain, dense or chordal, got "${String(form)}"`);
  }
  return { kind, form };
}

function isShallowScalar({ groups, inputs, widths }: CheckedNetwork, width: number): boolean {
  const order = Math.min(inputs, widths[0]) + width;
  return onlySlopes(groups) && widths.length <= SCALAR_LAYERS && order <= SCALAR_ORDER;
}
