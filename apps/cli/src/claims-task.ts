import { type ClaimRecord, type ClaimRun, runClaims, type Scale } from "@offprint/claims";
import type { Backend } from "@offprint/tensor-core";
import { findMethod, loadClaims, type Registry } from "./registry.js";

/** The claims of a method under one seed: they share the experiments that they look at, and so run in one place. */
export interface ClaimsTask {
  /** Name of the method. */
  readonly method: string;
  readonly seed: number;
  readonly scale: Scale;
  /** Records of claims that need not be run again. */
  readonly finished: readonly ClaimRecord[];
}

/** What happens while claims run. */
export type ClaimsEvent =
  | { readonly kind: "progress"; readonly fraction: number; readonly claim: string; readonly note: string }
  | { readonly kind: "record"; readonly record: ClaimRecord };

/** Runs a task. */
export async function runTask(
  registry: Registry,
  backend: Backend | undefined,
  { method: name, seed, scale, finished }: ClaimsTask,
  tell: (event: ClaimsEvent) => void,
  signal?: AbortSignal,
): Promise<ClaimRun> {
  const method = findMethod(registry, name);
  return runClaims(await loadClaims(registry, method), {
    seed,
    scale,
    version: method.version,
    finished,
    ...(backend && { backend }),
    ...(signal && { signal }),
    onProgress: ({ claim, fraction, note }) => tell({ kind: "progress", claim, fraction, note }),
    onFinished: (record) => tell({ kind: "record", record }),
  });
}
