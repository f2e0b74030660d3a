import { type ClaimContext, memo } from "@offprint/claims";
import { readAsset } from "@offprint/data";
import { loadParameters } from "@offprint/nn";
import { hostBackend, random } from "@offprint/tensor-core";
import { assetAddress } from "#assets";
import { type AutoEncoderParams, fitAutoEncoder, type ShapeSource, type Stage, shapeSamples } from "../src/index.js";
import { type ToyTraining, toyModel, toySchedule, toyTraining, trainingSeed } from "./toy-model.js";
import { type ToyShapes, toyShapes } from "./toy-shapes.js";

/** The network on toy images after phase 0 and after phase 1. */
export type ToyNetworks = Readonly<Record<0 | 1, AutoEncoderParams>>;

/** Networks with the shapes that they were trained on. */
export interface TrainedToy {
  readonly networks: ToyNetworks;
  readonly shapes: ToyShapes;
  /** Where the networks are from, for reports. */
  readonly origin: string;
}

/** Number of shapes to train on. */
const TRAINING_SHAPES = 400;

/** Number of shapes that claims look at. */
export const JUDGED_SHAPES = 100;

/** The seed that the shipped networks were trained with. */
export const SHIPPED_SEED = 0;

/** The file of the network after a phase: safetensors of float16. */
export function assetName(phase: 0 | 1): string {
  return `toy-${SHIPPED_SEED}-phase-${phase}.safetensors`;
}

/** The networks that were trained before, and the first of their shapes. */
export async function shippedToy(): Promise<TrainedToy> {
  const like = toyModel.init(random.rng(0));
  const read = async (phase: 0 | 1) => loadParameters(await readAsset(assetAddress(assetName(phase))), like);
  return {
    networks: { 0: await read(0), 1: await read(1) },
    shapes: toyShapes(JUDGED_SHAPES, trainingSeed(SHIPPED_SEED)),
    origin: `the networks that ship, trained with seed ${SHIPPED_SEED}`,
  };
}

/** Trains one stage on shapes; `onStep` is told of every step. */
export async function trainStage(
  context: Pick<ClaimContext, "backend" | "signal">,
  { model, ...training }: ToyTraining,
  source: ShapeSource,
  stage: Stage,
  seed: string,
  onStep: () => unknown,
  params?: AutoEncoderParams,
) {
  const fit = await fitAutoEncoder(model, source, {
    schedule: [stage],
    ...training,
    seed,
    signal: context.signal,
    onProgress: onStep,
    ...(params && { initial: params }),
    backend: context.backend ?? hostBackend,
  });
  context.signal.throwIfAborted();
  return fit;
}

/** Networks trained now, by the schedule of the shipped ones. */
export async function trainToy(
  context: Pick<ClaimContext, "backend" | "signal" | "seed" | "onProgress">,
): Promise<TrainedToy> {
  const shapes = toyShapes(TRAINING_SHAPES, trainingSeed(context.seed));
  const source = shapeSamples(shapes);
  const total = toySchedule[0].steps + toySchedule[1].steps;
  let done = 0;
  const step = () => context.onProgress(++done / total);
  const first = await trainStage(context, toyTraining, source, toySchedule[0], `${context.seed}/0`, step);
  const second = await trainStage(
    context,
    toyTraining,
    source,
    toySchedule[1],
    `${context.seed}/1`,
    step,
    first.params,
  );
  const origin = `networks trained in this run, with seed ${context.seed}`;
  return { networks: { 0: first.params, 1: second.params }, shapes, origin };
}

/** Gives the networks of a run. */
export type ToySource = (context: ClaimContext) => Promise<TrainedToy>;

/** The shipped networks at the scale `quick`, whatever the seed; else networks trained now. Once for all claims. */
export function toySource(): ToySource {
  return memo((context) => (context.scale === "quick" ? shippedToy() : trainToy(context)));
}
