import { largestDifference } from "@offprint/claims";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { adam, sgd } from "@offprint/optim";
import {
  add,
  type Backend,
  grad,
  logSumExp,
  matmul,
  mul,
  oneHot,
  random,
  relu,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  trace,
  tree,
} from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AdaptiveOptions,
  adagradCoordinates,
  adagradNorm,
  type DenseLayer,
  type DenseParams,
  denseStatistics,
  gradientStats,
  perSampleStatistics,
  trainAdaptive,
} from "../src/index.js";

let backend: Backend & { release(): Promise<void> };

beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});

afterAll(() => backend.release());

const rng = random.rng(3);
const N = 64;
const X = rng.normal([N, 5], { dtype: "float64" });
const Y = rng.randint([N], { high: 3 });
const params = {
  first: { weight: rng.normal([5, 4], { dtype: "float64" }), bias: rng.normal([4], { dtype: "float64" }) },
  second: { weight: rng.normal([4, 3], { dtype: "float64" }), bias: rng.normal([3], { dtype: "float64" }) },
};
type Params = typeof params;
interface Batch {
  readonly x: Tensor;
  readonly y: Tensor;
}

const plain: DenseLayer = ({ weight, bias }, x) => add(matmul(x, weight), bias as Tensor);
function lossWith(p: Params, { x, y }: Batch, layer: DenseLayer): Tensor {
  const logits = layer(p.second, relu(layer(p.first, x)));
  return sub(logSumExp(logits, { axis: 1 }), sum(mul(logits, oneHot(y, 3, { dtype: "float64" })), { axis: 1 }));
}
const sampleLoss = (p: Params, batch: Batch) => lossWith(p, batch, plain);
const data = { size: N, batch: (indices: Int32Array): Batch => ({ x: take(X, indices), y: take(Y, indices) }) };
const batch = data.batch(Int32Array.from({ length: 11 }, (_, i) => i));
const problem = { params, data, sampleLoss };

const wholeLoss = (p: Params) => sum(sampleLoss(p, { x: X, y: Y })).item();

const common: AdaptiveOptions = {
  learningRate: 0.1,
  initialBatch: 4,
  test: { kind: "norm", eta: 0.6 },
  maxSamples: 400,
};

describe("statistics in graphs", () => {
  const mask = tensor(Float64Array.from({ length: 11 }, (_, i) => (i < 9 ? 1 : 0)));
  const count = tensor(Float64Array.of(9)).reshape([]);
  const singles = Array.from({ length: 9 }, (_, i) => {
    const one = data.batch(Int32Array.of(i));
    return grad((p: Params) => sum(sampleLoss(p, one)))(params);
  });
  const looped = tree.map((...leaves: Tensor[]) => stack(leaves), singles[0], ...singles.slice(1)) as any;
  const expected = gradientStats(looped);

  it("per-sample gradients at once are those of a loop, and their mean is the gradient of the batch", () => {
    const found = perSampleStatistics(sampleLoss).moments(params, batch, mask, count);
    expect(largestDifference(found.mean, expected.mean)).toBeLessThan(1e-12);
    expect(
      largestDifference(
        tree.map((s: Tensor) => s.div(8), found.squares),
        expected.coordinateVariance,
      ),
    ).toBeLessThan(1e-12);
    const nine = data.batch(Int32Array.from({ length: 9 }, (_, i) => i));
    expect(largestDifference(found.mean, grad((p: Params) => sum(sampleLoss(p, nine)).div(9))(params))).toBeLessThan(
      1e-12,
    );
  });

  it("through the inputs and outputs of dense layers are the same", () => {
    const [dense, general] = [denseStatistics(lossWith), perSampleStatistics(sampleLoss)];
    const [a, b] = [dense, general].map((statistics) => statistics.moments(params, batch, mask, count));
    expect(largestDifference(a, b)).toBeLessThan(1e-10);
    const direction = expected.mean as never as Params;
    expect(
      largestDifference(dense.innerProducts(params, batch, direction), general.innerProducts(params, batch, direction)),
    ).toBeLessThan(1e-10);
    const withoutLayer = (p: Params, each: Batch, layer: DenseLayer) =>
      lossWith(p, each, (q, x) => (q === p.first ? plain(q, x) : layer(q, x)));
    expect(() => denseStatistics(withoutLayer).moments(params, batch, mask, count)).toThrow(
      /no dense layer was applied with the parameter first/,
    );
    const square3 = { weight: random.rng(5).normal([3, 3]) };
    const rows = random.rng(6).normal([9, 3]);
    type Rule = (p: DenseParams, x: Tensor, layer: DenseLayer) => Tensor;
    const statisticsOf = (rule: Rule, p = square3) =>
      denseStatistics(rule).moments(p, rows, tensor(new Float32Array(9).fill(1)), tensor(9, { dtype: "float32" }));
    const twice: Rule = (p, x, layer) => sum(layer(p, layer(p, x)), { axis: 1 });
    expect(() => statisticsOf(twice)).toThrow(/weight belongs to more than one application/);
    const penalised: Rule = (p, x, layer) => sum(layer(p, x), { axis: 1 }).add(sum(square(p.weight)));
    expect(() => statisticsOf(penalised)).toThrow(/uses the parameter weight beside its layer/);
    expect(() => trace((p: DenseParams) => statisticsOf(penalised, p).loss, square3)).toThrow(
      /uses the parameter weight beside its layer/,
    );
  });
});

describe("training", () => {
  it("is the same compiled, eager, through dense layers, and in micro-batches", async () => {
    for (const test of [
      { kind: "norm", eta: 0.6 },
      { kind: "augmented", theta: 0.5, nu: 1 },
      { kind: "coordinate-wise", eta: 3 },
    ] as const) {
      const options = { ...common, test };
      const eager = await trainAdaptive(problem, options);
      const sizes = eager.history.map(({ batchSize }) => batchSize);
      expect(sizes.at(-1)).toBeGreaterThan(4);
      for (const other of [
        await trainAdaptive(problem, { ...options, backend }),
        await trainAdaptive(problem, { ...options, maxMicro: 8 }),
        await trainAdaptive({ ...problem, statistics: denseStatistics(lossWith) }, { ...options, maxMicro: 16 }),
      ]) {
        expect(other.history.map(({ batchSize }) => batchSize)).toEqual(sizes);
        expect(largestDifference(other.params, eager.params)).toBeLessThan(1e-9);
      }
    }
  });

  it("tells every step, grows only, and counts what it used", async () => {
    const seen: number[] = [];
    const { history, status } = await trainAdaptive(problem, { ...common, onProgress: ({ step }) => seen.push(step) });
    expect(status).toBe("limit");
    expect(seen).toEqual(history.map((_, k) => k + 1));
    let samples = 0;
    history.forEach(({ batchSize, ...record }, k) => {
      samples += batchSize;
      expect(record.samples).toBe(samples);
      if (k > 0) expect(batchSize).toBeGreaterThanOrEqual(history[k - 1].batchSize);
      expect(batchSize).toBeLessThanOrEqual(N);
    });
    expect(samples).toBeGreaterThanOrEqual(400);
  });

  it("goes on from a saved state as if it had not stopped", async () => {
    const whole = await trainAdaptive(problem, { ...common, steps: 12 });
    const half = await trainAdaptive(problem, {
      ...common,
      onProgress: ({ step }) => (step === 6 ? "stop" : undefined),
    });
    expect(half.status).toBe("stopped");
    const rest = await trainAdaptive(problem, { ...common, steps: 12, resume: half.state });
    expect(rest.history).toEqual(whole.history);
    expect(largestDifference(rest.params, whole.params)).toBe(0);
    const aborted = await trainAdaptive(problem, { ...common, signal: AbortSignal.abort() });
    expect(aborted).toMatchObject({ status: "aborted", history: [] });
  });

  it("never grows where all samples are the same, and ends where all gradients vanish", async () => {
    const same = { ...data, batch: (indices: Int32Array) => data.batch(new Int32Array(indices.length)) };
    const { history } = await trainAdaptive({ ...problem, data: same }, { ...common, steps: 20 });
    expect(new Set(history.map(({ batchSize }) => batchSize))).toEqual(new Set([4]));
    const flat = {
      params: tensor(new Float64Array(2)),
      data,
      sampleLoss: (p: Tensor, { x }: Batch) => mul(sum(square(p)), x.sum({ axis: 1 }).mul(0)),
    };
    expect((await trainAdaptive(flat, common)).status).toBe("converged");
  });

  it("takes any optimizer, schedule and order of samples", async () => {
    for (const optimizer of [
      adam({ learningRate: 1, beta2: 0.95 }),
      sgd({ learningRate: 1, momentum: 0.9 }),
      "adagrad-norm",
    ] as const) {
      const { history, params: trained } = await trainAdaptive(problem, {
        ...common,
        optimizer,
        learningRate: (samples) => 0.05 / (1 + samples / 400),
        sampling: "independent",
        maxSamples: 2000,
      });
      expect(wholeLoss(trained)).toBeLessThan(wholeLoss(params));
      expect(history.at(-1)?.learningRate).toBeLessThan(0.05);
    }
    const asked: number[] = [];
    const own = (size: number) => {
      asked.push(size);
      return Int32Array.from({ length: size }, (_, i) => i);
    };
    const { history } = await trainAdaptive(problem, { ...common, sampling: own, steps: 3 });
    expect(asked).toEqual(history.map(({ batchSize }) => batchSize));
  });

  it("refuses orders of samples that are no batch: the variance of one sample is not a number", async () => {
    const draw = (...indices: number[]) =>
      trainAdaptive(problem, { ...common, sampling: () => Int32Array.from(indices) });
    await expect(draw(3)).rejects.toThrow(/sampling gave 1 samples; it must give an Int32Array of 2 or more/);
    await expect(draw(3, N)).rejects.toThrow(/sampling gave sample 64; there are 0..63/);
    const alone = { ...common, test: { kind: "constant" }, steps: 2, sampling: () => Int32Array.of(3) } as const;
    expect((await trainAdaptive(problem, alone)).history.map(({ batchSize }) => batchSize)).toEqual([4, 4]);
  });
});

describe("AdaGrad", () => {
  it("by norm makes a first step of length alpha, by coordinate one of alpha along every axis", () => {
    const g = { w: tensor([3, -4, 0]), b: tensor([12]) };
    const zero = { w: tensor([0, 0, 0]), b: tensor([0]) };
    const norm = adagradNorm({ learningRate: 0.5 });
    const { updates } = norm.update(g, norm.init(zero), zero);
    expect(Math.hypot(...updates.w.data(), ...updates.b.data())).toBeCloseTo(0.5, 6);
    const each = adagradCoordinates({ learningRate: 0.5, epsilon: 0 });
    const first = each.update(g, each.init(zero), zero).updates;
    expect(first.w.toArray()).toEqual([-0.5, 0.5, -0]);
  });

  it("by norm refuses a gradient that is not finite", () => {
    const norm = adagradNorm();
    const zero = tensor([0, 0]);
    expect(() => norm.update(tensor([1, Number.NaN]), norm.init(zero), zero)).toThrow(/squared norm NaN/);
  });

  it("by norm shares a step size over all, a tensor, or a row", () => {
    const zero = {
      w: tensor([
        [0, 0],
        [0, 0],
      ]),
    };
    const g = {
      w: tensor([
        [3, 4],
        [0, 0],
      ]),
    };
    const sums = (state: { readonly sumOfSquares: unknown }) => state.sumOfSquares as typeof zero;
    const rowwise = adagradNorm({ granularity: "per-row" });
    const found = rowwise.update(g, rowwise.init(zero), zero);
    expect((found.updates.w.toArray() as number[][])[1]).toEqual([-0, -0]);
    expect(sums(found.state).w.toArray()).toEqual([[25], [0]]);
    const tensorwise = adagradNorm({ granularity: "per-tensor", vInit: 11 });
    expect(sums(tensorwise.update(g, tensorwise.init(zero), zero).state).w.item()).toBe(36);
    expect(sums(adagradCoordinates({ vInit: 2 }).init(zero)).w.toArray()).toEqual([
      [2, 2],
      [2, 2],
    ]);
  });
});
