import { breathing, type ProgrammeStatus } from "@offprint/solvers";
import { checkOptions, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { type Certificate, claimedBound } from "./certificate.js";
import type { MultiplierKind } from "./dense-programme.js";
import { feedForwardBound } from "./feed-forward-bound.js";
import { type CheckedNetwork, checkNetwork, type Network } from "./network.js";
import { choosePlan, type ProgrammeForm } from "./plan.js";
import { type NormPair, productParts } from "./product-bound.js";
import {
  type ProgrammeOptions,
  type ProgrammeProgress,
  ProgrammeSession,
  type ProgrammeState,
  programmeOptionNames,
} from "./programme-session.js";
import { selectOutputs } from "./select-outputs.js";
import { splitBound } from "./split-bound.js";
import { stackedBound } from "./stacked-bound.js";
import { wellPosedness } from "./well-posed.js";

/** Options of {@link lipschitzBound}. */
export interface LipschitzOptions extends ProgrammeOptions {
  /** `l2`: ||f(x) - f(y)||_2 <= L ||x - y||_2. `linf-l1`: ||f(x) - f(y)||_1 <= L ||x - y||_inf. Default `l2`. */
  readonly norm?: NormPair;
  /**
   * `diag` is the paper's choice (S = P = 0), `full` leaves P free, `eliminated` is their limit and always at least as
   * tight. Default `auto`: `eliminated` up to a total width of 150 and for networks that are not feed-forward, else
   * `diag`. Scalar activations have the classic LipSDP constraint in any case.
   */
  readonly multipliers?: MultiplierKind | "auto";
  /** For scalar activations: one multiplier per neuron (default) or one per layer, which is cheaper and looser. */
  readonly sharing?: "neuron" | "layer";
  /**
   * Default `auto`: `chain` for `diag` with group activations, `dense` up to a total width of 150 and for up to 20
   * hidden layers of scalar activations, else `chordal`.
   * Residual and implicit networks are always `dense`.
   */
  readonly form?: ProgrammeForm | "auto";
  /** Rows of the output that count; default all. */
  readonly outputs?: readonly number[];
  /** For very deep feed-forward networks, l2: the product of the bounds of parts of this many linear layers. */
  readonly splitSize?: number;
  /** Repairs and proves the solution; default true. Without it `value` is the solver's objective and proves nothing. */
  readonly certify?: boolean;
}

/** Result of {@link lipschitzBound}. */
export interface LipschitzBound {
  /** The bound: certified, rounded upwards, and never above the product bound. */
  readonly value: number;
  /** Whether `value` has been proved. */
  readonly certified: boolean;
  /** What `value` is: the programme's bound, the product bound where that is smaller, or a product of parts. */
  readonly source: "programme" | "product" | "split";
  /** The solver's objective, on either side of the optimum. */
  readonly objective: number;
  /** value / objective - 1. */
  readonly gap: number;
  /** How the solver ended; `value` is certified in any case. */
  readonly status: ProgrammeStatus;
  /** The proof of the programme's bound, for `verifyCertificate`; nothing where it could not be made. */
  readonly certificate: Certificate | undefined;
  /** For implicit networks: whether a fixed point exists for every input. */
  readonly wellPosed?: "yes" | "unknown";
  /** Iterations of the solver. */
  readonly iterations: number;
  /** One entry per check of the solver. */
  readonly history: readonly ProgrammeProgress[];
  /** To go on from, as `resume`. */
  readonly state: ProgrammeState;
}

/** @internal A bound without the course of its run. */
export type BoundFigures = Omit<LipschitzBound, "status" | "iterations" | "history" | "state">;

/**
 * A certified upper bound of a network's Lipschitz constant by semidefinite programming. After the solve the multipliers
 * are repaired, and the matrix inequalities are proved positive semidefinite in spite of rounding, so that the bound is
 * never below the truth, however loosely the programme was solved.
 *
 * @throws ShapeError and ValueError for a network or options that make no sense; UnsupportedError for a form that the
 * network or the multipliers do not have
 * @see Pauli et al., "Novel Quadratic Constraints for Extending LipSDP beyond Slope-Restricted Activations", ICLR 2024
 * @example
 * ```ts
 * import { lipschitzBound } from "@offprint/lipsdp";
 * import { activation, perceptron } from "@offprint/networks";
 *
 * const layers = [{ weight: [[1, 2], [0, 1]] }, { weight: [[1, -1]] }];
 * const { value } = await lipschitzBound(perceptron(layers, activation("maxmin")));
 * console.log(value.toFixed(3));
 * ```
 */
export async function lipschitzBound(network: Network, options: LipschitzOptions = {}): Promise<LipschitzBound> {
  checkLipschitzOptions(options);
  const checked = selectOutputs(checkNetwork(network), options.outputs);
  const session = new ProgrammeSession("lipschitzBound", options);
  const figures = await boundOf(checked, options, session);
  const { status, iterations, history, state } = session;
  return { ...figures, status, iterations, history, state };
}

const optionNames = [
  "norm",
  "multipliers",
  "sharing",
  "form",
  "outputs",
  "splitSize",
  "certify",
  ...programmeOptionNames,
] as const;

function checkLipschitzOptions(options: LipschitzOptions): void {
  checkOptions("lipschitzBound", options, optionNames);
  const { norm = "l2", sharing = "neuron", certify = true } = options;
  if (norm !== "l2" && norm !== "linf-l1")
    throw new ValueError(`lipschitzBound: norm must be "l2" or "linf-l1", got "${norm}"`);
  if (sharing !== "neuron" && sharing !== "layer")
    throw new ValueError(`lipschitzBound: sharing must be "neuron" or "layer", got "${sharing}"`);
  if (typeof certify !== "boolean")
    throw new ValueError(`lipschitzBound: certify must be true or false, got ${certify}`);
}

/**
 * Whether no programme is solved, which for a wide layer takes hours and gigabytes.
 *
 * @throws UnsupportedError where a programme of such a layer is asked for by its form or its multipliers
 */
function isLeftToProduct(checked: CheckedNetwork, { form, multipliers }: LipschitzOptions): boolean {
  if (checked.kind !== "feedforward") return false;
  const widest = Math.max(0, ...checked.widths);
  if (widest <= WIDEST_LAYER) return false;
  if ((form ?? "auto") === "auto" && (multipliers ?? "auto") === "auto") return true;
  throw new UnsupportedError(
    `lipschitzBound: a layer has ${widest} neurons; programmes are solved up to ${WIDEST_LAYER}: leave form and multipliers out for the product of the layers' norms`,
  );
}

/** @internal Most neurons of a layer for which a programme is solved: at 1024 an iteration takes a minute and 1.7 GB. */
export const WIDEST_LAYER = 1500;

/** @internal */
export async function boundOf(
  checked: CheckedNetwork,
  options: LipschitzOptions,
  session: ProgrammeSession,
): Promise<BoundFigures> {
  const { norm = "l2" } = options;
  if (options.splitSize !== undefined) return splitBound(checked, options, session);
  const plan = choosePlan(checked, options);
  const product = await breathing(productParts(checked, norm));
  if (isLeftToProduct(checked, options)) {
    return { value: product, certified: true, source: "product", objective: product, gap: 0, certificate: undefined };
  }
  const { raw, certificate } =
    checked.kind === "feedforward"
      ? await feedForwardBound(checked, plan, options, session)
      : await stackedBound(checked, plan, options, product, session);
  const wellPosed = checked.kind === "implicit" ? wellPosedness(checked, certificate?.multipliers) : undefined;
  const shared = { objective: raw.objective, ...(wellPosed === undefined ? {} : { wellPosed }) };
  if (options.certify === false) {
    return { ...shared, value: raw.objective, certified: false, source: "programme", gap: 0, certificate: undefined };
  }
  const proved = certificate === undefined ? Infinity : claimedBound(certificate);
  const value = Math.min(proved, product);
  const source = proved <= product ? "programme" : "product";
  return { ...shared, value, certified: true, source, gap: value / raw.objective - 1, certificate };
}
