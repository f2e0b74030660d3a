import { breathing, type Parts } from "@offprint/solvers";
import { bestProved, ROOMS, type Solved } from "./best-proof.js";
import { boxWeights } from "./box-weights.js";
import { type Certificate, claimedBound } from "./certificate.js";
import { provenChain, repairChain, repairMultipliers } from "./certify-chain.js";
import { solveChain } from "./chain-programme.js";
import { solveChordal } from "./chordal-programme.js";
import { type MultiplierKind, solveDense } from "./dense-programme.js";
import { type Chain, chainOf, denormalizedMultipliers, normalizing, shrunk, squareFactor } from "./feed-forward.js";
import { type Gain, gainOf } from "./gain.js";
import { scalesFor, typicalScales } from "./layer-scales.js";
import type { LipschitzOptions } from "./lipschitz-bound.js";
import { forwardSolve, identity, matrix, multiply } from "./matrix.js";
import type { CheckedFeedForward } from "./network.js";
import type { Plan } from "./plan.js";
import type { NormPair } from "./product-bound.js";
import type { ProgrammeSession } from "./programme-session.js";
import type { RawSolution } from "./raw-solution.js";
import { stackedForm } from "./stacked-form.js";

/** Inputs from which a box is treated as a ball of adapted proportions: its inequality is of the order of the inputs. */
const LARGE_BOX = 100;
/** Most rounds in which the proportions are adapted. */
const BOX_ROUNDS = 15;

/** @internal The bound of a feed-forward network. */
export async function feedForwardBound(
  checked: CheckedFeedForward,
  plan: Plan,
  options: LipschitzOptions,
  session: ProgrammeSession,
): Promise<Solved> {
  const { norm = "l2" } = options;
  const reduced = shrunk(checked, norm);
  const wide = norm === "linf-l1" && reduced.inputs > LARGE_BOX && reduced.inputs > reduced.weights[0].rows;
  const raw =
    wide && reduced.weights.length > 1
      ? await adaptedBox(reduced, plan, options, session)
      : await solveNormalized(reduced, gainOf(norm), plan, options, session);
  if (options.certify === false) return { raw, certificate: undefined };
  return { raw, certificate: await session.working(bestChainProof(chainOf(reduced), raw, plan.kind, norm)) };
}

/**
 * The optimum is jointly convex in mu and the multipliers, but not smooth. Two moves are tried in turn from the best
 * proportions: the best mu for the multipliers that were found, and steps along the derivative 1/2 - Y_jj by mu_j.
 */
async function adaptedBox(
  network: CheckedFeedForward,
  plan: Plan,
  options: LipschitzOptions,
  session: ProgrammeSession,
): Promise<RawSolution> {
  const chain = chainOf(network);
  const first = network.weights[0];
  const start = boxWeights(first, identity(first.rows));
  let best = { proportions: start, ...(await solveBox(network, start, plan, options, session)) };
  let move = 0;
  for (let round = 0; round < BOX_ROUNDS && move < BOX_STEPS.length && session.ended === undefined; round++) {
    const proportions = await session.working(movedProportions(chain, best, plan, BOX_STEPS[move]));
    const next = proportions === undefined ? undefined : await solveBox(network, proportions, plan, options, session);
    // An objective that is not solved for may be too small.
    const solved = next?.raw.result.status === "converged";
    if (
      proportions === undefined ||
      next === undefined ||
      !solved ||
      next.raw.objective > best.raw.objective * (1 - 5e-4)
    ) {
      move++;
      continue;
    }
    best = { proportions, ...next };
    move = 0;
  }
  return best.raw;
}

/** The first move takes the best mu for the multipliers; the others are exponents of the multiplicative step. */
const BOX_STEPS = [0, 0.3, 0.1, 0.03];

function* movedProportions(
  chain: Chain,
  { proportions, raw, derivative }: { proportions: Float64Array; raw: RawSolution; derivative: Float64Array },
  { kind }: Plan,
  exponent: number,
): Parts<Float64Array | undefined> {
  const floor = (1e-9 * proportions.reduce((sum, value) => sum + value, 0)) / proportions.length;
  if (exponent > 0) return proportions.map((value, j) => Math.max(value * (2 * derivative[j]) ** exponent, floor));
  const { multipliers, mu, delta } = raw;
  const solution = { norm: "linf-l1", multipliers, mu, delta, eliminated: kind === "eliminated" } as const;
  const repaired = yield* repairMultipliers(chain, solution, { shift: 1e-9, room: 1e-6 });
  return repaired === undefined ? undefined : boxWeights(chain.weights[0], repaired.storage);
}

/** Optima below this, relative to the scale of the programme, are so near the solver's tolerance that a bound is loose. */
const SMALL = 1e-2;
/** Most times that a programme is written anew. */
const RESCALINGS = 4;

/**
 * The programme of scaled layers, in terms of the network as it is. Where the optimum is too small for the solver or
 * the solver gets no further, the layers are scaled by what was found, and the programme is solved once more.
 */
async function solveNormalized(
  network: CheckedFeedForward,
  gain: Gain,
  plan: Plan,
  options: LipschitzOptions,
  session: ProgrammeSession,
): Promise<RawSolution> {
  const { norms } = await breathing(normalizing(network.weights));
  let scales = typicalScales(network, norms);
  let best = await solveScaled(network, scales, gain, plan, options, session, true);
  for (let left = RESCALINGS; left > 0; left--) {
    const { status, objective } = best.solved.result;
    if (session.ended !== undefined || !Number.isFinite(objective)) break;
    if (status === "converged" && objective >= SMALL) break;
    if (status !== "converged" && status !== "inaccurate") break;
    scales = scalesFor(network, scales, best.solved, gain.output === "l2");
    if (!scales.every((scale) => scale > 0 && Number.isFinite(scale))) break;
    session.supersede();
    const next = await solveScaled(network, scales, gain, plan, options, session, left > 1);
    if (next.solved.result.status !== "converged" && status === "converged") break;
    best = next;
  }
  return best.raw;
}

async function solveScaled(
  network: CheckedFeedForward,
  scales: readonly number[],
  gain: Gain,
  { kind, form }: Plan,
  options: LipschitzOptions,
  session: ProgrammeSession,
  again: boolean,
): Promise<{ raw: RawSolution; solved: RawSolution }> {
  const { norm = "l2", sharing } = options;
  const weights = network.weights.map(({ rows, columns, values }, i) =>
    matrix(
      rows,
      columns,
      values.map((value) => value / scales[i]),
    ),
  );
  const unit = { ...network, weights };
  const shared = sharing === "layer";
  const solved =
    form === "chain"
      ? await solveChain(chainOf(unit), gain, session, again)
      : form === "chordal"
        ? await solveChordal(chainOf(unit), gain, kind === "full" ? "full" : "diag", shared, session, again)
        : await solveDense(stackedForm(unit), gain, kind, shared, session, again);
  const total = scales.reduce((product, value) => product * value, 1);
  const raw = {
    ...solved,
    objective: solved.objective * total,
    multipliers: denormalizedMultipliers(solved.multipliers, chainOf(network), scales, norm),
    rho: solved.rho === undefined ? undefined : solved.rho * total * (norm === "l2" ? total : 1),
    mu: solved.mu?.map((value) => value * total),
    delta: solved.delta?.map((value) => value * total),
  };
  return { raw, solved };
}

/**
 * The programme from linf with mu = t m for given proportions m, which is one from a ball after a change of the input,
 * and the dual matrix's diagonal in the coordinates of the input.
 */
async function solveBox(
  network: CheckedFeedForward,
  m: Float64Array,
  plan: Plan,
  options: LipschitzOptions,
  session: ProgrammeSession,
): Promise<{ raw: RawSolution; derivative: Float64Array }> {
  const total = m.reduce((sum, value) => sum + value, 0);
  const first = network.weights[0];
  const d = first.columns;
  const changed = matrix(
    first.rows,
    d,
    first.values.map((value, k) => value / Math.sqrt(m[k % d] / total)),
  );
  const square = squareFactor(changed);
  const ball = { ...network, weights: [square, ...network.weights.slice(1)], inputs: square.columns };
  const raw = await solveNormalized(ball, { ball: 0.5, output: "l1" }, plan, options, session);
  // changed = square V^T with orthonormal columns of V, and Y = diag(m)^-1/2 V Y' V^T diag(m)^-1/2.
  const V = forwardSolve(square, changed);
  const YV = multiply(raw.inputDual, V);
  const derivative = new Float64Array(d);
  for (let i = 0; i < V.rows; i++)
    for (let j = 0; j < d; j++) derivative[j] += V.values[i * d + j] * YV.values[i * d + j];
  for (let j = 0; j < d; j++) derivative[j] = Math.max(0, derivative[j]) / (m[j] / total);
  return { raw: { ...raw, mu: m.map((value) => ((raw.rho as number) * value) / total) }, derivative };
}

const SHIFTS = [1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2];

function* bestChainProof(
  chain: Chain,
  raw: RawSolution,
  kind: MultiplierKind,
  norm: NormPair,
): Parts<Certificate | undefined> {
  const crossed = kind !== "diag" || chain.groups.some((layer) => layer.some((group) => group.kind === "slope"));
  const { multipliers, mu, delta } = raw;
  const solution = { norm, multipliers, mu, delta, ...(kind === "eliminated" ? { eliminated: true } : {}) };
  const candidates: Certificate[] = [];
  for (const shift of crossed ? [1e-9, 1e-6, 1e-3] : SHIFTS) {
    for (const room of crossed ? ROOMS : [1e-12, 1e-10, 1e-8, 1e-6]) {
      const repaired = yield* repairChain(chain, solution, { shift, room });
      if (repaired !== undefined && Number.isFinite(claimedBound(repaired))) candidates.push(repaired);
    }
  }
  return yield* bestProved(candidates, (candidate, limit) => provenChain(chain, candidate, limit));
}
