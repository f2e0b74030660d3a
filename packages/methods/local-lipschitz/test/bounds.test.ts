import {
  activation,
  averagePool,
  batchNorm,
  convolution,
  evaluate,
  type FeedForward,
  flatten,
  foldLinear,
  type Layer,
  linear,
  neuronActivations,
  perceptron,
} from "@offprint/networks";
import {
  abs,
  asTensor,
  concatenate,
  jacobian,
  matmul,
  random,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { checkNetwork } from "../src/checked-network.js";
import {
  type Box,
  boxAround,
  exactBound,
  forwardBounds,
  globalBound,
  jacobianBounds,
  jvpBounds,
  localLipschitz,
  sampleBound,
} from "../src/index.js";
import { gradientsAt } from "../src/sample-bound.js";
import { randomNetwork } from "./random-networks.js";

const root = { maxDomains: 0, optimizeSlopes: false, points: 5 } as const;
const f64 = (values: readonly number[] | readonly (readonly number[])[]) => tensor(values, { dtype: "float64" });
const centre = (inputs: number) => Array.from({ length: inputs }, (_, j) => Math.sin(2 * j + 1));
const convNet = (seed: number): FeedForward => {
  const rng = random.rng(seed);
  return {
    inputShape: [1, 5, 5],
    layers: [
      convolution(rng.normal([3, 1, 3, 3], { std: 0.4, dtype: "float64" }), { padding: 1, strides: 2 }),
      activation("relu"),
      averagePool(2, { strides: 1 }),
      flatten(),
      linear(rng.normal([6, 12], { std: 0.4, dtype: "float64" })),
      activation("relu"),
      linear(rng.normal([2, 6], { std: 0.5, dtype: "float64" })),
    ],
  };
};
/** relu(x + B f(A x)), twice: x is carried past f by identities, as `fromOnnx` reads residual sums. */
const residualNet = (seed: number, name: "relu" | "tanh"): FeedForward => {
  const rng = random.rng(seed);
  const matrix = (rows: number, columns: number) =>
    rng.normal([rows, columns], { std: 1.2 / Math.sqrt(columns), dtype: "float64" });
  const carried = { activation: { kind: "scalar", name: "identity" }, count: 4 } as const;
  const block = (): Layer[] => [
    linear(concatenate([matrix(5, 4), eye(4)], 0)),
    { kind: "mixed", parts: [{ activation: { kind: "scalar", name }, count: 5 }, carried] },
    linear(concatenate([matrix(4, 5), eye(4)], 1)),
    activation("relu"),
  ];
  return { layers: [...block(), ...block(), linear(matrix(3, 4))] };
};
const eye = (n: number) =>
  f64(Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))));
const cases: [string, FeedForward][] = [
  ["relu", randomNetwork(1, [5, 8, 8, 3])],
  ["leaky", randomNetwork(2, [5, 8, 7, 3], "leakyRelu", { slope: 0.2 })],
  ["tanh", randomNetwork(3, [5, 8, 8, 3], "tanh")],
  ["sigmoid", randomNetwork(4, [5, 8, 8, 8, 3], "sigmoid")],
  ["gelu", randomNetwork(5, [5, 8, 8, 3], "gelu")],
  ["conv", convNet(6)],
  ["residual", residualNet(7, "relu")],
  ["residual tanh", residualNet(8, "tanh")],
];

/** The same network without identities: x = relu(x) - relu(-x). */
function asDifferences({ layers }: FeedForward): Layer[] {
  const out: Layer[] = [];
  let columns = (row: number[]) => row;
  for (const [k, layer] of layers.entries()) {
    if (layer.kind !== "linear") continue;
    const next = layers[k + 1];
    const names =
      next?.kind === "mixed" ? neuronActivations(next, asTensor(layer.weight).shape[0]).map(({ name }) => name) : [];
    const weight = asTensor(layer.weight).toArray() as number[][];
    const bias = asTensor(layer.bias!).toArray() as number[];
    const doubled = weight.flatMap((row, i) => (names[i] === "identity" ? [row, row.map((w) => -w)] : [row]));
    const shifts = bias.flatMap((b, i) => (names[i] === "identity" ? [b, -b] : [b]));
    out.push(linear(f64(doubled.map(columns)), f64(shifts)));
    if (next !== undefined) out.push(activation("relu"));
    columns = (row) => row.flatMap((w, i) => (names[i] === "identity" ? [w, -w] : [w]));
  }
  return out;
}

describe("bounds", () => {
  it("hold every gradient of random points, and their norms", async () => {
    for (const [name, network] of cases) {
      const { inputs, outputs } = checkNetwork("test", network);
      const box = boxAround(centre(inputs), 0.15);
      const [l, u] = [asTensor(box.lower).data(), asTensor(box.upper).data()];
      const points = 2000;
      const draws = random.rng(name).uniform([points, inputs], { dtype: "float64" }).data();
      const x = Float64Array.from(draws, (each, i) => l[i % inputs] + each * (u[i % inputs] - l[i % inputs]));
      // Slopes that are optimised give other lines for kinks alone.
      for (const optimizeSlopes of name === "relu" || name === "leaky" ? [false, { steps: 4 }] : [false]) {
        const bounds = jacobianBounds(network, box, { optimizeSlopes });
        const [lower, upper] = [bounds.lower.data(), bounds.upper.data()];
        const { perOutput } = await localLipschitz(network, box, { ...root, optimizeSlopes });
        const euclidean = await localLipschitz(network, box, { ...root, optimizeSlopes, norm: "l2" });
        const v = centre(inputs).map((each) => each * each - 0.3);
        const along = jvpBounds(network, box, v, { optimizeSlopes });
        for (let row = 0; row < outputs; row++) {
          const weights = Float64Array.from({ length: outputs }, (_, i) => (i === row ? 1 : 0));
          const g = gradientsAt(network, x, weights);
          let inside = true;
          for (let p = 0; p < points; p++) {
            let [sum, square, dot] = [0, 0, 0];
            for (let j = 0; j < inputs; j++) {
              const value = g[p * inputs + j];
              inside &&= value >= lower[row * inputs + j] - 1e-13 && value <= upper[row * inputs + j] + 1e-13;
              sum += Math.abs(value);
              square += value * value;
              dot += value * v[j];
            }
            inside &&= sum <= perOutput[row] + 1e-13 && Math.sqrt(square) <= euclidean.perOutput[row] + 1e-13;
            inside &&= dot >= along.lower.data()[row] - 1e-13 && dot <= along.upper.data()[row] + 1e-13;
          }
          expect([name, row, inside]).toEqual([name, row, true]);
        }
      }
    }
  });

  it("at a point are the gradient, its norm and the Jacobian", async () => {
    for (const [, network] of cases) {
      const { inputs } = checkNetwork("test", network);
      const shape = network.inputShape ?? [inputs];
      const x = f64(centre(inputs));
      const J = jacobian((at: Tensor) => evaluate(network, at.reshape(shape)))(x);
      const bounds = jacobianBounds(network, boxAround(x, 0));
      expectClose(bounds.lower, J, 1e-10);
      expectClose(bounds.upper, J, 1e-10);
      const { perOutput, value } = await localLipschitz(network, boxAround(x, 0), root);
      const norms = (J.toArray() as number[][]).map((row) => row.reduce((sum, each) => sum + Math.abs(each), 0));
      expectClose(perOutput, norms, 1e-10);
      expect(value).toBe(Math.max(...perOutput));
    }
  });

  it("follow weights that are written to", async () => {
    const weights = [[[1, -2]], [[3]]];
    const given = perceptron(
      weights.map((weight) => ({ weight })),
      activation("leakyRelu", { slope: 0.5 }),
    );
    const typed = new Float64Array([1, -2]);
    const shared: FeedForward = {
      layers: [linear(asTensor(typed).reshape([1, 2])), ...given.layers.slice(1)],
    };
    const around = boxAround([0, 0], 1);
    const of = async (network: FeedForward) => {
      const { value, lowerBound } = await localLipschitz(network, around);
      return [value, lowerBound, globalBound(network)[0]].map((each) => Math.round(each * 1e6) / 1e6);
    };
    expect([await of(given), await of(shared)]).toEqual([
      [9, 9, 9],
      [9, 9, 9],
    ]);
    weights[0][0][0] = 5;
    typed[1] = 4;
    expect(await of(given)).toEqual([21, 21, 21]);
    // A tensor may have copied them.
    const now = (await jacobian((x: Tensor) => evaluate(shared, x))(f64([[1, 1]]))).abs().sum().item();
    expect((await of(shared))[0]).toBeCloseTo(now, 5);
  });

  it("of a linear network are exact everywhere", async () => {
    const network: FeedForward = {
      layers: [
        linear([
          [1, -2],
          [0.5, 0],
        ]),
        linear([[3, 4]]),
      ],
    };
    const { value, status } = await localLipschitz(network, boxAround([0, 0], 10));
    expect(value).toBeCloseTo(5 + 6, 12);
    expect(status).toBe("converged");
    expect(globalBound(network)[0]).toBeCloseTo(11, 12);
  });

  it("of one hidden layer are the exact interval of each component", () => {
    const network = randomNetwork(7, [4, 9, 2]);
    const box = boxAround(centre(4), 0.3);
    const { lower, upper } = forwardBounds(network, box);
    const { layers } = checkNetwork("test", network);
    const [W1, W2] = layers.map(({ weight }) => weight);
    const bounds = jacobianBounds(network, box);
    for (let r = 0; r < 2; r++) {
      for (let j = 0; j < 4; j++) {
        let [least, most] = [0, 0];
        for (let i = 0; i < 9; i++) {
          const full = W2[r * 9 + i] * W1[i * 4 + j];
          const ends = [lower[0][i] > 0 ? full : 0, upper[0][i] < 0 ? 0 : full];
          least += Math.min(...ends);
          most += Math.max(...ends);
        }
        expect(bounds.lower.data()[r * 4 + j]).toBeCloseTo(least, 12);
        expect(bounds.upper.data()[r * 4 + j]).toBeCloseTo(most, 12);
      }
    }
  });

  it("along a direction keep the signs of their terms", () => {
    const monotone = perceptron(
      [
        {
          weight: [
            [1, 2, 0],
            [0.3, 1, 0.7],
          ],
          bias: [0.1, -0.3],
        },
        {
          weight: [
            [0.7, 0.1],
            [0.2, 0.9],
          ],
        },
        { weight: [[0.3, 0.6]] },
      ],
      activation("relu"),
    );
    const around = boxAround([0.1, 0, 0], 1);
    for (const direction of [
      [1, 0.5, 0.25],
      [1 / 3, 0, 0],
      [0, 1, 0],
    ]) {
      const forwards = jvpBounds(monotone, around, direction);
      const backwards = jvpBounds(
        monotone,
        around,
        direction.map((each) => -each),
      );
      expect(forwards.lower.item()).toBe(0);
      expect(backwards.upper.item() + 0).toBe(0);
      expect(forwards.upper.item()).toBeGreaterThan(0);
    }
    const { lower, upper } = jacobianBounds(monotone, around);
    const axis = jvpBounds(monotone, around, [0, 0, 1]);
    expect([axis.lower.item(), axis.upper.item()]).toEqual([lower.data()[2], upper.data()[2]]);
  });

  it("grow with eps, and do not depend on the order or the scale of hidden neurons", async () => {
    const network = randomNetwork(8, [4, 6, 6, 2]);
    let before = 0;
    for (const eps of [0, 0.01, 0.05, 0.2, 0.6]) {
      const { value } = await localLipschitz(network, boxAround(centre(4), eps), root);
      expect(value).toBeGreaterThanOrEqual(before);
      before = value;
    }
    const [a, b, c] = checkNetwork("test", network).layers;
    const order = [3, 1, 5, 0, 2, 4];
    const factor = [1, 2, 0.5, 3, 0.1, 7];
    const rows = ({ weight, columns }: typeof a) =>
      Array.from({ length: weight.length / columns }, (_, i) =>
        Array.from(weight.slice(i * columns, (i + 1) * columns)),
      );
    const moved = perceptron(
      [
        {
          weight: order.map((i, k) => rows(a)[i].map((w) => w * factor[k])),
          bias: order.map((i, k) => a.bias[i] * factor[k]),
        },
        { weight: rows(b).map((row) => order.map((i, k) => row[i] / factor[k])), bias: b.bias },
        { weight: rows(c), bias: c.bias },
      ],
      activation("relu"),
    );
    const box = boxAround(centre(4), 0.2);
    const [first, second] = [await localLipschitz(network, box, root), await localLipschitz(moved, box, root)];
    expectClose(second.perOutput, first.perOutput, 1e-10);
  });

  it("of a convolution are those of its matrix; of one output those of its row; of a difference those of the difference", async () => {
    const network = convNet(9);
    const box = boxAround(centre(25), 0.1);
    const whole = await localLipschitz(network, box, root);
    expectClose((await localLipschitz(foldLinear(network), box, root)).perOutput, whole.perOutput, 1e-9);
    const single = await localLipschitz(network, box, { ...root, outputs: [1] });
    expect(single.value).toBeCloseTo(whole.perOutput[1], 12);
    const difference = await localLipschitz(network, box, { ...root, combinations: [[1, -1]] });
    const layers = network.layers.concat(linear([[1, -1]]));
    const { value } = await localLipschitz({ ...network, layers }, box, root);
    expect(difference.value).toBeCloseTo(value, 10);
  });

  it("of layers that are less work than their matrix are those of the matrix", async () => {
    const rng = random.rng(12);
    const normal = (shape: number[], std: number) => rng.normal(shape, { std, dtype: "float64" });
    const statistics = { mean: normal([2], 1), variance: rng.uniform([2], { low: 0.5, high: 2, dtype: "float64" }) };
    const network: FeedForward = {
      inputShape: [1, 12, 12],
      layers: [
        convolution(normal([2, 1, 3, 3], 0.4), { padding: 1, bias: normal([2], 0.1) }),
        batchNorm({ ...statistics, scale: f64([-1, 2]), shift: f64([0.1, 0]) }),
        activation("relu"),
        averagePool(2),
        convolution(normal([4, 2, 3, 3], 0.4), {
          strides: 2,
          padding: [
            [0, 1],
            [1, 1],
          ],
        }),
        activation("tanh"),
        convolution(normal([4, 2, 2, 2], 0.5), { groups: 2, dilation: 2 }),
        flatten(),
        activation("relu"),
        linear(normal([3, 4], 0.5)),
      ],
    };
    const checked = checkNetwork("test", network);
    const keys = checked.layers.map(({ map }) => map.key);
    expect(keys.map((key) => key === "matrix")).toEqual([false, false, true, true]);
    for (const { map, W, rows, columns } of checked.layers) {
      const [x, y] = [normal([2, 3, columns], 1), normal([2, 3, rows], 1)];
      expectClose(map.push(map.numbers, x).data(), matmul(x, transpose(W)).data(), 1e-12);
      expectClose(map.pull(map.numbers, y).data(), matmul(y, W).data(), 1e-12);
      // Magnitudes of factors are at least those of the product.
      const [most, least] = [map.push(map.magnitudes, abs(x)), matmul(abs(x), transpose(abs(W)))].map((z) => z.data());
      for (const [i, value] of least.entries()) expect(most[i]).toBeGreaterThanOrEqual(value * (1 - 1e-12));
    }
    const box = boxAround(normal([144], 1), 0.05);
    const search = { maxDomains: 20, points: 5 };
    for (const precision of ["float64", "float32"] as const) {
      const own = await localLipschitz(network, box, { ...search, precision });
      const folded = await localLipschitz(foldLinear(network), box, { ...search, precision });
      expectClose(own.perOutput, folded.perOutput, precision === "float64" ? 1e-9 : 1e-3);
      expect(own.value).toBeGreaterThan(own.lowerBound);
    }
  });

  it("of maxima over windows, as convolutions of pairs beside values that pass, are those of the matrices", async () => {
    const rng = random.rng(14);
    const normal = (shape: number[], std: number) => rng.normal(shape, { std, dtype: "float64" });
    // max(a, b) = a + relu(b - a) of neighbours, in each of two channels: gain and base.
    const pairs = f64([0, 1].flatMap(() => [-1, 1, 1, 0])).reshape([4, 1, 1, 2]);
    const count = 10 * 5;
    const parts = (["relu", "identity", "relu", "identity"] as const).map((name) => ({
      activation: { kind: "scalar", name } as const,
      count,
    }));
    const network: FeedForward = {
      inputShape: [1, 12, 12],
      layers: [
        convolution(normal([2, 1, 3, 3], 0.4), { bias: normal([2], 0.1) }),
        activation("relu"),
        convolution(pairs, { groups: 2, strides: [1, 2] }),
        { kind: "mixed", parts },
        convolution(f64([1, 1, 1, 1]).reshape([2, 2, 1, 1]), { groups: 2 }),
        flatten(),
        linear(normal([6, 100], 0.2)),
        activation("relu"),
        linear(normal([2, 6], 0.5)),
      ],
    };
    const keys = checkNetwork("test", network).layers.map(({ map }) => map.key);
    expect(keys.slice(0, 2)).not.toContain("matrix");
    const box = boxAround(normal([144], 1), 0.05);
    const own = await localLipschitz(network, box, { maxDomains: 20, points: 5 });
    expectClose(
      own.perOutput,
      (await localLipschitz(foldLinear(network), box, { maxDomains: 20, points: 5 })).perOutput,
      1e-9,
    );
    for (const [r, seen] of sampleBound(network, box, { points: 200 }).entries())
      expect(own.perOutput[r]).toBeGreaterThan(seen);
  });

  it("are ordered: samples, exact, linear, RecurJac, FastLip, intervals, the product", async () => {
    const network = randomNetwork(10, [4, 7, 6, 2]);
    const box = boxAround(centre(4), 0.1);
    const exact = await exactBound(network, box);
    const samples = sampleBound(network, box, { points: 300 });
    const of = async (more: object) => (await localLipschitz(network, box, { ...root, ...more })).perOutput;
    const chain = [
      samples,
      exact,
      await of({}),
      await of({ relaxation: "recurjac" }),
      await of({ relaxation: "interval" }),
      await of({ relaxation: "interval", forward: "interval" }),
      globalBound(network),
    ];
    for (let k = 1; k < chain.length; k++) {
      for (const [r, value] of chain[k].entries()) expect(chain[k - 1][r]).toBeLessThanOrEqual(value * (1 + 1e-9));
    }
  });

  it("that samples give from below are of inputs beside a symmetric network's kinks", async () => {
    // x - relu(x) + relu(-x) = 0, but for the derivatives that are taken for those at 0.
    const carried = { activation: { kind: "scalar", name: "identity" }, count: 1 } as const;
    const parts = [{ activation: { kind: "scalar", name: "relu" }, count: 2 } as const, carried];
    const layers: Layer[] = [linear(f64([[1], [-1], [1]])), { kind: "mixed", parts }, linear(f64([[-1, 1, 1]]))];
    const around = boxAround([0], 1);
    expect(sampleBound({ layers }, around)[0]).toBe(0);
    expect((await localLipschitz({ layers }, around)).lowerBound).toBe(0);
    // Both ReLUs are active at 0 alone, and neither is: no gradient has these patterns.
    for (const each of [around, boxAround([0], 1e-30), boxAround([0], 0), boxAround([1e6], 1e6)])
      expect((await exactBound({ layers }, each))[0]).toBe(0);
  });

  it("of all patterns are the slopes of pieces, whatever their number and the size of the box", async () => {
    for (const radius of [1e-12, 1, 1e12]) {
      // Breaks at 0 (twice), at 0.3 and at 0.7 radii; the slopes of the pieces are found between them.
      const bias = f64([0, 0, -0.3 * radius, -0.7 * radius, 0]);
      const layers: Layer[] = [
        linear(f64([[1], [2], [1], [1], [-1]]), bias),
        activation("relu"),
        linear(f64([[1, -1, 3, -2, 0.5]])),
        activation("relu"),
        linear(f64([[2]])),
      ];
      const [exact] = await exactBound({ layers }, boxAround([0], radius));
      const at = (x: number) => {
        const h = [x, 2 * x, x - 0.3, x - 0.7, -x].map((z) => Math.max(0, z));
        return 2 * Math.max(0, h[0] - h[1] + 3 * h[2] - 2 * h[3] + 0.5 * h[4]);
      };
      let steepest = 0;
      for (let x = -0.9995; x < 1; x += 0.001)
        steepest = Math.max(steepest, Math.abs(at(x + 1e-4) - at(x - 1e-4)) / 2e-4);
      expect(exact).toBeCloseTo(steepest, 8);
    }
  });

  it("in float32 hold, and are those in float64 but for its digits", async () => {
    for (const [name, network] of cases) {
      const box = boxAround(centre(checkNetwork("test", network).inputs), 0.1);
      const [wide, narrow] = await Promise.all(
        (["float64", "float32"] as const).map((precision) => localLipschitz(network, box, { ...root, precision })),
      );
      for (const [r, value] of narrow.perOutput.entries()) {
        expect(value, name).toBeGreaterThanOrEqual(wide.perOutput[r]);
        expect(value, name).toBeLessThanOrEqual(wide.perOutput[r] * (1 + 1e-3));
      }
    }
  });

  it("of a residual network with branches that are empty left out are those of all patterns", async () => {
    const network = residualNet(7, "relu");
    const box = boxAround(centre(4), 0.15);
    const exact = await exactBound(network, box, { limit: 2 ** 14 });
    for (const [output, value] of exact.entries()) {
      const found = await localLipschitz(network, box, { outputs: [output], leafFeasibility: true, tolerance: 1e-9 });
      expect(found.value).toBeGreaterThanOrEqual(value * (1 - 1e-12));
      expect(found.value).toBeLessThanOrEqual(value * (1 + 1e-7));
    }
    // A value written as a difference of two ReLUs loses what an identity keeps.
    const wide = boxAround(centre(4), 0.3);
    const carried = (await localLipschitz(network, wide, root)).value;
    const asRelus: FeedForward = { layers: asDifferences(foldLinear(network)) };
    expect(2 * carried).toBeLessThan((await localLipschitz(asRelus, wide, root)).value);
  });

  it("what makes no sense is refused, by name", async () => {
    const network = randomNetwork(11, [3, 4, 2]);
    const box: Box = boxAround([0, 0, 0], 1);
    await expect(localLipschitz(network, { lower: [0, 0, 0], upper: [1, -1, 1] })).rejects.toThrow(
      /above box.upper -1/,
    );
    await expect(localLipschitz(network, { lower: [0, 0], upper: [1, 1] })).rejects.toThrow(/box.lower has 2 values/);
    await expect(localLipschitz(network, box, { norm: "l1" as never })).rejects.toThrow(/norm is "l1"/);
    await expect(localLipschitz(network, box, { outputs: [2] })).rejects.toThrow(/outputs is 2/);
    await expect(localLipschitz(network, box, { outputs: [0], combinations: [[1, 1]] })).rejects.toThrow(
      /give one of them/,
    );
    await expect(localLipschitz(network, box, { combinations: [[1]] })).rejects.toThrow(
      /combinations has shape \[1,1\]/,
    );
    expect(() => boxAround([0], -1)).toThrow(/eps is -1/);
    expect(() => boxAround([0, 1], [1, 1, 1])).toThrow(/eps has 3 values/);
    expect(() => boxAround([5], 1, { max: 1 })).toThrow(/min and max leave nothing of coordinate 0/);
    const sorted = perceptron([{ weight: [[1], [2]] }, { weight: [[1, 1]] }], activation("maxmin"));
    await expect(localLipschitz(sorted, boxAround([0], 1))).rejects.toThrow(/"maxmin" is no scalar function by name/);
    const broken = perceptron([{ weight: [[Number.NaN]] }, { weight: [[1]] }], activation("relu"));
    await expect(localLipschitz(broken, boxAround([0], 1))).rejects.toThrow(/finite/);
    const smooth = randomNetwork(12, [3, 4, 2], "tanh");
    await expect(localLipschitz(smooth, box, { leafFeasibility: true })).rejects.toThrow(
      /leafFeasibility needs activations/,
    );
    await expect(exactBound(smooth, box)).rejects.toThrow(/linear on both sides of 0/);
    expect(() => jvpBounds(network, box, [1])).toThrow(/direction has 1 values/);
    expect(() => jvpBounds(network, box, [1, Number.NaN, 0])).toThrow(/direction holds NaN at position 1/);
    expect(() => forwardBounds(network, box, { method: "lp" as never })).toThrow(/method is "lp"/);
    await expect(exactBound(network, box, { limit: Number.NaN })).rejects.toThrow(/limit is NaN/);
    await expect(localLipschitz(network, null as never)).rejects.toThrow(/box is null/);
    await expect(localLipschitz(network, { lower: [0, 0, 0], uper: [1, 1, 1] } as never)).rejects.toThrow(
      /box: there is no option "uper"; did you mean "upper"/,
    );
    await expect(localLipschitz(network, { ...box, eps: 1 } as never)).rejects.toThrow(/there is no option "eps"/);
    expect(() => boxAround([0], 1, { min: Number.NaN })).toThrow(/min holds NaN/);
    expect(() => boxAround([], 1)).toThrow(/x0 is empty/);
    expect(() => boxAround(undefined as never, 1)).toThrow(/x0 holds no numbers/);
    expect(() => jvpBounds(network, box, undefined as never)).toThrow(/direction holds no numbers/);
    expect(() => jacobianBounds(network, box, { outputs: 1 as never })).toThrow(/outputs is 1; give an array/);
    expect(() => sampleBound(network, box, { norm: "l1" as never })).toThrow(/norm is "l1"/);
    await expect(localLipschitz(network, box, { leafFeasibility: "yes" as never })).rejects.toThrow(
      /leafFeasibility is "yes"/,
    );
    for (const idle of [{ maxDomains: 9 }, { heuristic: "babsr" }, { leafFeasibility: true }] as const) {
      await expect(localLipschitz(network, box, { relaxation: "recurjac", ...idle })).rejects.toThrow(
        `${Object.keys(idle)[0]} does nothing with relaxation "recurjac", which is never branched`,
      );
    }
    const forward = "interval";
    await expect(localLipschitz(network, box, { forward, optimizeSlopes: true })).rejects.toThrow(
      /optimizeSlopes does nothing with forward "interval"/,
    );
    expect(() => jacobianBounds(network, box, { forward, optimizeSlopes: {} })).toThrow(/optimizeSlopes does nothing/);
    expect(() => forwardBounds(network, box, { method: forward, optimizeSlopes: true })).toThrow(
      /optimizeSlopes does nothing with method "interval"/,
    );
    expect(() => forwardBounds(network, box, { optimizeSlopes: { step: 3 } as never })).toThrow(/did you mean "steps"/);
  });
});
