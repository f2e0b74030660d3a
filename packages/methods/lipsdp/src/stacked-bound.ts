import type { Parts } from "@offprint/solvers";
import { bestProved, ROOMS, type Solved } from "./best-proof.js";
import type { Certificate } from "./certificate.js";
import { provenStacked, repairStacked } from "./certify-stacked.js";
import { solveDense } from "./dense-programme.js";
import { gainOf } from "./gain.js";
import type { LipschitzOptions } from "./lipschitz-bound.js";
import { scaled } from "./matrix.js";
import type { CheckedNetwork } from "./network.js";
import type { Plan } from "./plan.js";
import type { ProgrammeSession } from "./programme-session.js";
import { isLinear, type Multipliers } from "./quadratic-constraint.js";
import type { RawSolution } from "./raw-solution.js";
import { type StackedForm, stackedForm } from "./stacked-form.js";

/** How strongly the constraint on what is preserved is enforced, relative to lambda, when `eliminated` becomes `full`. */
const PENALTIES = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7];

/**
 * `eliminated` as a limit of `full`: gamma = -kappa, nu = kappa adds -kappa |e|^2 for e = J (u - w), which is 0 for all
 * increments, and makes the inequality hold off that subspace (Finsler's lemma). For a linear neuron lambda = kappa does.
 *
 * @param natural size of multipliers where no group has any
 */
function penalized(groups: CheckedNetwork["groups"], m: Multipliers, penalty: number, natural: number): Multipliers {
  const lambda = m.lambda.map((value) => Math.max(0, value));
  const sums = new Map<number, { total: number; count: number }>();
  // Layers follow each other, and the offsets of a chain's groups restart at 0 in every layer.
  for (const [g, { layer }] of groups.entries()) {
    const entry = sums.get(layer) ?? { total: 0, count: 0 };
    sums.set(layer, { total: entry.total + lambda[g], count: entry.count + 1 });
  }
  const kappa = (g: number): number => {
    const { total, count } = sums.get(groups[g].layer) as { total: number; count: number };
    return penalty * (lambda[g] + total / count || natural);
  };
  const preserved = Float64Array.from(groups, ({ kind, size }, g) =>
    kind === "slope" ? 0 : kappa(g) / (kind === "sort" ? size : 1),
  );
  return {
    lambda: lambda.map((value, g) => (isLinear(groups[g]) ? kappa(g) : value)),
    gamma: preserved.map((value) => -value),
    nu: preserved,
    tau: m.tau,
  };
}

/** @internal The bound of a residual or implicit network. */
export async function stackedBound(
  checked: CheckedNetwork,
  { kind }: Plan,
  options: LipschitzOptions,
  product: number,
  session: ProgrammeSession,
): Promise<Solved> {
  const { norm = "l2", sharing } = options;
  const form = stackedForm(checked);
  const size = Number.isFinite(product) && product > 0 ? product : 1;
  const unit = { ...form, C: scaled(form.C, 1 / size) };
  const solution = await solveDense(unit, gainOf(norm), kind, sharing === "layer", session);
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
  if (options.certify === false) return { raw, certificate: undefined };
  const sources =
    kind === "eliminated" ? PENALTIES.map((p) => penalized(form.groups, raw.multipliers, p, power)) : [raw.multipliers];
  const { mu, delta } = raw;
  const solutions = sources.map((multipliers) => ({ norm, multipliers, mu, delta }));
  return { raw, certificate: await session.working(bestStackedProof(form, solutions)) };
}

function* bestStackedProof(
  form: StackedForm,
  solutions: readonly Omit<Certificate, "rho">[],
): Parts<Certificate | undefined> {
  const candidates: Certificate[] = [];
  for (const solution of solutions) {
    for (const t of [0, ...ROOMS]) {
      const repaired = repairStacked(form, solution, t);
      if (repaired !== undefined) candidates.push(repaired);
      yield;
    }
  }
  return yield* bestProved(candidates, (candidate, limit) => provenStacked(form, candidate, limit));
}
