import { largestEigenvalue, matrix, multiplyTransposed, place, symmetrized } from "./matrix.js";
import type { CheckedImplicit } from "./network.js";
import { groupLipschitz } from "./neuron-group.js";
import { provenNorm } from "./proven-norm.js";
import { groupForms, type Multipliers, zeroMultipliers } from "./quadratic-constraint.js";
import { blockProduct } from "./stacked-form.js";

/**
 * @internal Whether z = phi(W z + v) has a unique solution for every v, by a sufficient condition: ||W||_2 < 1 for
 * activations that are 1-Lipschitz, or W^T T W < T with the multipliers T that were found. Otherwise nothing is known.
 */
export function wellPosedness(network: CheckedImplicit, found: Multipliers | undefined): "yes" | "unknown" {
  const constant = network.groups.reduce((most, group) => Math.max(most, groupLipschitz(group)), 0);
  if (provenNorm(network.W) * constant < 1) return "yes";
  if (found === undefined || network.groups.some(({ kind }) => kind === "slope")) return "unknown";
  // The contraction in the norm of T = lambda I alone: gamma may have been driven to a limit.
  const n = network.W.rows;
  const multipliers = { ...zeroMultipliers(found.lambda.length), lambda: found.lambda };
  const forms = groupForms(network.groups, multipliers);
  const T = matrix(n, n);
  for (const [g, { m11 }] of forms.entries()) {
    const { start, size } = network.groups[g];
    place(T, start, start, matrix(size, size, m11));
  }
  const moved = multiplyTransposed(network.W, blockProduct(network.groups, forms, "m11", network.W));
  const excess = symmetrized(
    matrix(
      n,
      n,
      moved.values.map((value, k) => value - T.values[k]),
    ),
  );
  const size = found.lambda.reduce((most, value) => Math.max(most, value), 0);
  return largestEigenvalue(excess) < -1e-9 * size ? "yes" : "unknown";
}
