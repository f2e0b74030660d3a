import { type ClaimContext, memo } from "@offprint/claims";
import { loadParameters } from "@offprint/nn";
import { random } from "@offprint/tensor-core";
import { type AutoEncoderParams, fitAutoEncoder, type Stage, shapeSamples } from "../src/index.js";
import { toyModel, toySchedule, toyTraining, trainingSeed } from "./toy-model.js";
import { type ToyShapes, toyShapes } from "./toy-shapes.js";
import { toyWeights } from "./toy-weights.js";

/** The network on toy images after phase 0 and after phase 1. */
export type ToyNetworks = Readonly<Record<0 | 1, AutoEncoderParams>>;

/** Networks with the shapes that they were trained on. */
export interface TrainedToy {
  readonly networks: ToyNetworks;
  readonly shapes: ToyShapes;
}

/** Number of shapes to train on. */
const TRAINING_SHAPES = 400;

/** Number of shapes that claims look at. */
export const JUDGED_SHAPES = 100;

/** The networks that were trained before, with seed 0, and the first of their shapes. */
export function shippedToy(): TrainedToy {
  const like = toyModel.init(random.rng(0));
  const read = (text: string) =>
    loadParameters(
      Uint8Array.from(atob(text), (c) => c.charCodeAt(0)),
      like,
    );
  return {
    networks: { 0: read(toyWeights[0]), 1: read(toyWeights[1]) },
    shapes: toyShapes(JUDGED_SHAPES, trainingSeed(0)),
  };
}

/** Trains one stage on toy shapes; `onStep` is told of every step. */
export async function trainStage(
  context: Pick<ClaimContext, "backend" | "signal">,
  shapes: ToyShapes,
  stage: Stage,
  seed: string,
  onStep: () => unknown,
  params?: AutoEncoderParams,
) {
  const fit = await fitAutoEncoder(toyModel, shapeSamples(shapes), {
    schedule: [stage],
    ...toyTraining,
    seed,
    signal: context.signal,
    onProgress: onStep,
    ...(params && { initial: params }),
    ...(context.backend && { backend: context.backend }),
  });
  context.signal.throwIfAborted();
  return fit;
}

/** Networks trained now, by the schedule of the shipped ones. */
export async function trainToy(context: ClaimContext): Promise<TrainedToy> {
  const shapes = toyShapes(TRAINING_SHAPES, trainingSeed(context.seed));
  const total = toySchedule[0].steps + toySchedule[1].steps;
  let done = 0;
  const step = () => context.onProgress(++done / total);
  const first = await trainStage(context, shapes, toySchedule[0], `${context.seed}/0`, step);
  const second = await trainStage(context, shapes, toySchedule[1], `${context.seed}/1`, step, first.params);
  return { networks: { 0: first.params, 1: second.params }, shapes };
}

/** Gives the networks of a run, trained once where the scale is `full`. */
export type ToySource = (context: ClaimContext) => Promise<TrainedToy>;

/** The shipped networks at the scale `quick`; else networks trained now, once for all claims. */
export function toySource(): ToySource {
  const trained = memo(trainToy);
  return (context) => (context.scale === "quick" ? Promise.resolve(shippedToy()) : trained(context));
}
