import { grad, jit, mul, random, sum, type Tensor, tensor, vjp } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  binaryConv,
  binaryLinear,
  chain,
  fitNetwork,
  parts,
  realWeights,
  residual,
  type Stage,
  sineRegularizer,
  standardizedSign,
  straightThrough,
  xnorScale,
} from "../src/index.js";
import fixture from "./fixtures/torch.json" with { type: "json" };

const rng = () => random.rng("layers");
const double = { dtype: "float64" } as const;
const list = (x: Tensor) => Array.from(x.data());
const training = (stage: Stage) => ({ training: true, stage });
const inference = (stage: Stage) => ({ training: false, stage });

describe("the binary convolution", () => {
  it.each(fixture.layers)("of stage $stage with $options is PyTorch's, gradients too", (c) => {
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = c.options as Partial<Record<string, number>>;
    const layer = binaryConv({ inputs: 4, outputs: 4, kernel: 3, strides: stride, padding, dilation, groups });
    const read = (values: number[], shape: number[]) => tensor(values, { shape, ...double });
    const params = { weight: read(c.w, [4, 4 / groups, 3, 3]), alpha: read(c.alpha, [4]) };
    const run = (p: typeof params, a: Tensor) => layer.run(p, null, a, training(c.stage as Stage))[0];
    const [y, pullback] = vjp(run as any, params, read(c.a, [2, 4, 4, 5])) as [Tensor, any];
    expectClose(y, c.y, 1e-7);
    const [gradients, da] = pullback(read(c.g, c.shape));
    expectClose(gradients.weight, c.dw, 1e-7);
    expectClose(gradients.alpha, c.dalpha, 1e-7);
    expectClose(da, c.da, 1e-7);
  });

  it("of stage 2 gives alpha times integers with the parity of the number of weights, and no larger", () => {
    const layer = binaryConv({ inputs: 5, outputs: 3, kernel: 3 });
    const { weight } = layer.init(rng());
    const [y] = layer.run({ weight, alpha: tensor([1, 1, 1]) }, null, rng().normal([2, 5, 6, 7]), inference(2));
    for (const v of y.data()) {
      expect(Number.isInteger(v)).toBe(true);
      expect(Math.abs(v % 2)).toBe(45 % 2);
      expect(Math.abs(v)).toBeLessThanOrEqual(45);
    }
  });

  it("gives the same in training and evaluation", () => {
    const layer = binaryConv({ inputs: 4, outputs: 4, kernel: 3, padding: 1 });
    const params = layer.init(rng());
    const a = rng().normal([2, 4, 5, 5]);
    for (const stage of [1, 2] as const) {
      const [y] = layer.run(params, null, a, training(stage));
      expectClose(layer.run(params, null, a, inference(stage))[0], list(y), 1e-5);
    }
  });

  it("with real activations convolves them as they are (1w/32a)", () => {
    const layer = binaryConv({ inputs: 2, outputs: 1, kernel: 1, binaryActivations: false });
    const params = { weight: tensor([0.05, -0.05], { shape: [1, 2, 1, 1] }), alpha: tensor([0.5]) };
    const [y] = layer.run(params, null, tensor([3, 7], { shape: [1, 2, 1, 1] }), training(2));
    expect(y.item()).toBeCloseTo(0.5 * (3 - 7), 6);
  });

  it("as a linear layer is the convolution of one pixel", () => {
    const linear = binaryLinear({ inputs: 7, outputs: 3 });
    const conv = binaryConv({ inputs: 7, outputs: 3, kernel: 1 });
    const { weight, alpha } = linear.init(rng());
    const a = rng().normal([4, 7]);
    const [y] = linear.run({ weight, alpha: alpha! }, null, a, training(2));
    const wide = { weight: weight.reshape([3, 7, 1, 1]), alpha: alpha! };
    expectClose(conv.run(wide, null, a.reshape([4, 7, 1, 1]), training(2))[0], list(y), 1e-6);
  });

  it("is the same traced", async () => {
    const layer = binaryConv({ inputs: 3, outputs: 4, kernel: 3, padding: 1 });
    const params = layer.init(rng());
    const a = rng().normal([2, 3, 5, 5]);
    const loss = (p: any, x: Tensor) => sum(layer.run(p, null, x, training(2))[0].tanh());
    const both = (p: any, x: Tensor) => grad(loss)(p, x) as typeof params;
    const traced = await jit(both)(params, a);
    expectClose(traced.weight, list(both(params, a).weight), 1e-5);
  });

  it.each([
    [{ inputs: 4, outputs: 4, kernel: 3, groups: 3 }, /groups is 3; it must divide/],
    [{ inputs: 0, outputs: 4, kernel: 3 }, /inputs is 0/],
    [{ inputs: 4, outputs: 4, kernel: 0 }, /kernel is 0/],
    [{ inputs: 4, outputs: 4, kernel: 3, omega: -2 }, /omega is -2/],
    [{ inputs: 4, outputs: 4, kernel: 3, padding: -1 }, /padding is -1/],
    [{ inputs: 4, outputs: 4, kernel: 3, padValue: 2 as never }, /padValue is 2/],
  ])("rejects %o", (options, message) => {
    expect(() => binaryConv(options)).toThrow(message);
  });

  it("rejects inputs that do not fit", () => {
    const layer = binaryConv({ inputs: 4, outputs: 4, kernel: 3 });
    const params = layer.init(rng());
    expect(() => layer.run(params, null, rng().normal([1, 3, 5, 5]), training(2))).toThrow(
      /must be \[batch, 4, height/,
    );
  });
});

describe("the regulariser", () => {
  it("is tau times the mean of sin^2 over each layer, in [0, tau], or of cos^2", () => {
    const network = chain({ a: binaryConv({ inputs: 2, outputs: 3, kernel: 1 }), b: binaryConv({ inputs: 3, outputs: 2, kernel: 1 }) }); // biome-ignore format: short
    const params = network.init(rng(), "float64");
    const mean = (w: Tensor) => list(w).reduce((s, v) => s + Math.sin(20 * v) ** 2, 0) / w.size;
    const means = [mean(params.a.weight), mean(params.b.weight)];
    expect(sineRegularizer(network, params, 0.3).item()).toBeCloseTo(0.3 * (means[0] + means[1]), 12);
    expect(sineRegularizer(network, params, 0.3, "cos2").item()).toBeCloseTo(0.3 * (2 - means[0] - means[1]), 12);
    for (const m of means) expect(m).toBeLessThanOrEqual(1);
    expect(() => sineRegularizer(network, params, -1)).toThrow(/tau is -1/);
  });

  it("has the gradient tau omega sin(2 omega w) / count", () => {
    const network = binaryConv({ inputs: 2, outputs: 3, kernel: 1 });
    const params = network.init(rng(), "float64");
    const g = grad((p: any) => sineRegularizer(network, p, 0.3))(params) as typeof params;
    expectClose(
      g.weight,
      list(params.weight).map((w) => (0.3 * 20 * Math.sin(40 * w)) / 6),
      1e-12,
    );
  });

  it("is nothing for rules without a wave", () => {
    const network = binaryConv({ inputs: 2, outputs: 3, kernel: 1, weights: straightThrough() });
    expect(sineRegularizer(network, network.init(rng()), 1).item()).toBe(0);
  });
});

describe("the rules that BiPer is compared with", () => {
  const w = tensor([0.5, -0.2, 1.5, -3, 0.9, -1], { shape: [2, 3], ...double });
  const through = (f: (x: Tensor) => Tensor) => list(grad((x: Tensor) => sum(mul(f(x), 2)))(w) as Tensor);

  it("straight-through: the sign, with a gradient where |w| <= 1", () => {
    expect(list(straightThrough().weights(w, 2))).toEqual([1, -1, 1, -1, 1, -1]);
    expect(through((x) => straightThrough().weights(x, 2))).toEqual([2, 2, 0, 0, 2, 2]);
  });

  it("XNOR-Net: scaled by the mean of |w| over each output channel", () => {
    expectClose(xnorScale().scale!(w), [2.2 / 3, 4.9 / 3], 1e-7);
    const layer = binaryLinear({ inputs: 3, outputs: 2, weights: xnorScale() });
    const [y] = layer.run({ weight: w }, null, tensor([[1, 1, 1]], double), inference(2));
    expectClose(y, [2.2 / 3, -4.9 / 3], 1e-7);
  });

  it("standardised signs: an equal number of both around the mean of a channel", () => {
    expect(list(standardizedSign().weights(tensor([[3, 4, 5, 6]], double), 2))).toEqual([-1, -1, 1, 1]);
  });

  it("real weights pass unchanged", () => {
    expect(list(realWeights().weights(w, 2))).toEqual(list(w));
  });
});

describe("training", () => {
  it.each(fixture.trainings)("of stage $stage follows PyTorch, loss by loss", async (c) => {
    const network = chain({
      conv: parts.conv({ inputs: 1, outputs: 4, kernel: 3, padding: 1 }),
      bn: parts.batchNorm(4),
      act: parts.hardtanh,
      body: residual(
        chain({ conv: binaryConv({ inputs: 4, outputs: 4, kernel: 3, padding: 1 }), bn: parts.batchNorm(4) }),
      ),
      act1: parts.hardtanh,
      pool: parts.globalAveragePool,
      norm: parts.batchNorm(4),
      linear: parts.linear({ inputs: 4, outputs: 3 }),
    });
    const read = (values: number[], shape: number[]) => tensor(values, { shape, ...double });
    const drawn = network.init(rng(), "float64");
    const params: typeof drawn = {
      ...drawn,
      conv: { weight: read(c.start.conv, [4, 1, 3, 3]) },
      body: {
        ...drawn.body,
        body: { ...drawn.body.body, conv: { weight: read(c.start.w, [4, 4, 3, 3]), alpha: read(c.start.alpha, [4]) } },
      },
      linear: { weight: read(c.start.linear, [4, 3]), bias: read(c.start.bias, [3]) },
    };
    const batch = { inputs: read(c.x, [6, 1, 5, 5]), targets: tensor(Int32Array.from([0, 1, 2, 0, 1, 2])) };
    const stage = { epochs: 4, learningRate: () => 0.05, weightDecay: 1e-3, tauMax: 0.04 };
    const { history, model } = await fitNetwork(
      network,
      { batchesPerEpoch: 1, batches: () => [batch] },
      { [`stage${c.stage}`]: stage, initial: { params, state: network.initState("float64") } },
    );
    history.forEach(({ loss }, i) => expect(Math.abs(loss - c.losses[i])).toBeLessThan(1e-7));
    expectClose(model.params.body.body.conv.weight, c.w, 1e-7);
    expectClose(model.state.body.body.bn.mean, c.mean, 1e-7);
    expectClose(model.state.body.body.bn.variance, c.variance, 1e-7);
  });
});
