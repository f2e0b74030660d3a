import type { LinearParams } from "@offprint/nn";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { grad, NonFiniteError, random, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fcLoss, leakyClamp } from "../src/generic-decoder.js";
import {
  type AutoEncoderOptions,
  bspAutoEncoder,
  fcDecode,
  fitAutoEncoder,
  fitCodes,
  imageEncoder,
  implicitMesh,
  meshTopology,
  type Phase,
  paperSchedule,
  sampleShapes,
  shapeSamples,
  shapesOf,
  voxelShapes,
} from "../src/index.js";
import { klDivergence, reparameterize } from "../src/variational.js";
import { fixture, read } from "./fixture.js";

const small: AutoEncoderOptions = { dim: 2, resolution: 8, ef: 2, hidden: [12], planes: 16, convexes: 4 };

/** Rectangles on 8 x 8 pixels, all pixels as points. */
function rectangles(count: number) {
  const rng = random.rng(0);
  const values = new Float32Array(count * 64);
  for (let s = 0; s < count; s++) {
    const [a, b, w, h] = rng.randint([4], { low: 0, high: 4 }).data();
    for (let i = a; i <= a + w + 1 && i < 8; i++)
      for (let j = b; j <= b + h + 1 && j < 8; j++) values[64 * s + 8 * i + j] = 1;
  }
  const points = Float32Array.from({ length: 128 }, (_, k) => {
    return ((k % 2 === 0 ? (k >> 1) % 8 : k >> 4) + 0.5) / 8 - 0.5;
  });
  return {
    inputs: tensor(values, { shape: [count, 8, 8] }),
    points: tensor(points, { shape: [64, 2] }),
    values: tensor(values, { shape: [count, 64] }),
  };
}

const source = shapeSamples(rectangles(12));

/** A generator's worth of a batch. */
function batchOf(size = 3) {
  return source.batch(
    Int32Array.from({ length: size }, (_, i) => i),
    undefined,
    random.rng(0),
  );
}

describe("the generic decoder", () => {
  it("computes what PyTorch computes, with quadrics, gradient included", () => {
    const { points, primitives, layers, occupancy, gradient } = fixture.generic;
    const own = layers.map((layer: any) => ({ weight: read(layer.weight), bias: read(layer.bias) }));
    const decode = (q: Tensor) => fcDecode(read(points), q, own, { primitive: "quadric" });
    expectClose(decode(read(primitives)), occupancy, { ofLargest: 1e-10 });
    expectClose(grad((q: Tensor) => decode(q).mul(decode(q)).sum())(read(primitives)) as Tensor, gradient, {
      ofLargest: 1e-10,
    });
    expect(fcLoss(tensor([[[0.5]]]), tensor([[[1]]])).item()).toBeCloseTo(0.25, 7);
    expect(() => decode(read(primitives).slice([null, { stop: 4 }]))).toThrow(/need \[batch, 10, p\]/);
    expect(() => fcDecode(read(points), read(primitives), own.slice(1), { primitive: "quadric" })).toThrow(
      /to 1 output/,
    );
  });

  it("ends in a clamp that is continuous at 0 and 1, with slope 0.01 beyond", () => {
    const h = 1e-9;
    const at = (x: number) => leakyClamp(tensor(new Float64Array([x]))).item();
    for (const x of [0, 1]) expect(at(x + h) - at(x - h)).toBeLessThan(3 * h);
    expect([at(0), at(1), at(0.3)]).toEqual([0, 1, 0.3]);
    expect([at(-1), at(2)]).toEqual([-0.01, 1.01]);
  });
});

describe("the variational variant", () => {
  it("has no divergence from the standard normal distribution at mean 0 and variance 1", () => {
    const zero = tensor(new Float64Array(6), { shape: [2, 3] });
    expect(klDivergence({ mean: zero, logVariance: zero }).item()).toBe(0);
    const other = { mean: zero.add(2), logVariance: zero.add(Math.log(4)) };
    expect(klDivergence(other).item()).toBeCloseTo((3 * (4 + 4 - Math.log(4) - 1)) / 2, 12);
    expect([...reparameterize(other, zero.add(1)).data()]).toEqual(new Array(6).fill(4));
  });

  it("trains with codes that are drawn, and gives new shapes", async () => {
    const model = bspAutoEncoder({ ...small, variational: true, beta: 0.01 });
    const schedule = [
      { phase: 0 as const, steps: 3 },
      { phase: 2 as const, steps: 2 },
    ]; // prettier-ignore
    const { params, phase } = await fitAutoEncoder(model, source, { schedule, batchSize: 4 });
    const trained = {
      model,
      params: { ...params, tree: params.tree && { ...params.tree, T: params.tree.T.add(1) } },
      phase,
    };
    const shapes = sampleShapes(trained, 3, { seed: 1 });
    expect(shapes.map(({ convexes }) => convexes.length)).toEqual([4, 4, 4]);
    expect(shapes[0].convexes[0].planes).not.toEqual(shapes[1].convexes[0].planes);
    expect(sampleShapes(trained, 3, { seed: 1 })).toEqual(shapes);
    expect(() => model.loss(params, batchOf(), 0)).toThrow(/give noise/);
    const plain = bspAutoEncoder(small);
    expect(() => plain.posterior(plain.init(random.rng(0)), batchOf().inputs)).toThrow(/not variational/);
    expect(() => sampleShapes({ ...trained, model: plain }, 1)).toThrow(/not variational/);
  });
});

describe("the auto-encoder", () => {
  it("has the sizes of the paper by default", () => {
    const { options, codeSize } = bspAutoEncoder({ dim: 3 });
    expect(options).toMatchObject({ resolution: 64, planes: 4096, convexes: 256, ef: 32, hidden: [512, 1024, 2048] });
    expect(codeSize).toBe(256);
    expect(bspAutoEncoder({ dim: 2 }).options).toMatchObject({ planes: 256, convexes: 64 });
    expect(paperSchedule(3).map(({ phase, resolution }) => [phase, resolution])).toEqual([
      [0, 16],
      [0, 32],
      [0, 64],
      [3, 64],
    ]); // prettier-ignore
    expect(paperSchedule(1, 24)[0].steps).toBe(Math.ceil(8e6 / 24));
  });

  it("draws T and W as the paper does, and biases of zero", () => {
    const params = bspAutoEncoder({ ...small, planes: 400, convexes: 50 }).init(random.rng(0));
    const t = params.tree?.T.data() as Float32Array;
    const std = Math.sqrt(t.reduce((sum, x) => sum + x * x, 0) / t.length);
    expect(std).toBeCloseTo(0.02, 3);
    expect(params.tree?.W.shape).toEqual([50, 1]);
    expect(params.primitives[0]?.bias?.data().every((x: number) => x === 0)).toBe(true);
  });

  it.each([
    ["bsp", "plane"],
    ["bsp", "quadric"],
    ["fc", "quadric"],
    ["fcDeeper", "plane"],
  ] as const)("learns with %s and %ss", async (decoder, primitive) => {
    const model = bspAutoEncoder({ ...small, decoder, primitive });
    const params = model.init(random.rng(1), "float64");
    const batch = tree.map((x: Tensor) => tensor(Float64Array.from(x.data()), { shape: x.shape }), batchOf());
    const phases: Phase[] = decoder === "bsp" ? [0, 1, 3] : [0];
    for (const phase of phases) {
      const loss = (p: any) => model.loss(p, batch, phase).total;
      const gradients = tree.leaves<Tensor>(grad(loss)(params));
      const leaves = tree.leaves<Tensor>(params);
      // The derivative along the gradient is its squared length.
      const [h, squared] = [1e-7, gradients.reduce((sum, g) => sum + g.mul(g).sum().item(), 0)];
      const moved = (s: number) =>
        tree.unflatten(
          tree.structure(params),
          leaves.map((x, i) => x.add(gradients[i].mul(s))),
        );
      const slope = (loss(moved(h)).item() - loss(moved(-h)).item()) / (2 * h);
      expect(Math.abs(slope / squared - 1)).toBeLessThan(1e-3);
    }
  });

  it("takes an encoder of the user's own, and says what inputs it needs", () => {
    const encoder = { init: () => ({}), apply: (_: unknown, x: any) => x.reshape([x.shape[0], 16]) };
    const model = bspAutoEncoder({ ...small, encoder });
    const params = model.init(random.rng(0));
    expect(model.encode(params, tensor(new Float32Array(32), { shape: [2, 16] })).shape).toEqual([2, 16]);
    const own = bspAutoEncoder(small);
    expect(() => own.encode(own.init(random.rng(0)), tensor(new Float32Array(64), { shape: [1, 8, 8] }))).toThrow(
      /give \[batch, 1, 8, 8\]/,
    );
    expect(() => bspAutoEncoder({ ...small, resolution: 12 })).toThrow(/power of two >= 8/);
    expect(() => bspAutoEncoder({ ...small, dim: 4 as 3 })).toThrow(/dim is 4/);
    expect(() => bspAutoEncoder({ ...small, variational: true, beta: -1 })).toThrow(/beta is -1/);
    expect(() => bspAutoEncoder({ ...small, beta: 1 })).toThrow(/beta is 1, and the model is not variational; leave/);
    expect(() => bspAutoEncoder({ ...small, decoder: "mlp" as "fc" })).toThrow(/bsp, fc or fcDeeper/);
    expect(() => bspAutoEncoder({ ...small, planes: 0 })).toThrow(/planes is 0/);
  });

  it("gives exact shapes from discrete phases only", () => {
    const model = bspAutoEncoder(small);
    const params = model.init(random.rng(0));
    const codes = model.encode(params, batchOf().inputs);
    expect(() => shapesOf({ model, params, phase: 0 }, codes)).toThrow(/force: true/);
    expect(shapesOf({ model, params, phase: 0 }, codes, { force: true }).length).toBe(3);
    const fc = bspAutoEncoder({ ...small, decoder: "fc" });
    expect(() => shapesOf({ model: fc, params: fc.init(random.rng(0)), phase: 0 }, codes)).toThrow(/use implicitMesh/);
    expect(() => implicitMesh({ model, params, phase: 1 }, codes.slice([0]))).toThrow(/in 2D/);
  });

  it("meshes what has no exact mesh by marching cubes", () => {
    const model = bspAutoEncoder({ ...small, dim: 3, primitive: "quadric", planes: 1, convexes: 1, hidden: [] });
    const drawn = model.init(random.rng(0));
    const sphere = tensor([20, 20, 20, 0, 0, 0, 0, 0, 0, -20 * 0.09]);
    const params = {
      ...drawn,
      primitives: [{ weight: (drawn.primitives[0] as LinearParams).weight.mul(0), bias: sphere }],
      tree: { T: tensor([[1]]), W: tensor([[1]]) },
    };
    const mesh = implicitMesh({ model, params, phase: 1 }, new Float32Array(16), 24);
    expect(meshTopology(mesh)).toMatchObject({ euler: 2, closed: true });
    for (let v = 0; v < mesh.vertices.length; v += 3) {
      expect(Math.abs(Math.hypot(...mesh.vertices.subarray(v, v + 3)) - 0.3)).toBeLessThan(0.03);
    }
  });
});

describe("training", () => {
  const schedule = [
    { phase: 0 as const, steps: 5 },
    { phase: 1 as const, steps: 4 },
  ]; // prettier-ignore
  const options = { schedule, batchSize: 4, seed: 3 };
  const model = bspAutoEncoder(small);

  it("lowers the loss, compiled as on the host", async () => {
    const backend = await onnxRuntime({ device: "cpu", threads: 1 });
    const compiled = await fitAutoEncoder(model, source, { ...options, backend });
    const host = await fitAutoEncoder(model, source, options);
    expect(compiled.history.map(({ step, stage, phase }) => [step, stage, phase])).toEqual(
      [0, 0, 0, 0, 0, 1, 1, 1, 1].map((stage, i) => [i + 1, stage, stage]),
    );
    compiled.history.forEach(({ loss, reconstruction }, i) => {
      expect(Math.abs(loss / host.history[i].loss - 1)).toBeLessThan(1e-3);
      expect(Math.abs(reconstruction / host.history[i].reconstruction - 1)).toBeLessThan(1e-3);
    });
    const longer = await fitAutoEncoder(model, source, {
      schedule: [{ phase: 0, steps: 60, learningRate: 3e-3 }],
      batchSize: 12,
      backend,
    });
    expect(longer.history[59].reconstruction).toBeLessThan(0.8 * longer.history[0].reconstruction);
    await backend.release();
  });

  it("tells the phase that was trained last, also where it ends between phases", async () => {
    const ended = await fitAutoEncoder(model, source, {
      ...options,
      onProgress: ({ step }) => (step === 5 ? "stop" : 0),
    });
    expect([ended.status, ended.steps, ended.phase]).toEqual(["stopped", 5, 0]);
    const none = await fitAutoEncoder(model, source, { ...options, signal: AbortSignal.abort() });
    expect([none.status, none.steps, none.phase]).toEqual(["aborted", 0, 0]);
    expect((await fitAutoEncoder(model, source, { ...options, resume: ended.state, steps: 6 })).phase).toBe(1);
  });

  it("ends with the last good state where the loss stops being finite", async () => {
    let batches = 0;
    const broken: typeof source = {
      count: source.count,
      batch: (...which) => {
        const batch = source.batch(...which);
        return ++batches < 7 ? batch : { ...batch, inputs: batch.inputs.mul(Number.NaN) };
      },
    };
    const error: any = await fitAutoEncoder(model, broken, options).catch((e) => e);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.state.iterations).toBeGreaterThan(4);
    const rest = await fitAutoEncoder(model, source, { ...options, resume: error.state });
    expect(rest.history).toEqual((await fitAutoEncoder(model, source, options)).history);
  });

  it("keeps T where it is in the hard phases, and caps its steps in others", async () => {
    const start = model.init(random.rng(0));
    const t = (params: typeof start) => params.tree?.T.data() as Float32Array;
    const hard = await fitAutoEncoder(model, source, {
      schedule: [{ phase: 1, steps: 3 }],
      initial: start,
      batchSize: 4,
    });
    expect(t(hard.params)).toEqual(t(start));
    const soft = await fitAutoEncoder(model, source, {
      schedule: [{ phase: 3, steps: 1, learningRate: 0.1 }],
      initial: start,
      batchSize: 4,
    });
    const largest = Math.max(...t(soft.params).map((x, i) => Math.abs(x - t(start)[i])));
    expect(largest).toBeGreaterThan(4e-4);
    expect(largest).toBeLessThan(5.01e-4);
  });

  it("refuses illegal phases and options", async () => {
    const attempt = (o: object) => fitAutoEncoder(model, source, { ...options, ...o });
    await expect(
      attempt({
        schedule: [
          { phase: 1, steps: 1 },
          { phase: 0, steps: 1 },
        ],
      }),
    ).rejects.toThrow(/phase 0 cannot follow phase 1/); // prettier-ignore
    await expect(attempt({ phase: 3, schedule: [{ phase: 1, steps: 1 }] })).rejects.toThrow(/cannot follow phase 3/);
    await expect(attempt({ schedule: [] })).rejects.toThrow(/the schedule has no stages/);
    await expect(attempt({ batchSize: 13 })).rejects.toThrow(/batchSize is 13 with 12 shapes/);
    await expect(attempt({ learningRate: 0 })).rejects.toThrow(/learningRate is 0/);
    await expect(attempt({ schedule: [{ phase: 0, steps: 1.5 }] })).rejects.toThrow(/steps of a stage is 1.5/);
    const fc = bspAutoEncoder({ ...small, decoder: "fc" });
    await expect(fitAutoEncoder(fc, source, { schedule: [{ phase: 1, steps: 1 }] })).rejects.toThrow(
      /has phase 0 only/,
    );
  });
});

describe("sources of shapes", () => {
  it("give a random block of the points of each step, values with their points", () => {
    const shapes = rectangles(3);
    const some = shapeSamples(shapes, { pointsPerStep: 10 }).batch(Int32Array.of(2, 0), undefined, random.rng(4));
    expect(some.points.shape).toEqual([2, 10, 2]);
    const p = some.points.toArray() as number[][][];
    p.forEach((list, b) => {
      list.forEach(([x, y], k) => {
        const pixel = Math.round((y + 0.5) * 8 - 0.5) * 8 + Math.round((x + 0.5) * 8 - 0.5);
        expect(some.values.data()[10 * b + k]).toBe(shapes.values.data()[64 * [2, 0][b] + pixel]);
      });
    });
  });

  it("sample voxels at the resolution of the stage", () => {
    const voxels = new Float32Array(2 * 16 ** 3);
    for (let i = 0; i < voxels.length; i++) voxels[i] = i % 4096 < 1700 ? 1 : 0;
    const grids = voxelShapes(tensor(voxels, { shape: [2, 16, 16, 16] }), {
      points: { 8: 100, 16: 300 },
      pointsPerStep: 200,
    });
    const coarse = grids.batch(Int32Array.of(0, 1), 8, random.rng(0));
    expect([coarse.inputs.shape, coarse.points.shape, coarse.values.shape]).toEqual([
      [2, 1, 16, 16, 16],
      [2, 100, 3],
      [2, 100, 1],
    ]); // prettier-ignore
    for (const x of coarse.points.data()) expect(((x + 0.5) * 8) % 1).toBeCloseTo(0.5, 5);
    expect(grids.batch(Int32Array.of(1), undefined, random.rng(0)).points.shape).toEqual([1, 200, 3]);
    expect(() => grids.batch(Int32Array.of(0), 32, random.rng(0))).toThrow(/no points at resolution 32/);
    expect(() => voxelShapes(tensor(voxels, { shape: [2, 16, 32, 8] }))).toThrow(/must be a cube/);
  });

  it("say what does not fit", () => {
    const shapes = rectangles(3);
    expect(() => shapeSamples({ ...shapes, values: shapes.values.add(0.5) })).toThrow(/values hold 0.5/);
    expect(() => shapeSamples({ ...shapes, values: shapes.values.slice([{ stop: 2 }]) })).toThrow(/give \[3, 64\]/);
    expect(() => shapeSamples({ ...shapes, points: shapes.points.reshape([2, 32, 2]) })).toThrow(
      /give \[3, n, 2 or 3\]/,
    );
    expect(() => shapeSamples(shapes, { pointsPerStep: 65 })).toThrow(/from 1 to 64/);
    expect(() => shapeSamples({ ...shapes, inputs: shapes.inputs.reshape([3, 64]) })).toThrow(
      /\[shapes, channels, \.\.\.cells\]/,
    );
  });
});

describe("single-view reconstruction", () => {
  it("learns the codes of images", async () => {
    const encoder = imageEncoder({ codeSize: 3, resolution: 64, width: 2, hidden: 8 });
    const rng = random.rng(0);
    const images = rng.uniform([4, 1, 64, 64]);
    const codes = rng.uniform([4, 3], { low: 0.2, high: 0.8 });
    expect(encoder.apply(encoder.init(rng), images).shape).toEqual([4, 3]);
    const backend = await onnxRuntime({ device: "cpu", threads: 1 });
    const { history, status } = await fitCodes(encoder, images, codes, {
      epochs: 30,
      learningRate: 3e-3,
      batchSize: 4,
      backend,
    });
    await backend.release();
    expect(status).toBe("limit");
    expect(history[29].loss).toBeLessThan(0.7 * history[0].loss);
    await expect(fitCodes(encoder, images, codes.slice([{ stop: 2 }]))).rejects.toThrow(/one code per image/);
    expect(() => imageEncoder({ codeSize: 3, resolution: 48 })).toThrow(/power of two >= 64/);
  });
});
