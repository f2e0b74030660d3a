import { grad, jit, mul, random, square, sum, type Tensor, take, tensor, trace, vmap } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  batch,
  collect,
  directed,
  edgeSoftmax,
  edgeSoftmaxBySource,
  erdosRenyi,
  type Graph,
  gatherSources,
  gatherTargets,
  readout,
  sampledProduct,
  spmm,
  undirected,
} from "../src/index.js";

/** A graph with a hub, a chain, isolated nodes, a loop and a parallel edge. */
function uneven(): Graph {
  const pairs: number[][] = [
    [0, 0],
    [3, 4],
    [3, 4],
    [4, 5],
    [5, 6],
  ]; // prettier-ignore
  for (let i = 1; i < 12; i++) pairs.push([i, 0]);
  return directed(pairs, 14);
}

function dense(g: Graph, values: ArrayLike<number>): number[][] {
  const a = Array.from({ length: g.nodes }, () => new Array<number>(g.nodes).fill(0));
  for (let e = 0; e < g.edges; e++) a[g.targets[e]][g.sources[e]] += values[e];
  return a;
}

const rng = random.rng("message passing");
const normal = (shape: number[]) => rng.normal(shape, { dtype: "float64" });

describe("spmm", () => {
  const g = uneven();
  const values = normal([g.edges]);
  const x = normal([g.nodes, 3]);
  const matrix = tensor(dense(g, values.data()), { dtype: "float64" });

  it("is the sparse matrix times the features, and its transpose", () => {
    expectClose(spmm(g, values, x), matrix.matmul(x), { absolute: 1e-12 });
    expectClose(spmm(g, values, x, { flow: "backward" }), matrix.transpose().matmul(x), { absolute: 1e-12 });
  });

  it("acts head by head", () => {
    const heads = normal([g.edges, 2]);
    const z = normal([g.nodes, 2, 3]);
    const whole = spmm(g, heads, z);
    for (const h of [0, 1]) {
      const one = spmm(g, take(heads, h, { axis: 1 }), take(z, h, { axis: 1 }));
      expectClose(take(whole, h, { axis: 1 }), one, { absolute: 1e-12 });
    }
  });

  it("has the gradients of the dense product, also along the transposed edges", () => {
    for (const flow of ["forward", "backward"] as const) {
      const loss = (v: Tensor, z: Tensor) => sum(square(spmm(g, v, z, { flow })));
      const denseLoss = (v: Tensor, z: Tensor) => {
        const [row, column] = flow === "forward" ? [g.targets, g.sources] : [g.sources, g.targets];
        const messages = mul(take(z, column), v.reshape([g.edges, 1]));
        const out = Array.from(
          { length: g.nodes },
          (_, i) =>
            sum(
              mul(
                messages,
                tensor(
                  Float64Array.from(row, (t) => (t === i ? 1 : 0)),
                  { shape: [g.edges, 1] },
                ),
              ),
              { axis: 0 },
            ), // prettier-ignore
        );
        return out.map((o) => sum(square(o))).reduce((a, b) => a.add(b));
      };
      const [gv, gz] = grad((p: Tensor[]) => loss(p[0], p[1]))([values, x]) as Tensor[];
      const [dv, dz] = grad((p: Tensor[]) => denseLoss(p[0], p[1]))([values, x]) as Tensor[];
      expectClose(gv, dv, { absolute: 1e-10 });
      expectClose(gz, dz, { absolute: 1e-10 });
    }
  });

  it("differentiates twice", () => {
    const f = (v: Tensor) => sum(square(square(spmm(g, v, x))));
    const direction = normal([g.edges]);
    const second = grad((v: Tensor) => sum(mul(grad(f)(v) as Tensor, direction)))(values) as Tensor;
    const h = 1e-5;
    const up = grad(f)(values.add(direction.mul(h))) as Tensor;
    const down = grad(f)(values.sub(direction.mul(h))) as Tensor;
    expectClose(second, up.sub(down).div(2 * h), { absolute: 1e-4 });
  });

  it("gives the same in traced graphs, with gradients, for known and for traced values", async () => {
    const loss = (p: Tensor[]) => sum(square(spmm(g, p[0], p[1])));
    const eager = grad(loss)([values, x]) as Tensor[];
    const compiled = (await jit(grad(loss) as any)([values, x])) as Tensor[];
    expectClose(compiled[0], eager[0], { absolute: 1e-11 });
    expectClose(compiled[1], eager[1], { absolute: 1e-11 });
    const fixed = trace((z: Tensor) => spmm(g, values, z), { shape: x.shape, dtype: "float64" });
    expect(fixed.toString()).not.toContain("scatter");
    expectClose(fixed.apply([x])[0], spmm(g, values, x), { absolute: 1e-12 });
  });

  it("maps over batches of values and of features", () => {
    const many = normal([4, g.edges]);
    const mapped = vmap((v: Tensor) => spmm(g, v, x))(many);
    for (let k = 0; k < 4; k++) expectClose(take(mapped, k), spmm(g, take(many, k), x), { absolute: 1e-12 });
    const gradients = vmap((v: Tensor) => grad((w: Tensor) => sum(square(spmm(g, w, x))))(v))(many) as Tensor;
    expectClose(take(gradients, 2), grad((w: Tensor) => sum(square(spmm(g, w, x))))(take(many, 2)) as Tensor, {
      absolute: 1e-11,
    });
  });

  it("works in float32, on graphs without edges, and tells shapes that do not fit", () => {
    expect(spmm(g, Float32Array.from(values.data()), x.data().length ? normal([14, 2]) : x).dtype).toBe("float64");
    const empty = directed(tensor(new Int32Array(0), { shape: [0, 2] }), 3);
    expect(spmm(empty, new Float64Array(0), normal([3, 2])).toArray()).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]); // prettier-ignore
    expect(() => spmm(g, new Float64Array(2), x)).toThrow(/one per edge/);
    expect(() => spmm(g, values, normal([3, 2]))).toThrow(/one per node/);
    expect(() => spmm(g, normal([g.edges, 2]), x)).toThrow(/do not fit/);
  });

  it("does not let a non-finite row reach nodes that do not read it", () => {
    const bad = tensor(
      Float64Array.from(x.data(), (v, i) => (i < 3 ? Infinity : v)),
      { shape: [14, 3] },
    );
    const fixed = trace((z: Tensor) => spmm(g, values, z), { shape: x.shape, dtype: "float64" });
    expect(Array.from(fixed.apply([bad])[0].data().slice(3)).every(Number.isFinite)).toBe(true);
  });

  it("samples dense products at edges", () => {
    const y = normal([14, 3]);
    const full = y.matmul(x.transpose()).data();
    const sampled = sampledProduct(g, y, x).data();
    for (let e = 0; e < g.edges; e++) expect(sampled[e]).toBeCloseTo(full[g.targets[e] * 14 + g.sources[e]], 12);
  });

  it("agrees in the rectangles of a large uneven graph", () => {
    const big = erdosRenyi(300, 0.05, random.rng(1));
    const v = normal([big.edges]);
    const z = normal([300, 4]);
    const traced = trace((p: Tensor) => spmm(big, v, p), { shape: z.shape, dtype: "float64" });
    expectClose(traced.apply([z])[0], spmm(big, v, z), { absolute: 1e-11 });
  });
});

describe("messages", () => {
  const g = undirected(
    [
      [0, 1],
      [1, 2],
    ],
    4,
  ); // prettier-ignore
  const x = tensor([[1], [2], [4], [8]], { dtype: "float64" });

  it("gathers at both ends and collects by sum, mean and maximum", () => {
    expect(gatherSources(g, x).toArray()).toEqual([[1], [2], [2], [4]]);
    expect(gatherTargets(g, x).toArray()).toEqual([[2], [4], [1], [2]]);
    const messages = gatherSources(g, x);
    expect(collect(g, messages).toArray()).toEqual([[2], [5], [2], [0]]);
    expect(collect(g, messages, "mean").toArray()).toEqual([[2], [2.5], [2], [0]]);
    expect(collect(g, messages, "max").toArray()).toEqual([[2], [4], [2], [0]]);
  });

  it("softmaxes over the edges of a node, whatever their size", () => {
    const logits = tensor([1e4, 0, -1e4, 1e4 + Math.log(3)], { dtype: "float64" });
    const into = collect(g, edgeSoftmax(g, logits)).data();
    expect([...into]).toEqual([1, 1, 1, 0]);
    const shared = edgeSoftmax(g, logits).data();
    expect(shared[0]).toBeCloseTo(0.25, 10);
    const out = spmm(g, edgeSoftmaxBySource(g, logits), tensor(new Float64Array(4).fill(1), { shape: [4, 1] }), {
      flow: "backward",
    }); // prettier-ignore
    expect([...out.data()]).toEqual([1, 1, 1, 0]);
  });

  it("reads out each graph of a batch", () => {
    const both = batch([directed([[0, 1]], 2), directed([[0, 1]], 3)]);
    const features = tensor([[1], [2], [3], [4], [5]], { dtype: "float64" });
    expect(readout(both, features).toArray()).toEqual([[3], [12]]);
    expect(readout(both, features, "mean").toArray()).toEqual([[1.5], [4]]);
    expect(readout(both, features, "max").toArray()).toEqual([[2], [5]]);
    expect(readout(g, x).toArray()).toEqual([[15]]);
  });
});

describe("dense products sampled at edges", () => {
  it("have the same gradient traced as in memory, without scattering", async () => {
    const g = uneven();
    const [a, b] = [normal([14, 3]), normal([14, 3])];
    const loss = (p: Tensor[]) => sum(square(sampledProduct(g, p[0], p[1])));
    const eager = grad(loss)([a, b]) as Tensor[];
    const compiled = (await jit(grad(loss) as any)([a, b])) as Tensor[];
    expectClose(compiled[0], eager[0], { absolute: 1e-11 });
    expectClose(compiled[1], eager[1], { absolute: 1e-11 });
    const spec = { shape: [14, 3], dtype: "float64" };
    expect(trace(grad(loss) as any, [spec, spec]).toString()).not.toContain("scatter");
  });
});
