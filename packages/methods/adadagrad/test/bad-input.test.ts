import {
  mul,
  NonFiniteError,
  type OffprintError,
  ShapeError,
  square,
  sum,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  type AdaptiveOptions,
  adagradNorm,
  batchController,
  cosineBySamples,
  gradientStats,
  nextBatchSize,
  planBatch,
  pooledStats,
  requiredBatchSize,
  stepsBySamples,
  trainAdaptive,
} from "../src/index.js";

const problem = {
  params: tensor([1, 2]),
  data: { size: 10, batch: (indices: Int32Array) => tensor(Float32Array.from(indices)) },
  sampleLoss: (p: Tensor, x: Tensor) => mul(sum(square(p)), x),
};
const options: AdaptiveOptions = { learningRate: 0.1, initialBatch: 2, test: { kind: "norm", eta: 1 }, steps: 3 };
const stats = gradientStats({ x: tensor([[1], [2]]) });

describe("bad input is refused by name", () => {
  it.each<[Partial<AdaptiveOptions>, RegExp]>([
    [{ initialBatch: 1 }, /initialBatch is 1; it must be an integer >= 2/],
    [{ initialBatch: 8, maxBatch: 4 }, /maxBatch is 4; it must be an integer >= 8/],
    [{ maxBatch: 20 }, /maxBatch is 20, but there are 10 samples/],
    [{ test: { kind: "norm", eta: 0 } }, /eta of the norm test is 0/],
    [{ test: { kind: "inner-product", theta: Number.NaN } }, /theta of the inner-product test is NaN/],
    [{ test: { kind: "augmented", theta: 1, nu: -1 } }, /nu of the augmented test is -1/],
    [{ test: { kind: "coordinate-wise", eta: { x: tensor([1, 0]) } } }, /eta of the coordinate-wise test is 0/],
    [{ test: { kind: "guess" } as never }, /there is no test guess; take norm/],
    [{ test: { kind: "linear", increment: 0 } }, /increment is 0/],
    [{ test: { kind: "stages", sizes: [] }, maxSamples: 5 }, /stages has no sizes/],
    [{ test: { kind: "stages", sizes: [2, 4] } }, /stages needs maxSamples/],
    [{ test: { kind: "stages", sizes: [2, 4], shares: [1] }, maxSamples: 5 }, /give 2 numbers > 0/],
    [{ testInterval: 0 }, /testInterval is 0/],
    [{ maxMicro: 0 }, /maxMicro is 0/],
    [{ steps: undefined }, /give maxSamples or steps/],
    [{ steps: 0 }, /steps is 0/],
    [{ learningRate: -1 }, /learningRate is -1/],
    [{ learningRate: () => Number.NaN }, /learningRate\(0, 0\) is NaN/],
    [{ learningRate: () => -0.1 }, /learningRate\(0, 0\) is -0.1/],
    [{ learningRate: undefined }, /there is no learningRate/],
    [{ test: { kind: "norm", eta: 1, theta: 1 } as never }, /the norm test: there is no option "theta"/],
    [{ test: { kind: "norm" } as never }, /the norm test: there is no eta/],
    [{ test: { kind: "stages", size: [2] } as never, maxSamples: 5 }, /the stages rule: there is no option "size"/],
    [{ test: { kind: "constant", eta: 1 } as never }, /the constant rule: there is no option "eta"/],
    [{ optimizer: "adamax" as never }, /optimizer is adamax; take adagrad/],
  ])("training: %o", async (change, message) => {
    const attempt = trainAdaptive(problem, { ...options, ...change });
    await expect(attempt).rejects.toThrow(message);
    await expect(trainAdaptive(problem, { ...options, ...change })).rejects.toThrow(ValueError);
  });

  it("parameters, batches and options that are none", async () => {
    await expect(trainAdaptive(problem, undefined as never)).rejects.toThrow(/the options are undefined; give/);
    await expect(trainAdaptive({ ...problem, params: [1, 2] as never }, options)).rejects.toThrow(
      /0 of params is no tensor/,
    );
    const data = { size: 10, batch: (indices: Int32Array) => ({ x: Float32Array.from(indices) }) };
    await expect(trainAdaptive({ ...problem, data: data as never }, options)).rejects.toThrow(
      /x of the batch is no tensor/,
    );
  });

  it("micro-batches of different parameters", () => {
    const [three, two] = [tensor([[1, 2, 3]]), tensor([[1, 2]])];
    for (const other of [{ w: two }, { v: three }, { w: three, v: three }]) {
      expect(() => pooledStats([{ w: three }, other])).toThrow(ShapeError);
      expect(() => pooledStats([{ w: three }, other])).toThrow(/micro-batch 1 has gradients .*, the first .*w/);
    }
    expect(() => pooledStats({ w: three } as never)).toThrow(/the micro-batches are no list/);
  });

  it("schedules, plans and states", () => {
    expect(() => cosineBySamples({ peak: 1, end: 9, warmup: 2 } as never)).toThrow(/did you mean "warmUp"/);
    expect(() => stepsBySamples({ peak: 1 } as never)).toThrow(/there is no milestones/);
    expect(() => planBatch(9, { workers: 4 } as never)).toThrow(/there is no accumulation/);
    const { next } = batchController({ initialBatch: 2, maxBatch: 9, test: { kind: "norm", eta: 1 } });
    expect(() => next(undefined as never, stats)).toThrow(/state is undefined/);
  });

  it("data and losses", async () => {
    const empty = { ...problem, data: { ...problem.data, size: 0 } };
    await expect(trainAdaptive(empty, options)).rejects.toThrow(/data.size is 0/);
    const scalar = { ...problem, sampleLoss: (p: Tensor) => sum(square(p)) };
    let steps = 0;
    for (const test of [{ kind: "constant" }, { kind: "norm", eta: 1 }] as const) {
      const attempt = trainAdaptive(scalar, { ...options, test, onProgress: () => steps++ });
      await expect(attempt).rejects.toThrow(ShapeError);
    }
    expect(steps).toBe(0);
    const far = {
      ...problem,
      sampleLoss: (p: Tensor, x: Tensor) => mul(sum(square(p)), mul(x, Number.POSITIVE_INFINITY)),
    };
    await expect(trainAdaptive(far, options)).rejects.toThrow(NonFiniteError);
    await expect(trainAdaptive(far, options)).rejects.toMatchObject({ state: { inner: { batches: { step: 0 } } } });
  });

  it.each<[() => unknown, new (...args: any[]) => OffprintError, RegExp]>([
    [() => gradientStats({ x: tensor([[1]]) }), ValueError, /1 samples have no variance/],
    [() => gradientStats({}), ValueError, /no gradients/],
    [
      () => gradientStats({ x: tensor([[1], [2]]), y: tensor([1]) }),
      ShapeError,
      /y has shape \[1\]; every leaf must be \[2, ...\]/,
    ],
    [() => gradientStats({ x: tensor([[1], [Number.NaN]]) }), ValueError, /gradient of sample 1 is NaN in x/],
    [() => pooledStats([]), ValueError, /0 samples/],
    [
      () => pooledStats([{ x: tensor([[1], [2]]) }, { x: tensor([[1]]) }], { mode: "total-variance" }),
      ValueError,
      /there are 2, 1 samples/,
    ],
    [() => pooledStats([], { mode: "mean" as never }), ValueError, /mode is mean/],
    [
      () => requiredBatchSize(stats, { kind: "coordinate-wise", eta: { x: tensor([1, 1]) } }),
      ShapeError,
      /has shape \[2\], its parameter \[1\]/,
    ],
    [() => requiredBatchSize(stats, { kind: "coordinate-wise", eta: {} }), ShapeError, /0 leaves/],
    [() => nextBatchSize(1, stats, { kind: "norm", eta: 1 }, 4), ValueError, /current is 1/],
    [() => planBatch(0, { workers: 1, accumulation: 1, maxMicro: 1, maxGlobal: 1 }), ValueError, /requested is 0/],
    [() => cosineBySamples({ peak: 1, warmUp: 5, end: 5 }), ValueError, /the end must come after the warm-up/],
    [() => stepsBySamples({ peak: 1, milestones: [3, 2] }), ValueError, /milestone 1 is 2/],
    [() => adagradNorm({ vInit: -1 }), ValueError, /vInit is -1/],
    [
      () => batchController({ initialBatch: 2.5, maxBatch: 4, test: { kind: "constant" } }),
      ValueError,
      /initialBatch is 2.5/,
    ],
  ])("case %#", (attempt, type, message) => {
    expect(attempt).toThrow(type);
    expect(attempt).toThrow(message);
  });
});
