import type { ConicOptions, ConicStatus } from "@offprint/conic";
import { UnsupportedError, ValueError } from "@offprint/tensor-core";
import { type Certificate, claimedBound } from "./certificate.js";
import { checkChain, provenChain, repairChain, scaledSmallest } from "./certify-chain.js";
import { provenStacked, proveStacked, repairStacked } from "./certify-stacked.js";
import { solveChain } from "./chain-programme.js";
import { solveChordal } from "./chordal-programme.js";
import { type MultiplierKind, solveDense } from "./dense-programme.js";
import { type Chain, chainOf, denormalizedMultipliers, normalized, shrunk } from "./feed-forward.js";
import { matrix, multiply, scaled } from "./matrix.js";
import { type CheckedFeedForward, type CheckedNetwork, checkNetwork, type Network } from "./network.js";
import { checkedProductBound, type NormPair } from "./product-bound.js";
import type { Multipliers } from "./quadratic-constraint.js";
import type { RawSolution } from "./raw-solution.js";
import { splitBound } from "./split-bound.js";
import { stackedForm } from "./stacked-form.js";
import { wellPosedness } from "./well-posed.js";

/** Total width up to which `auto` takes one dense inequality. */
const DENSE_WIDTH = 150;

/** How the programme is written; all forms of one programme have the same optimum. */
export type ProgrammeForm = "chain" | "dense" | "chordal";

/** Options of {@link lipschitzBound}. */
export interface LipschitzOptions {
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
   * Default `auto`: `chain` for `diag` with group activations, `dense` up to a total width of 150, else `chordal`.
   * Residual and implicit networks are always `dense`.
   */
  readonly form?: ProgrammeForm | "auto";
  /** Rows of the output that count; default all. */
  readonly outputs?: readonly number[];
  /** For very deep feed-forward networks, l2: the product of the bounds of parts of this many linear layers. */
  readonly splitSize?: number;
  /** Options of the conic solver; the default tolerance is 1e-6. */
  readonly solver?: ConicOptions;
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
  /** The solver's status, or `uncertified-fallback` where its solution could not be repaired. */
  readonly status: ConicStatus | "uncertified-fallback";
  /** The proof of the programme's bound, for `verifyCertificate`; nothing where it could not be made. */
  readonly certificate: Certificate | undefined;
  /** For implicit networks: whether a fixed point exists for every input. */
  readonly wellPosed?: "yes" | "unknown";
  /** Iterations of the solver. */
  readonly iterations: number;
  /** Wall-clock time in seconds. */
  readonly seconds: number;
}

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
 *
 * const layers = [{ weight: [[1, 2], [0, 1]] }, { weight: [[1, -1]] }];
 * const { value } = lipschitzBound({ layers, activation: { kind: "maxmin" } });
 * console.log(value.toFixed(3));
 * ```
 */
export function lipschitzBound(network: Network, options: LipschitzOptions = {}): LipschitzBound {
  const start = performance.now();
  const checked = selectOutputs(checkNetwork(network), options.outputs);
  const result = boundOf(checked, options);
  return { ...result, seconds: (performance.now() - start) / 1000 };
}

/** @internal */
export function boundOf(checked: CheckedNetwork, options: LipschitzOptions): Omit<LipschitzBound, "seconds"> {
  const { norm = "l2" } = options;
  if (norm !== "l2" && norm !== "linf-l1")
    throw new ValueError(`lipschitzBound: norm must be "l2" or "linf-l1", got "${norm}"`);
  if (options.splitSize !== undefined) return splitBound(checked, options);
  const plan = choose(checked, options);
  const product = checkedProductBound(checked, norm);
  const solved =
    checked.kind === "feedforward" ? chainBound(checked, plan, options) : stackedBound(checked, plan, options, product);
  const { raw, proof } = solved;
  const { status, iterations } = raw.result;
  const wellPosed = checked.kind === "implicit" ? wellPosedness(checked, proof?.certificate.multipliers) : undefined;
  const shared = { objective: raw.objective, iterations, ...(wellPosed === undefined ? {} : { wellPosed }) };
  if (options.certify === false) {
    const value = raw.objective;
    return { ...shared, value, certified: false, source: "programme", gap: 0, status, certificate: undefined };
  }
  const proved = proof === undefined ? Infinity : claimedBound(proof.certificate);
  const value = Math.min(proved, product);
  return {
    ...shared,
    value,
    certified: true,
    source: proved <= product ? "programme" : "product",
    gap: value / raw.objective - 1,
    status: proof === undefined ? "uncertified-fallback" : status,
    certificate: proof?.certificate,
  };
}

interface Plan {
  readonly kind: MultiplierKind;
  readonly form: ProgrammeForm;
}

function choose(checked: CheckedNetwork, { multipliers = "auto", form = "auto" }: LipschitzOptions): Plan {
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
    return { kind, form: width <= DENSE_WIDTH ? "dense" : "chordal" };
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

interface Solved {
  readonly raw: RawSolution;
  readonly proof: { readonly certificate: Certificate } | undefined;
}

function chainBound(checked: CheckedFeedForward, { kind, form }: Plan, options: LipschitzOptions): Solved {
  const { norm = "l2", solver = {}, sharing } = options;
  const reduced = shrunk(checked, norm);
  const { weights, norms } = normalized(reduced.weights);
  const unit = { ...reduced, weights };
  const shared = sharing === "layer";
  const solution =
    form === "chain"
      ? solveChain(chainOf(unit), norm, solver)
      : form === "chordal"
        ? solveChordal(chainOf(unit), norm, kind === "full" ? "full" : "diag", shared, solver)
        : solveDense(stackedForm(unit), norm, kind, shared, solver);
  const chain = chainOf(reduced);
  const total = norms.reduce((product, value) => product * value, 1);
  const raw: RawSolution = {
    ...solution,
    objective: solution.objective * total,
    multipliers: denormalizedMultipliers(solution.multipliers, chain, norms, norm),
    mu: solution.mu?.map((value) => value * total),
    delta: solution.delta?.map((value) => value * total),
  };
  if (options.certify === false) return { raw, proof: undefined };
  return { raw, proof: bestChainProof(chain, raw, kind, norm) };
}

const ROOMS = [1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1];
const SHIFTS = [1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2];

function bestChainProof(chain: Chain, raw: RawSolution, kind: MultiplierKind, norm: NormPair): Solved["proof"] {
  const crossed = kind !== "diag" || chain.groups.some((layer) => layer.some((group) => group.kind === "slope"));
  const { multipliers, mu, delta } = raw;
  const solution = { norm, multipliers, mu, delta, ...(kind === "eliminated" ? { eliminated: true } : {}) };
  const candidates: Certificate[] = [];
  for (const shift of crossed ? [1e-9, 1e-6, 1e-3] : SHIFTS) {
    for (const room of crossed ? ROOMS : [1e-12, 1e-10, 1e-8, 1e-6]) {
      const repaired = repairChain(chain, solution, { shift, room });
      if (repaired !== undefined && Number.isFinite(claimedBound(repaired))) candidates.push(repaired);
    }
  }
  return bestProved(candidates, (candidate, limit) => provenChain(chain, candidate, limit));
}

/** Proves the candidates from the best bound on; the proof of a later one may cost less. */
function bestProved(
  candidates: readonly Certificate[],
  prove: (candidate: Certificate, limit: number) => Certificate | undefined,
): Solved["proof"] {
  let best: Certificate | undefined;
  for (const candidate of [...candidates].sort((a, b) => claimedBound(a) - claimedBound(b))) {
    const limit = best === undefined ? Infinity : claimedBound(best);
    if (claimedBound(candidate) >= limit) break;
    best = prove(candidate, limit) ?? best;
  }
  return best === undefined ? undefined : { certificate: best };
}

/** How strongly the constraint on what is preserved is enforced, relative to lambda, when `eliminated` becomes `full`. */
const PENALTIES = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7];

/**
 * `eliminated` as a limit of `full`: gamma = -kappa, nu = kappa adds -kappa |e|^2 for e = J (u - w), which is 0 for all
 * increments, and makes the inequality hold off that subspace (Finsler's lemma).
 */
function penalized(groups: CheckedNetwork["groups"], m: Multipliers, penalty: number): Multipliers {
  const lambda = m.lambda.map((value) => Math.max(0, value));
  const sums = new Map<number, { total: number; count: number }>();
  // Layers follow each other, and the offsets of a chain's groups restart at 0 in every layer.
  for (const [g, { layer }] of groups.entries()) {
    const entry = sums.get(layer) ?? { total: 0, count: 0 };
    sums.set(layer, { total: entry.total + lambda[g], count: entry.count + 1 });
  }
  const kappa = groups.map(({ layer, kind, size }, g) => {
    if (kind === "slope") return 0;
    const { total, count } = sums.get(layer) as { total: number; count: number };
    return (penalty * (lambda[g] + total / count)) / (kind === "sort" ? size : 1);
  });
  return { lambda, gamma: Float64Array.from(kappa, (k) => -k), nu: Float64Array.from(kappa), tau: m.tau };
}

function stackedBound(checked: CheckedNetwork, { kind }: Plan, options: LipschitzOptions, product: number): Solved {
  const { norm = "l2", solver = {}, sharing } = options;
  const form = stackedForm(checked);
  const size = Number.isFinite(product) && product > 0 ? product : 1;
  const unit = { ...form, C: scaled(form.C, 1 / size) };
  const solution = solveDense(unit, norm, kind, sharing === "layer", solver);
  const power = norm === "l2" ? size * size : size;
  const grow = (x: Float64Array): Float64Array => x.map((value) => value * power);
  const { lambda, gamma, nu, tau } = solution.multipliers;
  const raw: RawSolution = {
    ...solution,
    objective: solution.objective * size,
    multipliers: { lambda: grow(lambda), gamma: grow(gamma), nu: grow(nu), tau: grow(tau) },
    mu: solution.mu?.map((value) => value * size),
    delta: solution.delta?.map((value) => Math.max(value, 1e-12) * size),
  };
  if (options.certify === false) return { raw, proof: undefined };
  const sources =
    kind === "eliminated" ? PENALTIES.map((p) => penalized(form.groups, raw.multipliers, p)) : [raw.multipliers];
  const candidates = sources.flatMap((multipliers) =>
    [0, ...ROOMS].flatMap((t) => repairStacked(form, { norm, multipliers, mu: raw.mu, delta: raw.delta }, t) ?? []),
  );
  return { raw, proof: bestProved(candidates, (candidate, limit) => provenStacked(form, candidate, limit)) };
}

/** Outcome of {@link verifyCertificate}. */
export interface Verification {
  /** Whether every inequality was proved. */
  readonly valid: boolean;
  /** The bound that the certificate proves if it is valid. */
  readonly bound: number;
  /** Smallest eigenvalue among the inequalities, to rounding: how far they are from failing. */
  readonly minEigenvalue: number;
}

/**
 * Checks a certificate against a network without a solver, for third parties: nothing but the network and the
 * certificate's numbers is used.
 *
 * @param options.outputs the rows of the output that the certificate is about; default all
 */
export function verifyCertificate(
  network: Network,
  certificate: Certificate,
  options: { readonly outputs?: readonly number[] } = {},
): Verification {
  const checked = selectOutputs(checkNetwork(network), options.outputs);
  const { multipliers, norm, mu, delta, rho } = certificate;
  const count = checked.groups.length;
  const sizes = [multipliers.lambda, multipliers.gamma, multipliers.nu, multipliers.tau].every(
    (x) => x.length === count,
  );
  const gain =
    norm === "l2"
      ? rho !== undefined && rho >= 0
      : mu?.length === checked.inputs &&
        delta?.length === checked.outputs &&
        [...mu, ...delta].every((value) => value > 0);
  const bound = gain ? claimedBound(certificate) : Number.NaN;
  if (!sizes || !gain) return { valid: false, bound, minEigenvalue: Number.NaN };
  if (checked.kind === "feedforward") {
    const { proved, minEigenvalue } = checkChain(chainOf(shrunk(checked, norm)), certificate);
    return { valid: proved, bound, minEigenvalue };
  }
  const { proved, X } = proveStacked(stackedForm(checked), { ...certificate, eliminated: false });
  return { valid: proved, bound, minEigenvalue: scaledSmallest(X) };
}

/** The network with some rows of its output. */
function selectOutputs(checked: CheckedNetwork, outputs: readonly number[] | undefined): CheckedNetwork {
  if (outputs === undefined) return checked;
  if (outputs.length === 0 || outputs.some((row) => !(Number.isInteger(row) && row >= 0 && row < checked.outputs))) {
    throw new ValueError(`lipschitzBound: outputs must be rows from 0 to ${checked.outputs - 1}, got [${outputs}]`);
  }
  const pick = matrix(outputs.length, checked.outputs);
  for (const [k, row] of outputs.entries()) pick.values[k * checked.outputs + row] = 1;
  const rows = (W: CheckedFeedForward["weights"][number]) => multiply(pick, W);
  const selected = { outputs: outputs.length };
  if (checked.kind === "implicit") return { ...checked, ...selected, C: rows(checked.C) };
  if (checked.kind === "residual")
    return { ...checked, ...selected, output: checked.output === undefined ? pick : rows(checked.output) };
  const last = checked.weights.length - 1;
  const bias = Float64Array.from(outputs, (row) => checked.biases[last][row]);
  return {
    ...checked,
    ...selected,
    weights: [...checked.weights.slice(0, last), rows(checked.weights[last])],
    biases: [...checked.biases.slice(0, last), bias],
  };
}
