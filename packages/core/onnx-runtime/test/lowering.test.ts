import {
  add,
  grad,
  matmul,
  mean,
  mul,
  reshape,
  scan,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  trace,
  transpose,
  zeros,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { lowerGraph, lowerings } from "../src/lowering/index.js";
import type { GraphBuilder } from "../src/model/graph-builder.js";

const spec = (...shape: number[]) => ({ shape, dtype: "float32" }) as const;

function lowered(f: (...xs: any[]) => any, ...specs: unknown[]): GraphBuilder {
  return lowerGraph(trace(f, ...specs), { device: "cpu" });
}

/** Operators in order. */
const operators = (graph: GraphBuilder) => graph.nodes.map((node) => node.operator);

describe("what consumers take for free is not written out", () => {
  it("broadcasts", () => {
    const graph = lowered((x: Tensor, b: Tensor) => mul(add(x, b), 2), spec(4, 3), spec(3));
    expect(operators(graph)).toEqual(["Add", "Mul"]);
  });
  it("transposes of products, also with bias", () => {
    const f = (x: Tensor, w: Tensor, b: Tensor) => add(matmul(x, transpose(w)), b);
    const graph = lowered(f, spec(4, 3), spec(5, 3), spec(5));
    expect(operators(graph)).toEqual(["Gemm"]);
    expect(graph.nodes[0].attributes).toMatchObject({ transA: 0, transB: 1 });
  });
  it("reshapes of reshapes", () => {
    const f = (x: Tensor) => reshape(reshape(reshape(x, [6]), [3, 2]), [1, 6]).neg();
    expect(operators(lowered(f, spec(2, 3)))).toEqual(["Reshape", "Neg"]);
    expect(operators(lowered((x: Tensor) => reshape(reshape(x, [6]), [2, 3]).neg(), spec(2, 3)))).toEqual(["Neg"]);
  });
});

describe("constants", () => {
  it("that repeat along an axis are stored once", () => {
    const row = tensor([1, 2, 3]).broadcastTo([1000, 3]);
    const graph = lowered((x: Tensor) => add(x, row), spec(1000, 3));
    expect(graph.initializers.map(({ data }) => data.length)).toEqual([3]);
  });
  it("that repeat are never written out, however large the whole is", () => {
    const graph = lowered((x: Tensor) => mul(x, 0.3), spec(1 << 16, 1 << 16, 4));
    expect(graph.initializers.map(({ data }) => data.length)).toEqual([1]);
  });
  it("of bodies of loops live in the outermost graph", () => {
    const f = (xs: Tensor) =>
      scan((c: Tensor, x: Tensor): [Tensor, Tensor] => [add(mul(c, 0.3), x), c], zeros([2]), xs)[0];
    const graph = lowered(f, spec(5, 2));
    const body = graph.nodes.find((node) => node.operator === "Loop")?.attributes.body as GraphBuilder;
    expect(body.nodes.map((node) => node.operator)).toContain("Gather");
    expect(graph.initializers.some(({ data }) => Math.fround(0.3) === data[0])).toBe(true);
  });
});

describe("tensors without elements", () => {
  it("are constants, whatever would compute them", () => {
    const graph = lowered((x: Tensor) => ({ a: matmul(x, transpose(x)), b: sum(x, { axis: 1 }) }), spec(0, 3));
    expect(operators(graph)).toEqual(["Identity", "Identity"]);
  });
  it("make products and sums of zeros", () => {
    const graph = lowered((x: Tensor) => matmul(x, transpose(x)), spec(2, 0));
    expect(graph.initializers.some(({ data }) => data.length > 0 && data[0] === 0)).toBe(true);
    expect(operators(graph)).not.toContain("Gemm");
  });
});

it("a gradient step needs no transposed copies of its operands", () => {
  const loss = (w: Tensor, x: Tensor, y: Tensor) => mean(square(sub(matmul(x, w), y)));
  const step = (w: Tensor, x: Tensor, y: Tensor) => sub(w, mul(grad(loss)(w, x, y) as Tensor, 0.1));
  const graph = lowered(step, spec(8, 4), spec(16, 8), spec(16, 4));
  expect(operators(graph)).not.toContain("Transpose");
  expect(operators(graph)).not.toContain("Expand");
});

it("a primitive that nobody knows is refused by name", () => {
  const graph = trace((x: Tensor) => x.neg(), spec(2));
  const foreign = { ...graph.equations[0], primitive: { ...graph.equations[0].primitive, name: "foreign" } };
  Object.assign(graph, { equations: [foreign] });
  expect(() => lowerGraph(graph, { device: "cpu" })).toThrow(/^foreign: this primitive has no ONNX lowering/);
  expect("foreign" in lowerings).toBe(false);
});
