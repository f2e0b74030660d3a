import { jitSync, less, random, type Tensor, take } from "@offprint/tensor-core";
import { type AutoEncoderParams, type BspAutoEncoder, bspAutoEncoder, type Phase, type Stage } from "../src/index.js";
import type { ToyShapes } from "./toy-shapes.js";

const sizes = { dim: 2, resolution: 32, planes: 64, convexes: 24 } as const;

/** A network and how it is trained. */
export interface ToyTraining {
  readonly model: BspAutoEncoder;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** The network for toy images whose weights ship: small, so that they are. */
export const toyModel = bspAutoEncoder({ ...sizes, ef: 6, hidden: [96, 128] });

/** Its decoder in the phases of its schedule, compiled: of parameters, codes and points. */
export const decodeToy = { 0: decoderOf(0), 1: decoderOf(1) } as const;

function decoderOf(phase: Phase) {
  return jitSync((params: AutoEncoderParams, codes: Tensor, points: Tensor) =>
    toyModel.decode(params, codes, points, phase),
  );
}

/** How the network is trained. */
export const toyTraining: ToyTraining = { model: toyModel, batchSize: 20, learningRate: 1e-3 };

/** How the shipped weights were trained. */
export const toySchedule: readonly Stage[] = [
  { phase: 0, steps: 4000 },
  { phase: 1, steps: 4000 },
];

/** A wider network, which learns sooner, to be trained for a few hundred steps. */
export const freshTraining: ToyTraining = {
  model: bspAutoEncoder({ ...sizes, ef: 10, hidden: [256, 256] }),
  batchSize: 20,
  learningRate: 1e-3,
};

/** The images that networks are trained on, of a seed. */
export function trainingSeed(seed: number): random.Rng {
  return random.rng(`toy shapes ${seed}`);
}

/** Inside of the first `count` shapes as the network sees it in a phase: `[count, 1024, 1]` bool. */
export function reconstructed(
  params: AutoEncoderParams,
  { inputs, points }: ToyShapes,
  phase: 0 | 1,
  count: number,
): Tensor {
  const some = take(
    inputs,
    Int32Array.from({ length: count }, (_, i) => i),
  );
  const codes = toyModel.encode(params, some);
  const shared = points.reshape([1, ...points.shape]);
  const all = take(shared, new Int32Array(count));
  const { occupancy } = decodeToy[phase](params, codes, all);
  return phase === 0 ? occupancy.greater(0.5) : less(occupancy, 0.01);
}

/** Intersection over union of predictions and values, over all shapes' points together per shape, averaged. */
export function meanIou(predicted: Tensor, { values }: ToyShapes): number {
  const count = predicted.shape[0];
  const n = values.shape[1];
  const p = predicted.data();
  const v = values.data();
  let total = 0;
  for (let i = 0; i < count; i++) {
    let [both, either] = [0, 0];
    for (let k = i * n; k < (i + 1) * n; k++) {
      both += p[k] && v[k] ? 1 : 0;
      either += p[k] || v[k] ? 1 : 0;
    }
    total += both / either;
  }
  return total / count;
}
