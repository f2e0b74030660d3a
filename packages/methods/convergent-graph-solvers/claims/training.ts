import { type ClaimContext, meanOf } from "@offprint/claims";
import { cosineSchedule } from "@offprint/optim";
import { asTensor, type Tensor, tree } from "@offprint/tensor-core";
import { type GraphModel, type GraphSample, predict } from "../src/index.js";
import type { Method } from "./method.js";

/** How a claim trains. */
export interface TrainingPlan {
  readonly steps: number;
  readonly batchSize: number;
  /** First learning rate; it falls to 1e-4. */
  readonly learningRate: number;
  readonly seed: string;
  readonly loss?: "squared" | "crossEntropy";
}

/** Parameters after training as the sheet has it: Adam, a cosine to 1e-4, gradients clipped at 5. */
export async function trained<P>(
  context: Pick<ClaimContext, "signal" | "onProgress">,
  { fitGraphModel }: Method,
  model: GraphModel<P>,
  data: readonly GraphSample[],
  { learningRate, ...plan }: TrainingPlan,
): Promise<P> {
  const { params, status } = await fitGraphModel(model, data, {
    ...plan,
    clipNorm: 5,
    learningRate: cosineSchedule({ initial: learningRate, final: 1e-4, steps: Math.max(plan.steps, 1) }),
    signal: context.signal,
  });
  if (status === "aborted") await context.onProgress(0);
  return params;
}

/** Predictions of some graphs, those of each as plain numbers. */
export async function predicted<P>(model: GraphModel<P>, params: P, samples: readonly GraphSample[]) {
  const found = await predict(model, params, samples);
  return found.map(({ y }) => y.data());
}

/** Mean square of the errors over all nodes of some graphs. */
export async function meanSquare<P>(model: GraphModel<P>, params: P, samples: readonly GraphSample[]): Promise<number> {
  const squares: number[] = [];
  const found = await predicted(model, params, samples);
  samples.forEach(({ targets }, g) => {
    const t = asTensor(targets).data();
    for (let i = 0; i < t.length; i++) squares.push((found[g][i] - t[i]) ** 2);
  });
  return meanOf(squares);
}

/** Variance of the targets over all nodes of some graphs. */
export function targetVariance(samples: readonly GraphSample[]): number {
  const values = samples.flatMap(({ targets }) => Array.from(asTensor(targets).data()));
  const mean = meanOf(values);
  return meanOf(values.map((v) => (v - mean) ** 2));
}

/** Numbers in a tree of parameters. */
export function sizeOf(params: unknown): number {
  return tree.leaves<Tensor>(params).reduce((total, leaf) => total + leaf.size, 0);
}
