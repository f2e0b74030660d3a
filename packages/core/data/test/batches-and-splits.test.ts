import { random, std, type Tensor, tensor } from "@offprint/tensor-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Batches, batches, type Dataset, standardization, subset, trainTestSplit } from "../src/index.js";

const counts = (x: Tensor) => {
  const out: number[] = [];
  for (const v of x.data()) out[v] = (out[v] ?? 0) + 1;
  return out;
};

const numbered = (n: number): Dataset => ({
  name: "numbers",
  inputs: tensor(
    Float32Array.from({ length: 2 * n }, (_, i) => i),
    { shape: [n, 2] },
  ),
  targets: tensor(Int32Array.from({ length: n }, (_, i) => i % 3)),
  licence: "none",
  source: "test",
});

describe("batches", () => {
  it("an epoch holds every sample once, with its target", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 8 }),
        fc.boolean(),
        fc.boolean(),
        (n, batchSize, shuffle, drop) => {
          const dropLast = drop && batchSize <= n;
          const all = batches(numbered(n), { batchSize, dropLast, rng: shuffle ? random.rng(n) : undefined });
          for (let epoch = 0; epoch < 2; epoch++) {
            const seen = [...all];
            expect(seen).toHaveLength(all.length);
            const indices = seen.flatMap((b) => [...b.indices.data()]);
            expect(new Set(indices).size).toBe(dropLast ? n - (n % batchSize) : n);
            for (const { inputs, targets, indices: at } of seen) {
              expect([...targets.data()]).toEqual([...at.data()].map((i) => i % 3));
              expect([...inputs.data()]).toEqual([...at.data()].flatMap((i) => [2 * i, 2 * i + 1]));
            }
          }
        },
      ),
    );
  });

  it("every epoch has another order, the same for the same seed; without rng samples come in order", () => {
    const orders = (seed: number) => {
      const all = batches(numbered(50), { batchSize: 50, rng: random.rng(seed) });
      return [0, 1, 2].map(() => [...all.next().indices.data()].join());
    };
    expect(orders(1)).toEqual(orders(1));
    expect(new Set([...orders(1), ...orders(2)]).size).toBe(6);
    expect([...batches(numbered(3), { batchSize: 2 })].map((b) => b.indices.toArray())).toEqual([[0, 1], [2]]);
  });

  it("the generator given is not advanced", () => {
    const rng = random.rng(4);
    const before = JSON.stringify(rng);
    for (const _ of batches(numbered(9), { batchSize: 4, rng }));
    expect(JSON.stringify(rng)).toBe(before);
  });

  it("a saved state continues in the middle of an epoch", () => {
    const data = numbered(10);
    const take = (all: Batches, n: number) => Array.from({ length: n }, () => [...all.next().indices.data()]);
    for (const rng of [random.rng(7), undefined]) {
      const whole = take(batches(data, { batchSize: 3, rng }), 13);
      for (let stop = 0; stop < 13; stop++) {
        const first = batches(data, { batchSize: 3, rng });
        take(first, stop);
        const state = JSON.parse(JSON.stringify(first));
        const resumed = batches(data, { batchSize: 3, rng: rng && random.rng(0), state });
        expect(take(resumed, 13 - stop)).toEqual(whole.slice(stop));
      }
    }
  });

  it("a loop that was broken off is finished by the next", () => {
    const all = batches(numbered(10), { batchSize: 3 });
    for (const _ of all) break;
    expect([...all]).toHaveLength(3);
    expect([...all]).toHaveLength(4);
    expect(all.toJSON().epoch).toBe(2);
  });

  it.each([
    ["batch size 0", () => batches(numbered(3), { batchSize: 0 }), "ValueError"],
    ["a fractional batch size", () => batches(numbered(3), { batchSize: 1.5 }), "ValueError"],
    ["dropLast that leaves nothing", () => batches(numbered(3), { batchSize: 4, dropLast: true }), "ValueError"],
    ["an empty set", () => batches(numbered(0), { batchSize: 4 }).next(), "ValueError"],
    [
      "inputs and targets of different lengths",
      () => batches({ inputs: tensor([1, 2]), targets: tensor([1]) }, { batchSize: 1 }),
      "ShapeError",
    ],
    [
      "a state of another batch size",
      () => batches(numbered(9), { batchSize: 2, state: { epoch: 0, position: 3, rng: null } }),
      "FormatError",
    ],
    [
      "a state with a generator where there is none",
      () => batches(numbered(9), { batchSize: 2, state: { epoch: 0, position: 2, rng: random.rng(1).toJSON() } }),
      "FormatError",
    ],
    ["a state that is null", () => batches(numbered(9), { batchSize: 2, state: null as never }), "FormatError"],
  ])("%s is a typed error", (_, run, name) => {
    expect(run).toThrow(expect.objectContaining({ name }));
  });
});

describe("trainTestSplit", () => {
  it("parts hold every sample once", () => {
    const { train, test } = trainTestSplit(numbered(10), { test: 0.3, rng: random.rng(1) });
    expect([train.inputs.shape, test.inputs.shape]).toEqual([
      [7, 2],
      [3, 2],
    ]);
    const firsts = [...train.inputs.data(), ...test.inputs.data()].filter((v) => v % 2 === 0).sort((a, b) => a - b);
    expect(firsts).toEqual(Array.from({ length: 10 }, (_, i) => 2 * i));
    expect(trainTestSplit(numbered(10), { test: 2 }).test.inputs.toArray()).toEqual([
      [16, 17],
      [18, 19],
    ]);
    expect(train.name).toBe("numbers");
  });

  it("stratified parts keep the proportions of the classes", () => {
    const two = { ...numbered(569), targets: tensor(Int32Array.from({ length: 569 }, (_, i) => (i < 212 ? 0 : 1))) };
    const { test, train } = trainTestSplit(two, { test: 0.3, rng: random.rng(1), stratify: true });
    expect(counts(test.targets)).toEqual([64, 107]);
    expect(counts(train.targets)).toEqual([148, 250]);
  });

  it.each([
    ["nothing to test by", () => trainTestSplit(numbered(3), { test: 0 })],
    ["nothing to learn from", () => trainTestSplit(numbered(3), { test: 3 })],
    ["a negative fraction", () => trainTestSplit(numbered(3), { test: -0.5 })],
    ["stratify without rng", () => trainTestSplit(numbered(3), { test: 1, stratify: true })],
    [
      "stratify by numbers",
      () =>
        trainTestSplit(
          { inputs: tensor([1, 2]), targets: tensor([0.5, 1]) },
          { test: 1, stratify: true, rng: random.rng(1) },
        ),
    ],
  ])("%s is a ValueError", (_, run) => {
    expect(run).toThrow(expect.objectContaining({ name: "ValueError" }));
  });
});

describe("standardization", () => {
  it("gives mean 0 and deviation 1, and can be undone", () => {
    const inputs = random.rng(3).normal([178, 13], { mean: 5, std: 20, dtype: "float64" });
    const scale = standardization(inputs);
    const z = scale.apply(inputs);
    for (const v of std(z, { axis: 0 }).data()) expect(v).toBeCloseTo(1, 12);
    scale
      .invert(z)
      .data()
      .forEach((v, i) => {
        expect(v).toBeCloseTo(inputs.data()[i], 9);
      });
  });

  it("leaves features that do not vary at 0", () => {
    const scale = standardization([
      [0.1, 1],
      [0.1, 3],
      [0.1, 5],
    ]);
    expect((scale.apply([[0.1, 3]]).toArray() as number[][])[0].map((v) => Math.abs(v))).toEqual([0, 0]);
    expect(scale.std.data()[0]).toBe(1);
  });

  it("learns features of any unit alike", () => {
    const inputs = random.rng(4).normal([20, 3], { mean: 2, dtype: "float64" });
    const { mean, std } = standardization(inputs);
    for (const power of [-1000, -500, 500, 1000]) {
      const unit = 2 ** power;
      const scale = standardization(inputs.mul(unit));
      expect(scale.mean.data().map((v) => v / unit)).toEqual(mean.data());
      expect(scale.std.data().map((v) => v / unit)).toEqual(std.data());
    }
  });

  it("refuses NaN and empty sets", () => {
    const value = expect.objectContaining({ name: "ValueError" });
    expect(() => standardization([[Number.NaN], [1]])).toThrow(value);
    expect(() => standardization(tensor([], { shape: [0, 2] }))).toThrow(value);
    expect(() => standardization(1)).toThrow(expect.objectContaining({ name: "ShapeError" }));
  });
});

describe("subset", () => {
  it("takes samples in the order of the indices", () => {
    expect(subset(numbered(4), [2, 0]).inputs.toArray()).toEqual([
      [4, 5],
      [0, 1],
    ]);
    expect(() => subset(numbered(4), [4])).toThrow(expect.objectContaining({ name: "IndexError" }));
  });
});
