import { onnxRuntime } from "@offprint/onnx-runtime";
import { NonFiniteError, random, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { beforeAll, describe, expect, it } from "vitest";
import { imageNetworks } from "../src/architectures/named.js";
import {
  binaryConv,
  chain,
  cropAndFlip,
  type FitRecord,
  type FitState,
  fitNetwork,
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
const shared = { batchSize: 16, seed: 3 };
const options = { ...shared, stage1: stage(3, 0.1), stage2: stage(2, 0.02) };

describe("training in two stages", () => {
  const states: FitState[] = [];
  let whole: Awaited<ReturnType<typeof fitNetwork>>;
  beforeAll(async () => {
    whole = await fitNetwork(network, data, { ...options, checkpoint: { save: (state) => states.push(state) } });
  });

  it("learns, and records every step of both stages", async () => {
    const test = stripes(64, "test");
    const { model, stage1, history, steps, status } = whole;
    expect([status, steps]).toEqual(["limit", 15]);
    expect(history.map((r) => [r.stage, r.step, r.epoch, r.batch])).toEqual([
      ...Array.from({ length: 9 }, (_, i) => [1, i + 1, 1 + Math.floor(i / 3), 1 + (i % 3)]),
      ...Array.from({ length: 6 }, (_, i) => [2, i + 1, 1 + Math.floor(i / 3), 1 + (i % 3)]),
    ]);
    expect(history[0]).toMatchObject({ learningRate: 0.1, epochLoss: null, validationAccuracy: null });
    expect(history[0].tau).toBeCloseTo(0.01, 12);
    const [a, b, c] = history.map(({ loss }) => loss);
    expect(history[2].epochLoss).toBeCloseTo((a + b + c) / 3, 12);
    expect([stage1!.stage, model.stage]).toEqual([1, 2]);
    const logits = await predict(model, test.inputs, { batchSize: 50 });
    const right = Array.from(logits.argMax({ axis: -1 }).data()).filter((c, i) => c === i % 2).length;
    expect(right).toBeGreaterThan(58);
  });

  it("keeps the epoch with the best accuracy on the validation samples", async () => {
    const validation = stripes(20, "validation");
    const result = await fitNetwork(network, data, { ...shared, stage1: stage(4, 0.1), validation });
    const accuracies = result.history.flatMap((r) => r.validationAccuracy ?? []);
    expect(accuracies.length).toBe(4);
    expect(result.state.best!.accuracy).toBe(Math.max(...accuracies));
    const logits = await predict(result.model, validation.inputs);
    const right = Array.from(logits.argMax({ axis: -1 }).data()).filter((c, i) => c === i % 2).length;
    expect(right / 20).toBeCloseTo(Math.max(...accuracies), 6);
  });

  it("is the same compiled, the whole step as one graph", async () => {
    const compiled = await fitNetwork(network, data, { ...options, backend });
    compiled.history.forEach(({ loss }, i) => expect(loss).toBeCloseTo(whole.history[i].loss, 3));
  });

  it("keeps a state after every epoch, of either stage", async () => {
    expect(states.map((state) => [state.stage, state.training.inner.epoch])).toEqual([[1, 1], [1, 2], [1, 3], [2, 1], [2, 2]]); // biome-ignore format: one line
    for (const state of [states[2], states[3]]) {
      const kept = tree.fromJson<typeof whole.state>(tree.toJson(state));
      const resumed = await fitNetwork(network, data, { ...options, resume: kept });
      expect(tree.toJson(resumed.model.params)).toBe(tree.toJson(whole.model.params));
      expect(tree.toJson(resumed.stage1!.params)).toBe(tree.toJson(whole.stage1!.params));
      expect(resumed.history).toEqual(whole.history);
    }
  });

  it("stopped at the last step of stage 1 does not begin stage 2, which a resumed run does", async () => {
    const onProgress = ({ step }: FitRecord) => (step === 9 ? "stop" : undefined);
    const part = await fitNetwork(network, data, { ...options, onProgress });
    expect([part.status, part.steps, part.model.stage]).toEqual(["stopped", 9, 1]);
    const rest = await fitNetwork(network, data, { ...options, resume: part.state });
    expect([rest.status, rest.steps, rest.model.stage]).toEqual(["limit", 15, 2]);
  });

  it("gives the last good state, of its stage, where it diverges", async () => {
    const loss = (logits: Tensor) => logits.mul(logits).mean();
    const huge = { ...options, stage2: { epochs: 30, learningRate: 1e30, warmUpEpochs: 0 }, loss };
    const error = await fitNetwork(network, data, huge).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toMatch(/^fitNetwork: stage 2: .*lower the learning rate/);
    const state = error.state as FitState;
    expect([state.stage, state.first!.history.length]).toEqual([2, 9]);
    expect(tree.leaves<Tensor>(state.training.inner.params).every((x) => list(x).every(Number.isFinite))).toBe(true);
  });

  it("takes batches and losses of one's own", async () => {
    const source = { batchesPerEpoch: 2, batches: () => [data, data] };
    const loss = (logits: Tensor) => logits.mul(logits).mean();
    const { history, stage1 } = await fitNetwork(network, source, { stage2: stage(2, 0.01), loss });
    expect(stage1).toBeNull();
    expect(history[3].epochLoss).toBeLessThan(history[1].epochLoss!);
  });

  it("joins a last batch of one sample, which has no variance, to the one before", async () => {
    const pooled = chain({
      conv: parts.conv({ inputs: 1, outputs: 4, kernel: 3, padding: 1 }),
      pool: parts.globalAveragePool,
      norm: parts.batchNorm(4),
      linear: parts.linear({ inputs: 4, outputs: 2 }),
    });
    const { history } = await fitNetwork(pooled, stripes(33, "odd"), { batchSize: 16, stage1: stage(2, 0.1) });
    expect(history.map(({ batch }) => batch)).toEqual([1, 2, 1, 2]);
    expect(history[3].epochLoss).not.toBeNull();
  });

  it("refuses classes that the network does not have, compiled or not", async () => {
    for (const wrong of [2, -1]) {
      const targets = tensor(Int32Array.from({ length: 48 }, (_, i) => (i === 40 ? wrong : i % 2)));
      for (const compiled of [{ backend }, {}]) {
        await expect(fitNetwork(network, { ...data, targets }, { ...options, ...compiled })).rejects.toThrow(
          new RegExp(`class ${wrong}; the network has 2 classes|label ${wrong} is not one of 2 classes`),
        );
      }
    }
  });

  it("refuses networks, models and rules that are none", async () => {
    await expect(fitNetwork({} as never, data, options)).rejects.toThrow(/network.init is undefined/);
    await expect(fitNetwork(network, data, { ...options, augment: 5 as never })).rejects.toThrow(/augment is 5/);
    await expect(fitNetwork(network, data, { ...options, regularizer: "sin" as never })).rejects.toThrow(
      /regularizer is "sin"/,
    );
    await expect(predict({} as never, data.inputs)).rejects.toThrow(/the model has no network/);
  });

  it("refuses images that are not finite, whose signs would be", async () => {
    const broken = { ...data, inputs: data.inputs.add(Number.NaN) };
    await expect(fitNetwork(network, broken, options)).rejects.toThrow(/data.inputs holds NaN/);
    const source = { batchesPerEpoch: 1, batches: () => [broken] };
    await expect(fitNetwork(network, source, options)).rejects.toThrow(/data.inputs holds NaN/);
    await expect(fitNetwork(network, data, { ...options, validation: broken })).rejects.toThrow(
      /validation.inputs holds NaN/,
    );
    const values = { params: network.init(random.rng(0)), state: network.initState() };
    await expect(predict({ network, ...values, stage: 2 }, broken.inputs)).rejects.toThrow(/inputs holds NaN/);
  });

  it("rejects options that are unknown or out of range", async () => {
    const run = (more: object) => fitNetwork(network, data, { ...options, ...more });
    await expect(run({ stage1: { epochs: -1, learningRate: 0.1 } })).rejects.toThrow(
      /fitNetwork, stage1: epochs is -1/,
    );
    await expect(run({ stage2: { epochs: 1, lr: 0.1 } })).rejects.toThrow(/"lr"; did you mean "learningRate"/);
    await expect(run({ stage1: { epochs: 1, learningRate: 0.1, tauMax: -1 } })).rejects.toThrow(/tau/);
    await expect(run({ stage1: { epochs: 1, learningRate: 0.1, momentum: 1 } })).rejects.toThrow(/momentum/);
    await expect(run({ stage1: undefined, stage2: undefined })).rejects.toThrow(/neither stage1 nor stage2/);
    await expect(fitNetwork(network, null as never, options)).rejects.toThrow(/data is null/);
    const values = { params: network.init(random.rng(0)), state: network.initState() };
    const predicting = (more: object, x = data.inputs) => predict({ network, ...values, stage: 2 }, x, more);
    await expect(predicting({}, tensor([]))).rejects.toThrow(/no samples/);
    await expect(predicting({ batch: 3 })).rejects.toThrow(/"batch"; did you mean "batchSize"/);
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
