import { memo } from "@offprint/claims";
import { type DescendOptions, type DescentResult, quarticLagrangian, SparseFourier } from "../src/index.js";
import type { Method } from "./method.js";

/** `u - Laplacian u + u^3 = f`. */
export const cubic = quarticLagrangian({ beta: 1 });

/** Four cosines that use up to eight coordinates. */
export function fourCosines(dimension: number, amplitude = 8): SparseFourier {
  const terms = [6, 5, 4, 3].map((a, j) => {
    const k = new Array<number>(dimension).fill(0);
    k[j % dimension] += dimension < 4 ? 1 + Math.floor(j / dimension) : 1;
    if (dimension > 1) k[(2 * j + 1) % dimension] += 1;
    return { k, a: amplitude * a };
  });
  return SparseFourier.cosines(terms, { dimension });
}

/** A solution to 1e-4, which several claims look at. */
export const solved = memo(
  ({ signal }, method: Method, dimension: number): Promise<DescentResult> =>
    method.descend(cubic, fourCosines(dimension), { tolerance: 1e-4, pruneTolerance: 1e-7, signal }),
);

/** A descent with its iterates, the start first. */
export async function iterates(
  method: Method,
  lagrangian: Parameters<Method["descend"]>[0],
  f: SparseFourier,
  options: DescendOptions,
): Promise<{ run: DescentResult; u: SparseFourier[] }> {
  const u: SparseFourier[] = [SparseFourier.constant(f.dimension, 0, f.period)];
  const save = (state: DescentResult["state"]) => void u.push(SparseFourier.fromData(state.inner.u));
  const run = await method.descend(lagrangian, f, { ...options, checkpoint: { every: 1, save } });
  return { run, u };
}
