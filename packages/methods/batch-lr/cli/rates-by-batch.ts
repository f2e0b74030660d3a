import { Table, writeCsv } from "@offprint/data";
import { makeBreather } from "@offprint/solvers";
import { jitSync, mul, sub, type Tensor, tree, valueAndGrad } from "@offprint/tensor-core";
import { effectiveBatch, maxLearningRate, type NoiseEstimate } from "../src/index.js";
import type { NetworkParams, TableNetwork } from "./table-network.js";

/** What is said of a batch size. */
export interface BatchRates {
  readonly batch: number;
  /** Mean largest eigenvalue of the batches' Hessians as it was measured, and as the fitted line has it. */
  readonly measured: number;
  readonly fitted: number;
  /** Largest stable learning rates. */
  readonly sgd: number;
  readonly heavyBall: number;
  /** The loss of all rows after some steps of SGD at half the limit, and at twice the limit. */
  readonly below: number;
  readonly above: number;
}

/** How limits are tried. */
interface Trying {
  readonly momentum: number;
  readonly steps: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Told the part that is done. */
  onProgress(fraction: number): void;
}

/** The limits of every measured batch size, each tried by steps of SGD from where the curvature was measured. */
export async function ratesByBatch(
  network: TableNetwork,
  params: NetworkParams,
  noise: NoiseEstimate,
  { momentum, steps, seed, signal, onProgress }: Trying,
): Promise<{ readonly rates: readonly BatchRates[]; readonly status: "limit" | "aborted" }> {
  const { lambda1, gamma, byBatch } = noise;
  const update = jitSync((at: NetworkParams, rows: ReturnType<TableNetwork["sample"]>, rate: Tensor | number) => {
    const [, slope] = valueAndGrad(network.loss)(at, rows) as readonly [Tensor, NetworkParams];
    return tree.map((w: Tensor, g: Tensor) => sub(w, mul(g, rate)), at, slope) as NetworkParams;
  });
  const all = network.sample(Int32Array.from({ length: network.samples }, (_, i) => i));
  const breather = makeBreather();
  let made = 0;
  const after = async (batch: number, rate: number) => {
    const rows = network.batches(batch, `${seed}/try/${batch}`);
    let at = params;
    for (let step = 0; step < steps && !signal.aborted; step++, made++) {
      at = update(at, rows(step), rate);
      if (!breather.due()) continue;
      onProgress(made / (2 * steps * byBatch.length));
      await breather.pause();
    }
    return network.loss(at, all).item();
  };
  const rates: BatchRates[] = [];
  for (const { batch, top: measured } of byBatch) {
    const curvature = {
      lambda1,
      gamma,
      effective: effectiveBatch(batch, network.samples),
      branch: "always-spike",
    } as const;
    const sgd = maxLearningRate(curvature);
    const heavyBall = maxLearningRate({ ...curvature, optimizer: "heavy-ball", momentum });
    const [below, above] = [await after(batch, sgd / 2), await after(batch, 2 * sgd)];
    rates.push({ batch, measured, fitted: 2 / sgd, sgd, heavyBall, below, above });
  }
  update.release();
  return { rates, status: signal.aborted ? "aborted" : "limit" };
}

/** As a table, a row for each batch size. */
export function ratesTable(rates: readonly BatchRates[]): string {
  const column = (name: string, of: (row: BatchRates) => number) =>
    ({ name, type: "number", values: Float64Array.from(rates, of) }) as const;
  return writeCsv(
    new Table([
      column("batch", ({ batch }) => batch),
      column("largest eigenvalue, measured", ({ measured }) => measured),
      column("largest eigenvalue, fitted", ({ fitted }) => fitted),
      column("largest rate of SGD", ({ sgd }) => sgd),
      column("largest rate of heavy ball", ({ heavyBall }) => heavyBall),
      column("loss at half of SGD's", ({ below }) => below),
      column("loss at twice SGD's", ({ above }) => above),
    ]),
  );
}
