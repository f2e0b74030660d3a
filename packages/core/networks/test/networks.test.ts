import { loadModel } from "@offprint/onnx-runtime";
import { jit, matmul, random, square, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, expectGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  type Activation,
  activation,
  applyLinear,
  averagePool,
  batchNorm,
  convolution,
  evaluate,
  type FeedForward,
  flatten,
  foldLinear,
  fromOnnx,
  type Layer,
  layerShapes,
  linear,
  linearParts,
  perceptron,
  toOnnx,
} from "../src/index.js";

const rng = random.rng(7);
const draw = (...shape: number[]) => rng.normal(shape, { dtype: "float64" });
const positive = (n: number) =>
  tensor(
    draw(n)
      .data()
      .map((value) => value * value + 0.1) as Float64Array,
  );

/** Every kind of layer. */
const image: FeedForward = {
  inputShape: [2, 6, 5],
  layers: [
    batchNorm({ mean: draw(2), variance: positive(2), scale: draw(2), shift: draw(2), epsilon: 1e-3 }),
    convolution(draw(4, 1, 3, 2), { bias: draw(4), strides: [1, 2], padding: [1, [0, 1]], groups: 2 }),
    activation("relu"),
    averagePool([2, 2], { strides: 1, padding: 1, countIncludePad: false }),
    convolution(draw(3, 4, 2, 2), { dilation: [2, 1] }),
    activation("tanh"),
    averagePool(2),
    flatten(),
    linear(draw(4, 6), draw(4)),
    batchNorm({ mean: draw(4), variance: positive(4) }),
    { kind: "maxmin" },
    linear(draw(3, 4)),
  ],
};

const sequence: FeedForward = {
  inputShape: [2, 9],
  layers: [
    convolution(draw(3, 2, 3), { strides: 2 }),
    activation("silu"),
    averagePool(2),
    flatten(),
    linear(draw(2, 6)),
  ],
};

describe("evaluate", () => {
  it("goes through shapes as layerShapes says", () => {
    expect(layerShapes(image)).toEqual([
      [2, 6, 5],
      [2, 6, 5],
      [4, 6, 3],
      [4, 6, 3],
      [4, 7, 4],
      [3, 5, 3],
      [3, 5, 3],
      [3, 2, 1],
      [6],
      [4],
      [4],
      [4],
      [3],
    ]);
    expect(evaluate(image, draw(5, 2, 6, 5)).shape).toEqual([5, 3]);
    expect(evaluate(image, draw(2, 6, 5)).shape).toEqual([3]);
  });

  it("a perceptron by hand", () => {
    const network = perceptron(
      [
        {
          weight: [
            [1, 2],
            [0, -1],
          ],
          bias: [0.5, 0],
        },
        { weight: [[1, -1]] },
      ],
      activation("relu"),
    );
    // relu([1 + 2 + .5, -1]) = [3.5, 0]
    expect(evaluate(network, [1, 1]).data()[0]).toBe(3.5);
    expect(
      Array.from(
        evaluate(network, [
          [1, 1],
          [0, -1],
        ]).data(),
      ),
    ).toEqual([3.5, -1]);
  });

  it("a convolution is the sum over its window", () => {
    const network = { inputShape: [1, 4], layers: [convolution([[[1, 10]]], { padding: [[1, 0]] })] };
    expect(Array.from(evaluate(network, [[1, 2, 3, 4]]).data())).toEqual([10, 21, 32, 43]);
  });

  it("has gradients by inputs and by weights, and compiles", async () => {
    expectGradient((x: Tensor) => sum(square(evaluate(sequence, x))), [draw(2, 9)]);
    const [first, ...rest] = sequence.layers;
    const byWeight = (weight: Tensor) =>
      sum(square(evaluate({ ...sequence, layers: [{ ...first, weight } as Layer, ...rest] }, samples)));
    const samples = draw(3, 2, 9);
    expectGradient(byWeight, [draw(3, 2, 3)]);
    const x = draw(2, 6, 5);
    expectClose(await jit((each: Tensor) => evaluate(image, each))(x), evaluate(image, x), { absolute: 1e-12 });
  });

  it("plain arrays are float64", () => {
    const network = perceptron([{ weight: [[0.1]] }], []);
    expect(evaluate(network, [0.1]).data()[0]).toBe(0.1 * 0.1);
  });
});

describe("foldLinear", () => {
  it.each([
    ["images", image],
    ["sequences", sequence],
  ])("%s: the same function, of matrices and activations in turn", (_, network) => {
    const folded = foldLinear(network);
    for (const [k, { kind }] of folded.layers.entries()) expect(kind === "linear").toBe(k % 2 === 0);
    const shape = network.inputShape as number[];
    const x = draw(4, ...shape);
    const flat = x.reshape([4, shape.reduce((a, b) => a * b, 1)]);
    expectClose(evaluate(folded, flat), evaluate(network, x), { absolute: 1e-11 });
  });

  it("puts identities at ends and between activations, and leaves matrices as they are", () => {
    const weight = draw(2, 3);
    const relu = activation("relu");
    const folded = foldLinear({ layers: [linear(weight), relu, relu] });
    expect(folded.layers.map(({ kind }) => kind)).toEqual(["linear", "scalar", "linear", "scalar", "linear"]);
    expect((folded.layers[0] as { weight: Tensor }).weight.data()).toEqual(weight.data());
    expect((folded.layers[4] as { weight: Tensor }).weight.toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    const first = foldLinear({ inputShape: [2], layers: [relu, linear([[1, 1]])] });
    expect(evaluate(first, [-3, 4]).data()[0]).toBe(4);
  });
});

describe("linearParts", () => {
  it.each([
    ["images", image],
    ["sequences", sequence],
  ])("%s: what foldLinear multiplies out", (_, network) => {
    const parts = linearParts(network);
    const folded = foldLinear(network).layers;
    expect(parts.map(({ kind }) => kind)).toEqual(folded.map(({ kind }) => (kind === "linear" ? "part" : kind)));
    for (const [k, part] of parts.entries()) {
      if (part.kind !== "part") continue;
      const { weight } = folded[k] as { weight: Tensor };
      const x = draw(3, ...part.shapes[0]);
      const y = applyLinear(part.layers, x);
      expect(y.shape.slice(1)).toEqual(part.shapes[part.shapes.length - 1]);
      const rows = (t: Tensor) => t.reshape([3, t.size / 3]);
      expectClose(rows(y), matmul(rows(x), weight.transpose()), { absolute: 1e-11 });
    }
  });
});

describe("toOnnx", () => {
  const scalars: Activation[] = [
    activation("leakyRelu", { slope: 0.3 }),
    activation("sigmoid"),
    activation("softplus"),
    activation("softsign"),
    activation("elu", { alpha: 0.7 }),
    activation("celu", { alpha: 0.7 }),
    activation("selu"),
    activation("gelu"),
    activation("silu"),
    activation("identity"),
    activation("abs"),
    activation("clip", { low: -0.5, high: Infinity }),
    activation("clip", { low: -Infinity, high: 0.5 }),
    activation("hardSigmoid"),
    activation("hardSwish"),
    { kind: "maxmin" },
    { kind: "groupsort", groupSize: 4 },
    { kind: "fullsort" },
  ];
  const networks: [string, FeedForward][] = [
    ["images", image],
    ["sequences", sequence],
    ...scalars.map((act): [string, FeedForward] => [
      "name" in act ? act.name : act.kind,
      perceptron([{ weight: draw(8, 3), bias: draw(8) }, { weight: draw(2, 8) }], act),
    ]),
  ];

  it.each(networks)("%s: reading back what was written is the same function", (_, network) => {
    const back = fromOnnx(toOnnx(network, { dtype: "float64" }));
    const [shape] = layerShapes(network);
    const x = draw(4, ...shape);
    const inputs = back.inputShape === undefined ? x.reshape([4, shape.reduce((a, b) => a * b, 1)]) : x;
    expectClose(evaluate(back, inputs), evaluate(network, x), { absolute: 1e-6, relative: 1e-6 });
  });

  it("a runtime computes what evaluate does", async () => {
    const reflections: Activation = {
      kind: "householder",
      v: [
        [0.6, 0.8],
        [1, 0],
        [0, 1],
        [-0.8, 0.6],
      ],
    };
    const deep = perceptron(
      [{ weight: draw(8, 3) }, { weight: draw(8, 8) }, { weight: draw(2, 8) }],
      [reflections, activation("gelu")],
    );
    for (const network of [image, sequence, deep, ...networks.slice(2).map(([, each]) => each)]) {
      const model = await loadModel(toOnnx(network), { device: "cpu", threads: 1 });
      const [shape] = layerShapes(network);
      const x = draw(3, ...shape).cast("float32");
      const outputs = await model.run({ x });
      expectClose(Object.values(outputs)[0], evaluate(network, x), { absolute: 1e-4, relative: 1e-4 });
    }
  });
});

describe("networks that are none are refused", () => {
  const relu = activation("relu");
  it.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /layers is empty/],
    ["no layers", { layers: [] }, /layers is empty/],
    ["a misspelt option", { layers: [linear([[1]])], inputshape: [1] }, /did you mean "inputShape"/],
    ["a first layer of any shape", { layers: [relu] }, /give inputShape/],
    ["a shape that is none", { inputShape: [0], layers: [relu] }, /inputShape is \[0\]/],
    ["layers that do not fit", { layers: [linear([[1, 2]]), linear([[1, 2]])] }, /layer 2 takes 2 values, and 1 come/],
    ["a vector for a matrix", { layers: [linear([1, 2])] }, /must be a matrix/],
    ["no weight", { layers: [{ kind: "linear" }] }, /the weight of layer 1 is missing/],
    ["a bias of another size", { layers: [linear([[1, 2]], [1, 2])] }, /the bias of layer 1 must have shape \[1\]/],
    ["an unknown kind", { inputShape: [1], layers: [{ kind: "softmax" }] }, /has the kind "softmax"/],
    ["images for a matrix", { inputShape: [1, 2], layers: [linear([[1, 2]])] }, /flatten before it/],
    ["vectors for a convolution", { inputShape: [2], layers: [convolution([[[1]]])] }, /takes samples \[channels/],
    ["kernels of another rank", { inputShape: [1, 2, 2], layers: [convolution([[[1]]])] }, /need 4 axes/],
    ["channels that do not fit", { inputShape: [2, 2], layers: [convolution([[[1]]])] }, /takes 1 channels/],
    ["a window that is too large", { inputShape: [1, 2], layers: [averagePool(3)] }, /larger than its padded input/],
    ["a window of padding", { inputShape: [1, 2], layers: [averagePool(1, { padding: 1 })] }, /padding only/],
    ["groups of images", { inputShape: [2, 2], layers: [{ kind: "maxmin" }] }, /acts on parts of a vector/],
    ["odd pairs", { inputShape: [3], layers: [{ kind: "maxmin" }] }, /not divisible by the group size 2/],
    [
      "statistics of another size",
      { inputShape: [2], layers: [batchNorm({ mean: [1], variance: [1] })] },
      /the mean of layer 1/,
    ],
  ])("%s", (_, network, message) => {
    expect(() => layerShapes(network as FeedForward)).toThrow(message);
  });

  it("layers with fields that they do not have, which would do nothing", () => {
    const statistics = { mean: [0], variance: [1] };
    const wrong: [object, RegExp][] = [
      [{ kind: "linear", weight: [[1]], bais: [3] }, /layer 1: there is no option "bais"; did you mean "bias"\?/],
      [{ kind: "batchNorm", ...statistics, eps: 1e-3 }, /no option "eps"; did you mean "epsilon"\?/],
      [{ kind: "scalar", name: "leakyRelu", parameter: { slope: 0.1 } }, /did you mean "parameters"\?/],
      [{ kind: "averagePool", window: 2, stride: 1 }, /did you mean "strides"\?/],
      [{ kind: "flatten", axis: 1 }, /no option "axis"/],
    ];
    for (const [layer, message] of wrong) {
      expect(() => layerShapes({ inputShape: [1], layers: [layer as never] })).toThrow(
        errorLike("ValueError", message),
      );
    }
  });

  it("statistics whose deviations are no numbers", () => {
    for (const [variance, epsilon] of [
      [-1, 1e-5],
      [0, 0],
      [Number.NaN, 1e-5],
    ]) {
      const layers = [batchNorm({ mean: [0], variance: [variance], epsilon })];
      expect(() => layerShapes({ inputShape: [1], layers })).toThrow(
        errorLike("ValueError", /layer 1 has a variance that is/),
      );
    }
    const layers = [batchNorm({ mean: [0], variance: [1], epsilon: -1 })];
    expect(() => layerShapes({ inputShape: [1], layers })).toThrow(/layer 1: epsilon is -1/);
  });

  it("weights that are not finite, samples of another shape, and activations that are not known", () => {
    const network = perceptron([{ weight: [[Number.NaN]] }], []);
    expect(() => foldLinear(network)).toThrow(/the weight of layer 1 holds a value that is not finite/);
    expect(() => toOnnx(network)).toThrow(/not finite/);
    expect(() => evaluate(image, draw(2, 6))).toThrow(/takes \[2,6,5\] or \[batch, 2, 6, 5\]/);
    const unknown = perceptron([{ weight: [[1]] }, { weight: [[1]] }], { kind: "slope", alpha: 0, beta: 1 });
    expect(() => evaluate(unknown, [1])).toThrow(/by its slopes only/);
    expect(() => toOnnx(unknown)).toThrow(/by its slopes only/);
    expect(() => perceptron([], relu)).toThrow(/no layers/);
    expect(() => perceptron([{ weight: [[1]] }, { weight: [[1]] }], [relu, relu])).toThrow(/2 activations for 1/);
  });
});
