import { type Backend, random } from "@offprint/tensor-core";
import type { Claim, ClaimContext, ClaimResult, ClaimSet, Scale } from "./claim.js";

/** How a test runs a claim. */
export interface ContextOptions {
  /** An integer. Default 0. */
  readonly seed?: number;
  /** Default `quick`. */
  readonly scale?: Scale;
  /** Where compiled functions run. Default the host kernels. */
  readonly backend?: Backend | undefined;
  /** Default one that never fires. */
  readonly signal?: AbortSignal;
}

/**
 * What `runClaims` gives a claim, for tests: the same generator, the same seed.
 *
 * @param method the method's name, as in its `ClaimSet`
 * @param id the claim's id
 */
export function claimContext(method: string, id: string, options: ContextOptions = {}): ClaimContext {
  const { seed = 0, scale = "quick", backend, signal = new AbortController().signal } = options;
  return {
    rng: random.rng(`${seed}/${method}/${id}`),
    seed,
    scale,
    signal,
    ...(backend && { backend }),
    onProgress: async () => signal.throwIfAborted(),
  };
}

/**
 * Runs one claim as `offprint reproduce` does, but an error inside it is thrown: a test that expects a claim not to hold
 * must not be content with one that broke.
 *
 * @param claims the set that the claim belongs to, or stands in the place of one of
 */
export async function runClaim(
  { method }: Pick<ClaimSet, "method">,
  claim: Claim,
  options: ContextOptions = {},
): Promise<ClaimResult> {
  return claim.run(claimContext(method, claim.id, options));
}
