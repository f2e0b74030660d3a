import { onnxRuntime } from "@offprint/onnx-runtime";
import { random, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  binaryConv,
  chain,
  cropAndFlip,
  type FitCheckpoint,
  fitStage,
  fitTwoStages,
  imageNetworks,
  parts,
  predict,
} from "../src/index.js";

const backend = await onnxRuntime({ device: "cpu", threads: 1 });
const list = (x: Tensor) => Array.from(x.data());

/** Two classes of 4 x 4 images: brighter above, or below. */
function stripes(count: number, seed: string) {
  const noise = random.rng(seed).normal([count, 1, 4, 4], { std: 0.5 });
  const lift = Float32Array.from({ length: count * 16 }, (_, i) => ((i >> 4) % 2 === ((i >> 3) & 1) ? 1 : -1));
  const targets = tensor(Int32Array.from({ length: count }, (_, i) => i % 2));
  return { inputs: noise.add(tensor(lift, { shape: [count, 1, 4, 4] })), targets };
}

const network = chain({
  conv: parts.conv({ inputs: 1, outputs: 4, kernel: 3, padding: 1 }),
  bn: parts.batchNorm(4),
  binary: binaryConv({ inputs: 4, outputs: 4, kernel: 3, padding: 1 }),
  bn1: parts.batchNorm(4),
  act: parts.hardtanh,
  flatten: parts.flatten,
  linear: parts.linear({ inputs: 64, outputs: 2 }),
});
const data = stripes(48, "train");
const stage = (epochs: number, learningRate: number) => ({
  epochs,
  learningRate,
  tauMin: 0.01,
  tauMax: 0.05,
  warmUpEpochs: 1,
});
const options = { batchSize: 16, seed: 3, stage1: stage(3, 0.1), stage2: stage(2, 0.02) };

describe("training in two stages", () => {
  it("learns, and records every epoch of both stages", async () => {
    const test = stripes(64, "test");
    const { trained, stage1, history, status } = await fitTwoStages(network, data, options);
    expect(status).toBe("completed");
    expect(history.map((e) => [e.stage, e.epoch])).toEqual([[1, 1], [1, 2], [1, 3], [2, 1], [2, 2]]); // biome-ignore format: one line
    expect(history[0].tau).toBeCloseTo(0.01, 12);
    expect(history[0].learningRate).toBe(0.1);
    expect([stage1.stage, trained.stage]).toEqual([1, 2]);
    const logits = await predict(trained, test.inputs, { batchSize: 50 });
    const right = Array.from(logits.argMax({ axis: -1 }).data()).filter((c, i) => c === i % 2).length;
    expect(right).toBeGreaterThan(58);
  });

  it("keeps the epoch with the best accuracy on the validation samples", async () => {
    const validation = stripes(20, "validation");
    const result = await fitStage(network, data, { ...options, ...stage(4, 0.1), stage: 1, validation });
    const accuracies = result.history.map((e) => e.validationAccuracy!);
    expect(result.checkpoint.best!.accuracy).toBe(Math.max(...accuracies));
    expect(result.checkpoint.best!.epoch).toBe(accuracies.indexOf(Math.max(...accuracies)) + 1);
    const logits = await predict(result.trained, validation.inputs);
    const right = Array.from(logits.argMax({ axis: -1 }).data()).filter((c, i) => c === i % 2).length;
    expect(right / 20).toBeCloseTo(Math.max(...accuracies), 6);
  });

  it("is the same compiled, the whole step as one graph", async () => {
    const eager = await fitTwoStages(network, data, options);
    const compiled = await fitTwoStages(network, data, { ...options, backend });
    compiled.history.forEach(({ loss }, i) => expect(loss).toBeCloseTo(eager.history[i].loss, 3));
  });

  it("goes on from any checkpoint as if nothing had happened, bit by bit", async () => {
    const checkpoints: FitCheckpoint[] = [];
    const whole = await fitTwoStages(network, data, { ...options, onCheckpoint: (c) => checkpoints.push(c) });
    expect(checkpoints.length).toBe(5);
    for (const k of [1, 3]) {
      const resumed = await fitTwoStages(network, data, { ...options, resume: checkpoints[k] });
      tree.leaves<Tensor>(resumed.trained.params).forEach((leaf, i) => {
        expect(list(leaf)).toEqual(list(tree.leaves<Tensor>(whole.trained.params)[i]));
      });
      expect(resumed.history).toEqual(whole.history);
    }
  });

  it("stops when told, in either stage, and says so", async () => {
    for (const [at, stageReached] of [
      [2, 1],
      [11, 2],
    ] as const) {
      const stop = new AbortController();
      let steps = 0;
      const onProgress = () => {
        if (++steps === at) stop.abort();
      };
      const result = await fitTwoStages(network, data, { ...options, signal: stop.signal, onProgress });
      expect(result.status).toBe("aborted");
      expect(result.trained.stage).toBe(stageReached);
      const resumed = await fitTwoStages(network, data, { ...options, resume: result.checkpoint });
      expect(resumed.history.length).toBe(5);
    }
  });

  it("takes batches and losses of one's own", async () => {
    const source = { batchesPerEpoch: 2, batches: () => [data, data] };
    const loss = (logits: Tensor) => logits.mul(logits).mean();
    const { history } = await fitStage(network, source, { ...stage(2, 0.01), stage: 2, loss });
    expect(history[1].loss).toBeLessThan(history[0].loss);
  });

  it("rejects options out of range", async () => {
    const run = (more: object) => fitTwoStages(network, data, { ...options, ...more });
    await expect(run({ stage1: { epochs: 0, learningRate: 0.1 } })).rejects.toThrow(/epochs is 0/);
    await expect(run({ stage1: { epochs: 1, learningRate: -1 } })).rejects.toThrow(/learningRate is -1/);
    await expect(run({ stage1: { epochs: 1, learningRate: 0.1, tauMax: -1 } })).rejects.toThrow(/tau/);
    await expect(run({ stage1: { epochs: 1, learningRate: 0.1, momentum: 1 } })).rejects.toThrow(/momentum/);
    await expect(run({ batchSize: 0 })).rejects.toThrow(/batchSize is 0/);
    await expect(run({ stage2: undefined })).rejects.toThrow(/lack stage1 or stage2/);
    await expect(fitStage(network, data, { ...stage(1, 0.1), stage: 3 as never })).rejects.toThrow(/stage is 3/);
    await expect(predict({ network, params: null, state: null, stage: 2 }, tensor([]))).rejects.toThrow(/no samples/);
  });
});

describe("augmentation", () => {
  it("shifts and mirrors images, zeros coming in", () => {
    const images = tensor(
      Float32Array.from({ length: 200 * 9 }, (_, i) => 1 + (i % 9)),
      { shape: [200, 1, 3, 3] },
    );
    const seen = new Set<string>();
    const changed = cropAndFlip({ padding: 1 })(images, random.rng(0)).data();
    for (let n = 0; n < 200; n++) seen.add(changed.slice(9 * n, 9 * n + 9).join());
    expect(seen.size).toBe(18);
    expect(seen.has("1,2,3,4,5,6,7,8,9")).toBe(true);
    expect(seen.has("3,2,1,6,5,4,9,8,7")).toBe(true);
    expect(seen.has("0,0,0,0,1,2,0,4,5")).toBe(true);
    expect(list(cropAndFlip({ padding: 0, flip: false })(images, random.rng(0)))).toEqual(list(images));
    expect(() => cropAndFlip()(tensor([1]), random.rng(0))).toThrow(/batch, channels, height, width/);
  });
});

describe("the paper's networks", () => {
  const sizes = { resnet20: 0.27, resnet18: 11, resnet34: 21.1, vggSmall: 4.66, imagenetResnet18: 11.7, imagenetResnet34: 21.8 }; // biome-ignore format: one line
  it.each(Object.entries(sizes))("%s has %s million parameters", (name, millions) => {
    const made = imageNetworks[name]();
    const cheap = { normal: (shape: number[]) => tensor(new Float32Array(1)).broadcastTo(shape) };
    const shapes = made.init({ ...cheap, uniform: cheap.normal } as never);
    const count = tree.leaves<Tensor>(shapes).reduce((total, leaf) => total + leaf.size, 0) / 1e6;
    expect(Math.abs(count / millions - 1)).toBeLessThan(0.02);
  });
});
