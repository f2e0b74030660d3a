import { readSafetensors, writeSafetensors } from "@offprint/data";
import { countParameters } from "@offprint/nn";
import { grad, mean, random, type Tensor, tensor, trace, tree, zeros } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { loadSoftCheckpoint, saveSoftCheckpoint, softVisionTransformer, type VisionSize } from "../src/index.js";
import { largest } from "./comparison.js";

const fixture = readFixture<any>(import.meta.url, "vision.json");
const size: VisionSize = {
  dims: [4, 4, 6, 6],
  heads: [1, 2, 1, 2],
  depths: [1, 1, 1, 1],
  ratios: [4, 2, 2],
  localConvs: [5, 3, 3],
  positions: [8, 4, 2, 1],
};
const file = () => {
  const entries = Object.entries(fixture.weights as Record<string, { shape: number[]; values: number[] }>);
  return writeSafetensors(Object.fromEntries(entries.map(([name, w]) => [name, tensor(w.values, { shape: w.shape })])));
};
const image = (side: number) => {
  const values = Float64Array.from({ length: 3 * side * side }, (_, i) =>
    Math.fround(Math.sin(0.37 * i + 0.11 * (i % side))),
  );
  return tensor(values, { shape: [1, 3, side, side] });
};

describe("softVisionTransformer", () => {
  it("computes what PyTorch computes from a checkpoint in the authors' layout, at two resolutions", () => {
    for (const { size: side, plusPlus, logits } of fixture.cases) {
      const model = softVisionTransformer({ size, classes: 3, plusPlus });
      const { params, state } = tree.map((x: Tensor) => x.cast("float64"), loadSoftCheckpoint(file(), model));
      const y = model.apply(params, state, image(side)).data();
      for (const [i, expected] of logits.entries()) expect(y[i]).toBeCloseTo(expected, 6);
    }
  });

  it("saves what it loads, name by name", () => {
    const model = softVisionTransformer({ size, classes: 3 });
    const bytes = saveSoftCheckpoint(loadSoftCheckpoint(file(), model), model);
    const [saved, given] = [readSafetensors(bytes).tensors, readSafetensors(file()).tensors];
    const names = Object.keys(given).filter((name) => !name.endsWith("num_batches_tracked"));
    expect(Object.keys(saved).sort()).toEqual(names.sort());
    for (const name of names) {
      expect(saved[name].shape).toEqual(given[name].shape);
      expect(Array.from(saved[name].data())).toEqual(Array.from(given[name].data()));
    }
  });

  it("says which tensor of a file is missing or of another size", () => {
    const model = softVisionTransformer({ size, classes: 3 });
    const small = writeSafetensors({ ...readSafetensors(file()).tensors, cls_token: tensor([[[1, 2]]]) });
    expect(() => loadSoftCheckpoint(small, model)).toThrow("cls_token is [1,1,2]; the model needs [6]");
    expect(() => loadSoftCheckpoint(writeSafetensors({}), model)).toThrow("the file has no tensor block1.0");
    expect(() => loadSoftCheckpoint(file(), softVisionTransformer({ size, classes: 4 }))).toThrow("head.bias is [3]");
  });

  it("has the paper's number of parameters", () => {
    const model = softVisionTransformer({ size: "tiny", classes: 1000 });
    // Only shapes count here, so nothing is drawn.
    const blank = (shape: readonly number[]) => zeros(shape);
    const rng = Object.assign(random.rng(0), { normal: blank, truncatedNormal: blank, uniform: blank });
    const millions = countParameters(model.init(rng)) / 1e6;
    expect(millions).toBeGreaterThan(12.5);
    expect(millions).toBeLessThan(13.5);
  });

  it("trains with running statistics and masks, as one graph", () => {
    const model = softVisionTransformer({ size, classes: 3, plusPlus: true });
    const [params, state] = [model.init(random.rng(1)), model.initState()];
    const images = random.rng(2).normal([2, 3, 32, 32]);
    const masks = model.masks(random.rng(3), images.shape, 0.2);
    expect(masks.blocks.map((stage) => stage[0].attention.shape)).toEqual([
      [2, 64, 4],
      [2, 16, 4],
      [2, 4, 6],
    ]);
    const loss = (p: typeof params, x: Tensor) => mean(model.train(p, state, x, masks)[0].square());
    const gradients = grad(loss)(params, images);
    expect(largest(gradients.embeddings[0][0].conv.weight)).toBeGreaterThan(0);
    expect(largest(gradients.positions[3])).toBeGreaterThan(0);
    const [, next] = model.train(params, state, images);
    expect(largest(next[0][0].mean)).toBeGreaterThan(0);
    expect(() => trace(grad(loss), params, images)).not.toThrow();
  });

  it("refuses unknown sizes, other channels, and grids that windows do not divide", () => {
    expect(() => softVisionTransformer({ size: "giant" as "huge", classes: 2 })).toThrow("tiny, small");
    expect(() => softVisionTransformer({ size: { ...size, heads: [3, 2, 1, 2] }, classes: 2 })).toThrow("divide dim 4");
    const own = (change: object) => () => softVisionTransformer({ size: { ...size, ...change } as never, classes: 2 });
    expect(own({ ratio: [4, 2, 2] })).toThrow('did you mean "ratios"?');
    expect(own({ depths: null })).toThrow("depths needs 4 numbers");
    expect(() => softVisionTransformer({ size: null as never, classes: 2 })).toThrow("{ dims, heads, depths }");
    expect(() => softVisionTransformer({ size, classes: 2, plusPlus: "no" as never })).toThrow('plusPlus is "no"');
    const model = softVisionTransformer({ size, classes: 3 });
    const run = (shape: number[]) =>
      model.apply(model.init(random.rng(0)), model.initState(), random.rng(1).normal(shape));
    expect(() => run([1, 1, 32, 32])).toThrow("[batch, 3, height, width]");
    expect(() => run([1, 3, 40, 40])).toThrow("does not divide");
  });
});
