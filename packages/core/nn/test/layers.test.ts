import {
  FormatError,
  grad,
  jit,
  matmul,
  maxPool,
  mean,
  random,
  square,
  sum,
  type Tensor,
  tensor,
  tree,
  vmap,
  zeros,
} from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  activation,
  batchNorm,
  conv2d,
  countParameters,
  dotProductAttention,
  dropout,
  dropoutMask,
  embedding,
  gru,
  initializers,
  layerNorm,
  linear,
  loadDescribed,
  loadParameters,
  lstm,
  mlp,
  multiHeadAttention,
  residual,
  rmsNorm,
  saveDescribed,
  saveParameters,
  sequential,
} from "../src/index.js";

const rng = () => random.rng("nn");
const values = (x: Tensor) => Array.from(x.data());

describe("composition", () => {
  const network = sequential(
    conv2d({ inputs: 1, outputs: 3, kernel: 3, padding: 1 }),
    "relu",
    (x) => maxPool(x, 2),
    (x) => x.reshape([x.shape[0], -1]),
    linear({ inputs: 12, outputs: 5 }),
  );
  const x = rng().normal([2, 1, 4, 4]);

  it("a sequence of layers gives the same traced, and has a gradient for every parameter", async () => {
    const params = network.init(rng());
    const y = network.apply(params, x);
    expect(y.shape).toEqual([2, 5]);
    expectClose(await jit(network.apply)(params, x), y, { absolute: 1e-6 });
    const gradients = grad((p: any) => sum(square(network.apply(p, x))))(params);
    expect(tree.leaves<Tensor>(gradients).map((g) => g.shape)).toEqual([[3], [3, 1, 3, 3], [5], [12, 5]]);
    expect(tree.leaves<Tensor>(gradients).every((g) => values(g).some((v) => v !== 0))).toBe(true);
    expect(countParameters(params)).toBe(3 + 27 + 5 + 60);
  });

  it("a residual layer adds its input, and must keep the shape", () => {
    const layer = residual(linear({ inputs: 3, outputs: 3, weightInit: initializers.zeros, bias: false }));
    const input = tensor([[1, 2, 3]]);
    expect(layer.apply(layer.init(rng()), input).toArray()).toEqual([[1, 2, 3]]);
    const wider = residual(linear({ inputs: 3, outputs: 4 }));
    expect(() => wider.apply(wider.init(rng()), input)).toThrow(/keep the shape/);
  });

  it("an MLP has an activation between its layers and none after the last", () => {
    const net = mlp({ sizes: [2, 8, 1], activation: "tanh" });
    const params = net.init(rng(), "float64");
    const input = rng().normal([4, 2], { dtype: "float64" });
    const hidden = matmul(input, params[0].weight)
      .add(params[0].bias as Tensor)
      .tanh();
    expectClose(net.apply(params, input), matmul(hidden, params[1].weight).add(params[1].bias as Tensor), {
      absolute: 1e-14,
    });
    expect(() => mlp({ sizes: [3] })).toThrow(/number of layers/);
  });

  it("per-sample gradients come from vmap", () => {
    const net = mlp({ sizes: [3, 4, 1] });
    const params = net.init(rng());
    const inputs = rng().normal([5, 3]);
    const loss = (p: any, one: Tensor) => sum(square(net.apply(p, one)));
    const each: any = vmap(grad(loss), { inAxes: [null, 0] } as any)(params, inputs);
    expect(each[0].weight.shape).toEqual([5, 3, 4]);
    const second: any = grad(loss)(params, inputs.slice([1]));
    expectClose(each[0].weight.slice([1]), second[0].weight, { absolute: 1e-6 });
  });
});

describe("normalisation", () => {
  it("layerNorm has mean 0 and variance 1, rmsNorm root mean square 1, whatever the scale of the input", () => {
    const x = rng().normal([4, 16], { mean: 5, std: 100, dtype: "float64" });
    const layer = layerNorm({ features: 16 });
    const y = layer.apply(layer.init(rng(), "float64"), x);
    expect(Math.abs(mean(y).item())).toBeLessThan(1e-12);
    expect(mean(square(y)).item()).toBeCloseTo(1, 6);
    const rms = rmsNorm({ features: 16 });
    expect(mean(square(rms.apply(rms.init(rng(), "float64"), x))).item()).toBeCloseTo(1, 6);
  });

  it("batchNorm's running statistics approach those of the data, and do not leak a gradient", () => {
    const layer = batchNorm({ channels: 2, momentum: 0.2 });
    const params = layer.init("float64");
    let state = layer.initState("float64");
    const source = rng();
    for (let i = 0; i < 200; i++) {
      const x = source.normal([64, 2], { mean: tensor([3, -1]), std: tensor([2, 0.5]), dtype: "float64" });
      state = layer.train(params, state, x)[1];
    }
    expectClose(state.mean, tensor([3, -1]), { absolute: 0.4 });
    expectClose(state.variance, tensor([4, 0.25]), { absolute: 0.8 });
    const y = layer.apply(params, state, tensor([[3, -1]], { dtype: "float64" }));
    expect(Math.max(...values(y).map(Math.abs))).toBeLessThan(0.3);
    const leak = grad((x: Tensor) => sum(layer.train(params, state, x)[1].mean))(
      rng().normal([3, 2], { dtype: "float64" }),
    );
    expect(values(leak as Tensor).every((v) => v === 0)).toBe(true);
  });
});

describe("attention", () => {
  const [q, k, v] = [0, 1, 2].map((i) => rng().fork(i).normal([2, 4, 6], { dtype: "float64" }));

  it("is a mean of values: equal keys average them", () => {
    const same = k.slice([null, { stop: 1 }]).broadcastTo([2, 4, 6]);
    expectClose(dotProductAttention(q, same, v).slice([0, 0]), mean(v.slice([0]), { axis: 0 }), { absolute: 1e-12 });
  });

  it("causal queries do not see later keys", () => {
    const before = dotProductAttention(q, k, v, { causal: true });
    const changed = v.mul(tensor([1, 1, 1, 9]).reshape([4, 1]));
    const after = dotProductAttention(q, k, changed, { causal: true });
    expectClose(before.slice([null, { stop: 3 }]), after.slice([null, { stop: 3 }]), { absolute: 0 });
    expectClose(before.slice([0, 0]), v.slice([0, 0]), { absolute: 1e-12 });
  });

  it("a mask of booleans leaves keys out", () => {
    const mask = tensor([true, true, false, false]);
    const some = dotProductAttention(q, k, v, { mask });
    const cut = (x: Tensor) => x.slice([null, { stop: 2 }]);
    expectClose(some, dotProductAttention(q, cut(k), cut(v)), { absolute: 1e-12 });
    expect(() => dotProductAttention(q, k, v, { mask: tensor([1, 0, 0, 0]) })).toThrow(/must be bool/);
  });

  it("rejects heads that do not divide the features", () => {
    expect(() => multiHeadAttention({ features: 6, heads: 4 })).toThrow(/must divide/);
  });
});

describe("recurrence", () => {
  it.each([
    ["gru", gru],
    ["lstm", lstm],
  ] as const)("%s: a run over time is its step repeated, forwards and backwards, eager and traced", async (_, make) => {
    const layer = make({ inputs: 3, features: 5 }) as any;
    const params = layer.init(rng(), "float64");
    const x = rng().normal([2, 4, 3], { dtype: "float64" });
    const [outputs, last] = layer.apply(params, x);
    let state = layer.initState(2, "float64");
    for (let t = 0; t < 4; t++) state = layer.step(params, state, x.slice([null, t]));
    const hidden = (s: any): Tensor => s.hidden ?? s;
    expectClose(hidden(last), hidden(state), { absolute: 1e-12 });
    expectClose(outputs.slice([null, 3]), hidden(last), { absolute: 0 });
    const [backwards] = layer.apply(params, x.flip(1), { reverse: true });
    expectClose(backwards.flip(1), outputs, { absolute: 1e-12 });
    const [traced] = await jit((p: any, s: Tensor) => layer.apply(p, s))(params, x);
    expectClose(traced, outputs, { absolute: 1e-12 });
  });
});

describe("the rest", () => {
  it("an embedding looks rows up, and only those have a gradient", () => {
    const layer = embedding({ count: 4, features: 2 });
    const params = layer.init(rng());
    const tokens = tensor([[1, 3]], { dtype: "int32" });
    expectClose(layer.apply(params, tokens).slice([0, 1]), params.weight.slice([3]), { absolute: 0 });
    const gradient = grad((p: any) => sum(layer.apply(p, tokens)))(params);
    expect(gradient.weight.toArray()).toEqual([
      [0, 0],
      [1, 1],
      [0, 0],
      [1, 1],
    ]);
  });

  it("dropout keeps the mean and is nothing without a mask", () => {
    const x = tensor(new Float32Array(10000).fill(1));
    const mask = dropoutMask(rng(), [10000], 0.25);
    expect(new Set(values(mask)).size).toBe(2);
    expect(mean(dropout(x, mask)).item()).toBeCloseTo(1, 1);
    expect(dropout(x, null)).toBe(x);
    expect(() => dropoutMask(rng(), [2], 1)).toThrow(/rate/);
  });

  it("batchNorm's gradients, the second too, are those of its formula", () => {
    const norm = batchNorm({ channels: 3 });
    const draw = rng().split(5);
    const x = draw[0].normal([4, 3, 2], { dtype: "float64" });
    const weights = draw[1].normal([4, 3, 2], { dtype: "float64" });
    const params = {
      scale: draw[2].normal([3], { dtype: "float64" }),
      bias: draw[3].normal([3], { dtype: "float64" }),
    };
    const formula = (p: typeof params, v: Tensor) => {
      const over = { axis: [0, 2], keepDims: true };
      const centred = v.sub(mean(v, over));
      const y = centred.div(mean(square(centred), over).add(1e-5).sqrt());
      return y.mul(p.scale.reshape([3, 1])).add(p.bias.reshape([3, 1]));
    };
    const cubed = (y: Tensor) => sum(square(y).mul(y).mul(weights));
    const ours = (p: typeof params, v: Tensor) => cubed(norm.train(p, norm.initState("float64"), v)[0]);
    const plain = (p: typeof params, v: Tensor) => cubed(formula(p, v));
    const first = (f: typeof ours) => (p: typeof params, v: Tensor) => grad(f, { argument: [0, 1] })(p, v) as any;
    const second = (f: typeof ours) => grad((v: Tensor) => sum(square(first(f)(params, v)[1])))(x) as Tensor;
    tree.leaves<Tensor>(first(ours)(params, x)).forEach((g, i) => {
      expectClose(g, tree.leaves<Tensor>(first(plain)(params, x))[i], { absolute: 1e-10 });
    });
    expectClose(second(ours), second(plain), { absolute: 1e-6 });
  });

  it("initialisers have the variance they say", () => {
    const fans = { inputs: 200, outputs: 300 };
    const spread = (x: Tensor) => mean(square(x)).item();
    const draw = (f: any) => f(rng(), [200, 300], fans, "float64") as Tensor;
    const close = (actual: number, expected: number) => expect(Math.abs(actual / expected - 1)).toBeLessThan(0.03);
    close(spread(draw(initializers.uniformFanIn)), 1 / 600);
    close(spread(draw(initializers.glorotUniform)), 2 / 500);
    close(spread(draw(initializers.glorotNormal)), 2 / 500);
    close(spread(draw(initializers.heUniform)), 2 / 200);
    close(spread(draw(initializers.heNormal)), 2 / 200);
    close(spread(draw(initializers.normal(0.3))), 0.09);
    expect(Math.max(...values(draw(initializers.truncatedNormal(0.5))).map(Math.abs))).toBeLessThanOrEqual(1);
    const q = draw(initializers.orthogonal);
    expectClose(matmul(q, q.transpose()).slice([0, { stop: 3 }]), tensor([1, 0, 0]), { absolute: 1e-10 });
    expect(() => initializers.normal(0)).toThrow(/std/);
  });

  it("activations go by name", () => {
    expect(activation("leakyRelu")(tensor([-1, 2])).toArray()).toEqual([Math.fround(-0.01), 2]);
    expect(activation("identity")(3).item()).toBe(3);
    expect(() => activation("swishy" as never)).toThrow(/does not exist; there are relu/);
    for (const name of ["relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "logSigmoid", "tanh"] as const) {
      expect(
        Number.isFinite(
          activation(name)(tensor([-50, 0, 50], { dtype: "float64" }))
            .sum()
            .item(),
        ),
      ).toBe(true);
    }
  });

  it("refuse options that do not exist", () => {
    const x = zeros([1, 2, 4]);
    expect(() => batchNorm({ channels: 2, eps: 1 } as never)).toThrow(/batchNorm: .*eps/);
    expect(() => dotProductAttention(x, x, x, { casual: true } as never)).toThrow(/dotProductAttention: .*casual/);
    const heads = multiHeadAttention({ features: 4, heads: 2 });
    const wrong = { query: x, masks: true } as never;
    expect(() => heads.apply(heads.init(rng()), wrong)).toThrow(/multiHeadAttention: .*masks/);
    const cell = gru({ inputs: 4, features: 3 });
    expect(() => cell.apply(cell.init(rng()), x, { reversed: true } as never)).toThrow(/gru: .*reversed/);
  });

  it("rejects inputs and options that do not fit", () => {
    const layer = linear({ inputs: 3, outputs: 2 });
    expect(() => layer.apply(layer.init(rng()), tensor([1, 2]))).toThrow(/axis -1 must be the 3 features/);
    expect(() => linear({ inputs: 0, outputs: 2 })).toThrow(/inputs is 0/);
    expect(() => conv2d({ inputs: 3, outputs: 4, kernel: 3, groups: 2 })).toThrow(/groups is 2/);
    expect(() => conv2d({ inputs: 3, outputs: 4, kernel: [3] })).toThrow(/kernel has 1 extents/);
    const conv = conv2d({ inputs: 1, outputs: 1, kernel: 1 });
    expect(() => conv.apply(conv.init(rng()), tensor([[1]]))).toThrow(/2 spatial axes/);
    const norm = batchNorm({ channels: 2 });
    expect(() => norm.train(norm.init(), norm.initState(), tensor([[1, 2]]))).toThrow(/a variance needs two/);
  });
});

describe("parameter files", () => {
  const net = mlp({ sizes: [2, 3, 1] });

  it("keep every bit, under the names of the tree", () => {
    const params = { encoder: net.init(rng()), scale: tensor(2, { dtype: "float64" }) };
    const bytes = saveParameters(params, { model: "test" });
    expect(new TextDecoder().decode(bytes)).toContain("encoder.0.weight");
    const back = loadParameters(bytes, { encoder: net.init(random.rng(9)), scale: tensor(0, { dtype: "float64" }) });
    expect(tree.leaves<Tensor>(back).map(values)).toEqual(tree.leaves<Tensor>(params).map(values));
    expect(back.scale.dtype).toBe("float64");
  });

  it("are rejected when they are another model's or damaged", () => {
    const bytes = saveParameters(net.init(rng()));
    expect(() => loadParameters(bytes, mlp({ sizes: [2, 4, 1] }).init(rng()))).toThrow(/shape/);
    expect(() => loadParameters(bytes, mlp({ sizes: [2, 3, 3, 1] }).init(rng()))).toThrow(/no tensor|shape/);
    expect(() => loadParameters(bytes.slice(0, 40), net.init(rng()))).toThrow(/safetensors/);
  });

  it("are read with the model that the file describes", () => {
    const sizes = [2, 3, 1];
    const bytes = saveDescribed("test 1", { sizes }, net.init(rng()));
    const read = loadDescribed(bytes, "test 1", (said: { sizes: number[] }) => mlp(said));
    expect(read.description).toEqual({ sizes });
    expect(values(read.model.apply(read.params, [[1, 2]]))).toEqual(values(net.apply(net.init(rng()), [[1, 2]])));
  });

  it("are refused where the description is missing, damaged, of no model or of a larger one", () => {
    const make = (said: { sizes: number[] }) => mlp(said);
    const params = net.init(rng());
    const refused = (bytes: Uint8Array) => {
      const reading = () => loadDescribed(bytes, "test 1", make);
      expect(reading).toThrow(FormatError);
      return expect(reading);
    };
    refused(saveParameters(params)).toThrow(/not marked "test 1"/);
    refused(saveParameters(params, { format: "test 1" })).toThrow(/describes no model/);
    refused(saveParameters(params, { format: "test 1", description: "{" })).toThrow(/describes no model/);
    refused(saveDescribed("test 1", { widths: [2] }, params)).toThrow(/describes no model/);
    refused(saveDescribed("test 1", { sizes: [2, 1e6, 1e6] }, params)).toThrow(/more parameters than the file/);
  });
});
