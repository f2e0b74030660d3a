import { type NodeSource, readOnnxGraph, writeOnnxGraph } from "@offprint/onnx-format";
import {
  add,
  matmul,
  maximum,
  maxPool,
  mul,
  pad,
  random,
  sigmoid,
  special,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "@offprint/tensor-core";
import { expectClose, readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  activation,
  convolution,
  evaluate,
  type FeedForward,
  foldLinear,
  fromOnnx,
  linear,
  toOnnx,
} from "../src/index.js";

interface Case {
  readonly model: string;
  readonly inputs: number[][];
  readonly outputs: number[][];
}

const cases: Record<string, Case> = readFixture(import.meta.url, "onnx.json");
const bytesOf = (name: string) => Uint8Array.from(Buffer.from(cases[name].model, "base64"));
const kindsOf = (name: string) => fromOnnx(bytesOf(name)).layers.map(({ kind }) => kind);

describe("fromOnnx", () => {
  it.each([
    "relu",
    "maxmin halves",
    "maxmin pairs",
    "groupsort",
    "convolution",
    "relu at the end",
    "skip",
    "pooled",
    "skip of a wider layer",
  ])("%s: the network that is read gives PyTorch's outputs, as it is and multiplied out", (name) => {
    const network = fromOnnx(bytesOf(name));
    const folded = foldLinear(network);
    const { inputShape = [cases[name].inputs[0].length] } = network;
    for (const [k, x] of cases[name].inputs.entries()) {
      const shaped = evaluate(network, tensor(Float64Array.from(x), { shape: inputShape }));
      for (const outputs of [shaped, evaluate(folded, x)]) {
        const values = outputs.data();
        expect(values).toHaveLength(cases[name].outputs[k].length);
        for (const [i, expected] of cases[name].outputs[k].entries()) expect(values[i]).toBeCloseTo(expected, 5);
      }
    }
  });

  it("keeps the layers of a chain", () => {
    expect(kindsOf("convolution")).toEqual(["convolution", "scalar", "averagePool", "flatten", "linear"]);
    expect(kindsOf("relu")).toEqual(["linear", "scalar", "linear", "scalar", "linear"]);
    expect(fromOnnx(bytesOf("relu")).layers[3]).toEqual({
      kind: "scalar",
      name: "leakyRelu",
      parameters: { slope: expect.closeTo(0.1, 6) },
    });
  });

  it("finds MaxMin in halves and in pairs, and GroupSort in a sort", () => {
    const activationsOf = (name: string) => fromOnnx(bytesOf(name)).layers.filter((_, k) => k % 2 === 1);
    expect(activationsOf("maxmin halves")).toEqual([{ kind: "maxmin" }, { kind: "maxmin" }]);
    expect(activationsOf("maxmin pairs")).toEqual([{ kind: "maxmin" }]);
    expect(activationsOf("groupsort")).toEqual([{ kind: "groupsort", groupSize: 4 }]);
  });

  it.each([
    ["softmax", /operator Softmax .* is not read/],
    ["unknown", /operator Sin "odd" is not read/],
    ["normalised", /operator LayerNormalization .* is not read; it divides by what it computes from the sample/],
  ])("refuses %s by name", (name, message) => {
    expect(() => fromOnnx(bytesOf(name))).toThrow(message);
  });

  it("carries a value past a layer by units that leave it as it is", () => {
    const [, activation] = fromOnnx(bytesOf("skip")).layers;
    const parts = [
      { activation: { kind: "scalar", name: "relu" }, count: 4 },
      { activation: { kind: "scalar", name: "identity" }, count: 4 },
    ];
    expect(activation).toEqual({ kind: "mixed", parts });
  });

  it("refuses bytes that are no model", () => {
    expect(() => fromOnnx(new Uint8Array([9, 9, 9]))).toThrow(/onnx/);
  });
});

const floats = (name: string, shape: readonly number[], values: readonly number[]) =>
  ({ name, type: "float32", shape, data: Float32Array.from(values) }) as const;

/** A graph from `x` `[batch, 2]` to `y`. */
function graphOf(nodes: readonly NodeSource[], constants: Parameters<typeof writeOnnxGraph>[0]["constants"] = []) {
  const outputs = [{ name: "y", type: "float32", shape: ["batch", 2] }] as const;
  return writeOnnxGraph({
    inputs: [{ name: "x", type: "float32", shape: ["batch", 2] }],
    outputs,
    constants,
    nodes,
  });
}

const node = (operator: string, inputs: string[], output: string, attributes: NodeSource["attributes"] = {}) => ({
  operator,
  inputs,
  outputs: [output],
  attributes,
});

describe("graphs written by others", () => {
  it("sums and products by constants become biases and normalisations", () => {
    const constants = [
      floats("mean", [2], [1, 2]),
      floats("deviation", [1, 2], [2, 4]),
      floats("w", [2, 2], [1, 2, 3, 4]),
      floats("b", [2], [5, 6]),
    ];
    const network = fromOnnx(
      graphOf(
        [
          node("Sub", ["x", "mean"], "centred"),
          node("Div", ["centred", "deviation"], "scaled"),
          node("MatMul", ["scaled", "w"], "product"),
          node("Add", ["b", "product"], "sum"),
          node("Neg", ["sum"], "y"),
        ],
        constants,
      ),
    );
    // ((x - m) / d) W + b = [1, 1] W + b for x = m + d
    expect(Array.from(evaluate(network, [3, 6]).data())).toEqual([-9, -12]);
    const sum = fromOnnx(
      graphOf([node("MatMul", ["x", "w"], "product"), node("Add", ["b", "product"], "y")], constants),
    );
    expect(sum.layers.map(({ kind }) => kind)).toEqual(["linear"]);
    expect(Array.from(evaluate(sum, [1, 1]).data())).toEqual([9, 12]);
  });

  it.each([
    ["x sigmoid(x) is silu", [node("Sigmoid", ["x"], "gate"), node("Mul", ["x", "gate"], "y")], { name: "silu" }],
    ["a maximum with 0 is a ReLU", [node("Max", ["x", "zero"], "y")], { name: "relu" }],
    [
      "a minimum with 6 is a clipping",
      [node("Min", ["x", "six"], "y")],
      { name: "clip", parameters: { low: -Infinity, high: 6 } },
    ],
    [
      "Clip has its limits as inputs",
      [node("Clip", ["x", "", "six"], "y")],
      { name: "clip", parameters: { low: -Infinity, high: 6 } },
    ],
    ["Clip from 0 is a ReLU", [node("Clip", ["x", "zero"], "y")], { name: "relu" }],
    [
      "PRelu of one slope is leaky",
      [node("PRelu", ["x", "six"], "y")],
      { name: "leakyRelu", parameters: { slope: 6 } },
    ],
    [
      "x hardSigmoid(x) is hardSwish",
      [node("HardSigmoid", ["x"], "gate", { alpha: { float: 1 / 6 } }), node("Mul", ["gate", "x"], "y")],
      { name: "hardSwish" },
    ],
    [
      "Elu has its alpha",
      [node("Elu", ["x"], "y", { alpha: { float: 2 } })],
      { name: "elu", parameters: { alpha: 2 } },
    ],
  ])("%s", (_, nodes, expected) => {
    const constants = [floats("zero", [1], [0]), floats("six", [], [6])];
    const { layers } = fromOnnx(graphOf(nodes, constants));
    expect(layers.filter(({ kind }) => kind === "scalar")).toEqual([{ kind: "scalar", ...expected }]);
  });

  it("slopes that differ by neuron stay with their neurons", () => {
    const { layers } = fromOnnx(graphOf([node("PRelu", ["x", "s"], "y")], [floats("s", [2], [0.5, 2])]));
    const parts = [0.5, 2].map((slope) => ({ activation: activation("leakyRelu", { slope }), count: 1 }));
    expect(layers.filter(({ kind }) => kind !== "linear")).toEqual([{ kind: "mixed", parts }]);
  });

  it("leaks that differ by neuron or by channel are written as they were read", () => {
    const leak = (slope: number, count: number) => ({ activation: activation("leakyRelu", { slope }), count });
    const channels = [leak(0.5, 6), { activation: activation("relu"), count: 6 }, leak(2, 6)];
    const neurons = [leak(0.5, 4), { activation: activation("identity"), count: 14 }];
    for (const parts of [channels, neurons]) {
      const layers = [convolution(random.rng("leaks").normal([3, 1, 1, 1])), { kind: "mixed", parts } as never];
      const network = { inputShape: [1, 2, 3], layers };
      const again = fromOnnx(toOnnx(network, { dtype: "float64" }));
      expect(again.layers[1]).toEqual(layers[1]);
      const x = random.rng("leak").normal([4, 1, 2, 3], { dtype: "float64" });
      expectClose(evaluate(again, x), evaluate(network, x), 1e-12);
    }
  });

  it("a maximum over windows is ReLUs beside values that pass", () => {
    const scalars = fromOnnx(bytesOf("pooled")).layers.flatMap((layer) =>
      layer.kind === "mixed" ? layer.parts.map(({ activation }) => activation.name) : [],
    );
    expect(new Set(scalars)).toEqual(new Set(["relu", "identity"]));
  });

  describe("a maximum over windows of a chain", () => {
    const rng = random.rng("max pooling");
    const weight = (name: string, shape: readonly number[]) =>
      ({ name, type: "float64", shape, data: rng.normal(shape, { dtype: "float64" }).data() as Float64Array }) as const;
    const image = [2, 9, 8];
    const pooledBy = (attributes: NodeSource["attributes"], before: string) => {
      const outputs = [{ name: "y", type: "float64", shape: ["batch"] }] as const;
      return writeOnnxGraph({
        inputs: [{ name: "x", type: "float64", shape: ["batch", ...image] }],
        outputs,
        constants: [weight("w", [3, 2, 2, 2]), weight("v", [2, 3, 1, 1])],
        nodes: [
          node("Conv", ["x", "w"], "c"),
          node(before, ["c"], "a"),
          node("MaxPool", ["a"], "m", attributes),
          node("Conv", ["m", "v"], "y"),
        ],
      });
    };
    const window = { kernel_shape: [3, 2], strides: [2, 3], dilations: [1, 2] };

    it.each<[string, NodeSource["attributes"], string, number, number[]]>([
      ["of one axis", { kernel_shape: [1, 5] }, "Tanh", 3, [0, 0]],
      ["with steps and gaps", window, "Tanh", 3, [0, 0]],
      ["with padding behind values that are not negative", { ...window, pads: [1, 0, 1, 1] }, "Relu", 3, [1, 1]],
    ])(
      "%s stays windows: convolutions of pairs, and ReLUs beside values that pass",
      (_, attributes, before, mixed, pads) => {
        const network = fromOnnx(pooledBy(attributes, before));
        const kinds = network.layers.map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind === "mixed")).toHaveLength(mixed);
        expect(kinds).not.toContain("linear");
        const x = rng.normal([4, ...image], { dtype: "float64" });
        const [first, second] = network.layers;
        const own = evaluate({ inputShape: image, layers: [first, second] }, x);
        // Behind a ReLU padding by zeros changes no maximum.
        const [top, bottom, left, right] = pads[0] ? [1, 1, 0, 1] : [0, 0, 0, 0];
        const padded = pad(own, [
          [0, 0],
          [0, 0],
          [top, bottom],
          [left, right],
        ]);
        const { kernel_shape, strides = 1, dilations = 1 } = attributes as Record<string, number[]>;
        const largest = maxPool(padded, kernel_shape, { strides, dilation: dilations } as never);
        const expected = evaluate(
          { inputShape: largest.shape.slice(1), layers: [network.layers[network.layers.length - 1]] },
          largest,
        );
        expectClose(evaluate(network, x), expected, 1e-12);
        const flat = x.reshape([4, x.size / 4]);
        expectClose(evaluate(foldLinear(network), flat).reshape(expected.shape), expected, 1e-12);
        const again = fromOnnx(toOnnx(network, { dtype: "float64" }));
        expect(again.layers.map(({ kind }) => kind)).toEqual(kinds);
        expectClose(evaluate(again, x), expected, 1e-12);
      },
    );

    it("with padding behind values that may be negative is read neuron by neuron", () => {
      const bytes = pooledBy({ kernel_shape: [2, 2], pads: [1, 1, 1, 1] }, "Tanh");
      expect(fromOnnx(bytes).layers.map(({ kind }) => kind)).not.toContain("convolution");
    });
  });

  it.each<[string, NodeSource, RegExp]>([
    [
      "a cast to whole numbers",
      node("Cast", ["x"], "y", { to: 7 }),
      /Cast .* rounds a computed value, which is not continuous/,
    ],
    [
      "statistics of the batch",
      node("BatchNormalization", ["x", "s", "s", "s", "s"], "y", { training_mode: 1 }),
      /BatchNormalization .* normalises by the batch; export the network for evaluation/,
    ],
    [
      "dropout of training",
      node("Dropout", ["x", "", "s"], "y"),
      /Dropout .* is random; export the network for evaluation/,
    ],
    [
      "a reflection over more than there is",
      node("Pad", ["x"], "y", { pads: [0, 2, 0, 0], mode: "reflect" }),
      /\[2, 0\] places are not padded by "reflect" to 2/,
    ],
    [
      "a resizing that is not read",
      node("Resize", ["x", "", "s"], "y", { mode: "cubic" }),
      /mode "cubic" with "half_pixel" is not read; resize by the nearest or linearly/,
    ],
    ["a number that is no layer", node("Equal", ["x", "s"], "y"), /Equal .* is only read of constants/],
  ])("%s is refused", (_, odd, message) => {
    expect(() => fromOnnx(graphOf([odd], [floats("s", [2], [1, 2])]))).toThrow(message);
  });

  it("numbers that were whole before a cast are divided as floating-point ones", () => {
    const nodes = [
      node("Shape", ["x"], "shape"),
      node("Cast", ["shape"], "extents", { to: 1 }),
      node("Div", ["extents", "four"], "part"),
      node("Add", ["x", "part"], "y"),
    ];
    const four = floats("four", [], [4]);
    expect(Array.from(evaluate(fromOnnx(graphOf(nodes, [four])), [0, 0]).data())).toEqual([0.25, 0.5]);
  });

  it("a second output is refused", () => {
    const outputs = ["y", "z"].map((name) => ({ name, type: "float32", shape: ["batch", 2] }) as const);
    const nodes = [node("Relu", ["x"], "y"), node("Tanh", ["x"], "z")];
    const bytes = writeOnnxGraph({ inputs: [{ ...outputs[0], name: "x" }], outputs, nodes });
    expect(() => fromOnnx(bytes)).toThrow(/the model has 2 outputs; only networks with one are read/);
  });

  it("a graph from readOnnxGraph is as good as its bytes", () => {
    const bytes = bytesOf("relu");
    expect(fromOnnx(readOnnxGraph(bytes)).layers).toHaveLength(fromOnnx(bytes).layers.length);
  });
});

describe("branches", () => {
  const matrix = (name: string, shape: readonly number[], seed: number) =>
    floats(
      name,
      shape,
      Array.from(
        random
          .rng(seed)
          .normal([...shape])
          .data(),
      ),
    );
  const constants = ["a", "b", "c", "d"].map((name, k) => matrix(name, [2, 2], k));
  const weight = (name: string) => {
    const found = constants.find((each) => each.name === name)!;
    return tensor(Float64Array.from(found.data), { shape: [2, 2] });
  };
  const relu = (x: Tensor) => maximum(x, 0);
  const points = random.rng(9).normal([20, 2], { dtype: "float64" });

  it.each<[string, NodeSource[], (x: Tensor) => Tensor]>([
    [
      "two residual blocks after a layer, as in a ResNet",
      [
        node("MatMul", ["x", "a"], "z0"),
        node("Relu", ["z0"], "h0"),
        node("MatMul", ["h0", "b"], "z1"),
        node("Relu", ["z1"], "h1"),
        node("MatMul", ["h1", "c"], "r1"),
        node("Add", ["h0", "r1"], "s1"),
        node("Relu", ["s1"], "h2"),
        node("MatMul", ["h2", "d"], "r2"),
        node("Tanh", ["r2"], "t2"),
        node("Add", ["t2", "h2"], "y"),
      ],
      (x) => {
        const h0 = relu(matmul(x, weight("a")));
        const h2 = relu(add(h0, matmul(relu(matmul(h0, weight("b"))), weight("c"))));
        return add(tanh(matmul(h2, weight("d"))), h2);
      },
    ],
    [
      "branches of different depth, the input and a value before its activation among them",
      [
        node("MatMul", ["x", "a"], "z"),
        node("Relu", ["z"], "h"),
        node("MatMul", ["h", "b"], "w"),
        node("Sigmoid", ["w"], "g"),
        node("Sub", ["z", "g"], "first"),
        node("Add", ["first", "x"], "second"),
        node("Add", ["second", "h"], "y"),
      ],
      (x) => {
        const z = matmul(x, weight("a"));
        const h = relu(z);
        return add(add(sub(z, sigmoid(matmul(h, weight("b")))), x), h);
      },
    ],
    [
      "an activation that is needed only after a later layer",
      [
        node("Tanh", ["x"], "late"),
        node("Relu", ["x"], "h"),
        node("MatMul", ["h", "a"], "z"),
        node("Relu", ["z"], "k"),
        node("Add", ["k", "late"], "y"),
      ],
      (x) => add(relu(matmul(relu(x), weight("a"))), tanh(x)),
    ],
  ])("%s: the network that is read has the graph's outputs", (_, nodes, expected) => {
    const network = fromOnnx(graphOf(nodes, constants));
    const read = evaluate(network, points);
    expectClose(read, expected(points), { relative: 1e-12, absolute: 1e-12 });
    // And again after it was written.
    expectClose(evaluate(fromOnnx(toOnnx(network, { dtype: "float64" })), points), read, {
      relative: 1e-12,
      absolute: 1e-12,
    });
  });

  it.each<[string, NodeSource[]]>([
    [
      "as PyTorch exports it",
      [
        node("Div", ["z", "root"], "small"),
        node("Erf", ["small"], "erf"),
        node("Add", ["erf", "one"], "gate"),
        node("Mul", ["z", "gate"], "twice"),
        node("Mul", ["twice", "half"], "h"),
      ],
    ],
    [
      "with the half first",
      [
        node("Mul", ["half", "z"], "less"),
        node("Mul", ["inverse", "z"], "small"),
        node("Erf", ["small"], "erf"),
        node("Add", ["one", "erf"], "gate"),
        node("Mul", ["gate", "less"], "h"),
      ],
    ],
    [
      "with the half in the gate",
      [
        node("Div", ["z", "root"], "small"),
        node("Erf", ["small"], "erf"),
        node("Add", ["erf", "one"], "sum"),
        node("Div", ["sum", "two"], "gate"),
        node("Mul", ["gate", "z"], "h"),
      ],
    ],
  ])("a GELU written out %s is one", (_, written) => {
    const numbers = { root: Math.SQRT2, inverse: Math.SQRT1_2, one: 1, half: 0.5, two: 2 };
    const scalars = Object.entries(numbers).map(([name, value]) => floats(name, [], [value]));
    const around = [node("MatMul", ["x", "a"], "z"), ...written, node("MatMul", ["h", "b"], "y")];
    const network = fromOnnx(graphOf(around, [...constants, ...scalars]));
    expect(network.layers.map((layer) => (layer.kind === "scalar" ? layer.name : layer.kind))).toEqual([
      "linear",
      "gelu",
      "linear",
    ]);
    const expected = matmul(special.gelu(matmul(points, weight("a"))), weight("b"));
    expectClose(evaluate(network, points), expected, { relative: 1e-6, absolute: 1e-6 });
    // One that is only nearly a GELU, or whose parts are needed elsewhere, is not taken for one.
    const nearly = scalars.map((scalar) => (scalar.name === "one" ? floats("one", [], [1.1]) : scalar));
    expect(() => fromOnnx(graphOf(around, [...constants, ...nearly]))).toThrow(/operator Erf .* is not read/);
    const shared = [...around.slice(0, -1), node("Add", ["h", "erf"], "y")];
    expect(() => fromOnnx(graphOf(shared, [...constants, ...scalars]))).toThrow(/operator Erf .* is not read/);
  });

  it("GELU by tanh is refused: it has other slopes", () => {
    const gelu = node("Gelu", ["x"], "y", { approximate: "tanh" });
    expect(() => fromOnnx(graphOf([gelu], []))).toThrow(/Gelu .*: only GELU itself is read/);
  });

  it("Sum and Mean take any number of values", () => {
    for (const [operator, share] of [
      ["Sum", 1],
      ["Mean", 1 / 3],
    ] as const) {
      const around = [
        node("MatMul", ["x", "a"], "z"),
        node("Relu", ["z"], "h"),
        node("MatMul", ["x", "b"], "w"),
        node(operator, ["h", "w", "x"], "y"),
      ];
      const expected = add(add(relu(matmul(points, weight("a"))), matmul(points, weight("b"))), points);
      expectClose(evaluate(fromOnnx(graphOf(around, constants)), points), mul(expected, share), {
        relative: 1e-12,
        absolute: 1e-12,
      });
    }
  });

  it("a reflection, which is written with a skip connection, comes back as the same function", () => {
    const v = [0.6, 0.8];
    const network: FeedForward = {
      layers: [linear(weight("a")), { kind: "householder", v }, linear(weight("b"))],
    };
    const read = fromOnnx(toOnnx(network, { dtype: "float64" }));
    expectClose(evaluate(read, points), evaluate(network, points), { relative: 1e-12, absolute: 1e-12 });
  });

  it.each([
    ["ReduceMean with axes as an attribute", node("ReduceMean", ["x"], "m", { axes: [1], keepdims: 1 }), 0.5],
    ["ReduceSum with axes as an input", node("ReduceSum", ["x", "axes"], "m", { keepdims: 1 }), 1],
  ])("%s is linear", (_, reduce, share) => {
    const axes = { name: "axes", type: "int64", shape: [1], data: BigInt64Array.of(-1n) } as const;
    const network = fromOnnx(graphOf([reduce, node("Sub", ["x", "m"], "y")], [axes]));
    const expected = sub(points, mul(sum(points, { axis: 1, keepDims: true }), share));
    expectClose(evaluate(network, points), expected, { relative: 1e-12, absolute: 1e-12 });
  });

  it("a sort beside a value that skips it is refused by what is in the way", () => {
    const nodes = [
      node("TopK", ["x", "k"], "sorted", { axis: 1, largest: 0, sorted: 1 }),
      node("Add", ["sorted", "x"], "y"),
    ];
    const k = { name: "k", type: "int64", shape: [1], data: BigInt64Array.of(2n) } as const;
    expect(() => fromOnnx(graphOf(nodes, [k]))).toThrow(/MaxMin, GroupSort/);
  });
});
