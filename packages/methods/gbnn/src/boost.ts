import type { Rng } from "@offprint/tensor-core";
import { type SolverStatus, solveLayer, takeRows } from "./block-solver.js";
import { evaluateLayer, viewLayer } from "./hidden-layer.js";
import type { BoostLoss } from "./loss.js";
import { addBlock, type Block, blockSize, type GbnnModel, initialScores } from "./model.js";
import type { GbnnOptions, ResolvedOptions } from "./options.js";

/** What happened at each block. */
export interface GbnnHistory {
  /** Mean loss over the training samples of F_0 and after every block: one more than the blocks. */
  readonly loss: readonly number[];
  /** Seconds since the beginning, after every block; those before a resumption are not counted. */
  readonly seconds: readonly number[];
  /** Iterations of the solver for every block made in this run. */
  readonly solverIterations: readonly number[];
  /** Why the solver ended, for every block made in this run. */
  readonly solverStatus: readonly SolverStatus[];
}

/**
 * Why the boosting ended: all blocks were made; nothing was left to fit (`converged`); or the signal fired. An aborted
 * or shorter run goes on from its model with `resume`.
 */
export type GbnnStatus = "aborted" | "completed" | "converged";

/** What boosting gives. */
export interface Boosted {
  /** The given model with the blocks added. */
  readonly model: GbnnModel;
  /** Figures per block. */
  readonly history: GbnnHistory;
  /** Why it ended. */
  readonly status: GbnnStatus;
}

/** Training samples in the model's units. */
export interface BoostSamples {
  /** `[samples, features]`, standardised. */
  readonly x: Float64Array;
  /** `[samples, outputs]`, coded for the loss. */
  readonly targets: Float64Array;
  /** n. */
  readonly rows: number;
}

/** Adds blocks to a model until it has all of them. */
export async function boost(
  start: GbnnModel,
  { x, targets, rows }: BoostSamples,
  loss: BoostLoss,
  options: ResolvedOptions,
  rng: Rng,
  { onProgress, signal }: Pick<GbnnOptions, "onProgress" | "signal">,
): Promise<Boosted> {
  const began = performance.now();
  const size = blockSize(start);
  const blocks: Block[] = [...start.blocks];
  const F = initialScores(start.initial, rows);
  const history = { loss: [loss.value(targets, F)], seconds: [], solverIterations: [], solverStatus: [] } as {
    [K in keyof GbnnHistory]: GbnnHistory[K][number][];
  };
  for (const block of blocks) {
    addBlock(F, x, start, block);
    history.loss.push(loss.value(targets, F));
  }
  const finished = (status: GbnnStatus): Boosted => ({ model: { ...start, blocks }, history, status });
  const negligible = 1e-14 * Math.max(1, largest(targets));
  const drawn = Math.max(1, Math.floor(options.subsample * rows));
  for (let t = blocks.length; t < options.blocks; t++) {
    if (signal?.aborted) return finished("aborted");
    const residuals = loss.residuals(targets, F);
    if (largest(residuals) <= negligible) return finished("converged");
    // a stream per block, so that a shorter run is a prefix of a longer one
    const stream = rng.fork(t);
    const subset = drawn < rows ? stream.choice(rows, { shape: [drawn], replace: false }).data() : undefined;
    const samples = subset
      ? { x: takeRows(x, subset, size.features), targets: takeRows(residuals, subset, size.outputs) }
      : { x, targets: residuals };
    const fitted = solveLayer(stream, samples, size, options);
    const layer = viewLayer(fitted.parameters, size);
    const phi = evaluateLayer(x, layer, size, start.activation);
    const newton = loss.step(targets, F, residuals, phi);
    if (!Number.isFinite(newton)) return finished("converged");
    const step = options.eta * (options.nonNegativeStep ? Math.max(0, newton) : newton);
    for (let i = 0; i < F.length; i++) F[i] += step * phi[i];
    blocks.push({ ...layer, step });
    const value = loss.value(targets, F);
    history.loss.push(value);
    history.seconds.push((performance.now() - began) / 1000);
    history.solverIterations.push(fitted.iterations);
    history.solverStatus.push(fitted.status);
    await onProgress?.({ block: t + 1, blocks: options.blocks, loss: value, step });
  }
  return finished("completed");
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}
