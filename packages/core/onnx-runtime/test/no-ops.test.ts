import {
  add,
  div,
  jit,
  matmul,
  mean,
  mul,
  pow,
  relu,
  sigmoid,
  sin,
  sub,
  type Tensor,
  tensor,
  trace,
} from "@offprint/tensor-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type OnnxRuntime, onnxRuntime } from "../src/index.js";
import { lowerGraph } from "../src/lowering/index.js";

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

/** Operations that do nothing, to what the engine computes before them. */
const nothings: [string, (x: Tensor) => Tensor][] = [
  ["x + 0", (x) => add(x, 0)],
  ["0 + x", (x) => add(0, x)],
  ["x - 0", (x) => sub(x, 0)],
  ["x * 1", (x) => mul(x, 1)],
  ["1 * x", (x) => mul(1, x)],
  ["x / 1", (x) => div(x, 1)],
  ["x ** 1", (x) => pow(x, 1)],
  ["the mean of one element", (x) => mean(x.reshape([3, 1]), { axis: 1 })],
];
const reciprocals: [string, (x: Tensor) => Tensor][] = [
  ["1 / x", (x) => div(1, x)],
  ["sigmoid(x)", (x) => sigmoid(x)],
];

it.each(nothings)("%s before a product with a reciprocal compiles and is left out", async (_, nothing) => {
  const x = tensor([0.5, -1, 2]);
  for (const [, reciprocal] of reciprocals) {
    for (const before of [sin, relu]) {
      const f = (v: Tensor) => mul(nothing(before(v)), reciprocal(v));
      const [eager, compiled] = [f(x).data(), (await jit(f, { backend })(x)).data()];
      for (let k = 0; k < 3; k++) expect(compiled[k]).toBeCloseTo(eager[k], 6);
    }
  }
  const graph = lowerGraph(
    trace((v: Tensor) => nothing(sin(v)), x),
    { device: "cpu" },
  );
  expect(graph.nodes.filter(({ operator }) => ["Add", "Sub", "Mul", "Div", "Pow"].includes(operator))).toEqual([]);
});

it("what stands behind them stays what it is", async () => {
  const f = (x: Tensor) => {
    const product = mul(matmul(x, x), 1);
    const turned = add(x.transpose(), 0);
    const wide = mul(x, tensor([[[1]], [[1]]]));
    return [add(product, product), matmul(turned, x), add(turned, x), wide];
  };
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const compiled: Tensor[] = await jit(f, { backend })(x);
  expect(compiled.map((y) => y.toArray())).toEqual(f(x).map((y) => y.toArray()));
});
