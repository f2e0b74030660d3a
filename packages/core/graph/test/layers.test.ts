import { largestDifference } from "@offprint/claims";
import { karateClub } from "@offprint/datasets";
import { mlp } from "@offprint/nn";
import {
  add,
  concatenate,
  expandDims,
  grad,
  jit,
  linalg,
  mul,
  pad,
  random,
  slice,
  square,
  sum,
  type Tensor,
  take,
  tensor,
  tree,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  adjacency,
  attentiveMessagePassing,
  batch,
  collect,
  directed,
  edgeListOf,
  Graph,
  type GraphTensors,
  gat,
  gcn,
  gin,
  graphTensors,
  meanAdjacency,
  normalizedAdjacency,
  type Propagation,
  readout,
  sage,
  undirected,
} from "../src/index.js";

const rng = random.rng("layers");
const normal = (shape: number[]) => rng.normal(shape, { dtype: "float64" });

function denseOf({ graph, values }: Propagation): Tensor {
  const out = new Float64Array(graph.nodes ** 2);
  for (let e = 0; e < graph.edges; e++) out[graph.targets[e] * graph.nodes + graph.sources[e]] += values[e];
  return tensor(out, { shape: [graph.nodes, graph.nodes] });
}

const club = karateClub();
const karate = undirected(club.edges, club.nodes);
const graph = directed(
  [
    [0, 1],
    [1, 0],
    [2, 1],
    [3, 4],
    [4, 4],
    [1, 3],
    [0, 1],
  ],
  6,
); // prettier-ignore

describe("normalised adjacency", () => {
  it("of the karate club has the known spectrum, sum and trace", () => {
    const a = denseOf(normalizedAdjacency(karate));
    const spectrum = linalg.eigh(a).values.data();
    expect(spectrum[0]).toBeCloseTo(-0.42011027, 8);
    expect(spectrum[33]).toBeCloseTo(1, 12);
    expect(spectrum[32]).toBeCloseTo(0.89614205, 8);
    expect(sum(a).item()).toBeCloseTo(30.70205135, 8);
    expect(linalg ? Array.from({ length: 34 }, (_, i) => a.data()[i * 35]).reduce((p, q) => p + q) : 0).toBeCloseTo(
      8.03459221,
      8,
    );
    expect(karate.degree("in")[0]).toBe(16);
    expect(karate.degree("in")[33]).toBe(17);
  });

  it("weighs edges, and refuses negative weights", () => {
    const weighted = undirected([[0, 1]], 2, { weights: [3] });
    expect([...normalizedAdjacency(weighted).values]).toEqual([0.75, 0.75, 0.25, 0.25]);
    expect(() => normalizedAdjacency(directed([[0, 1]], 2, { weights: [-1] }))).toThrow(/weights must be >= 0/);
    expect([
      ...meanAdjacency(
        directed(
          [
            [0, 2],
            [1, 2],
          ],
          3,
          { weights: [1, 3] },
        ),
      ).values,
    ]).toEqual([0.25, 0.75]); // prettier-ignore
  });

  it("is computed once for a graph", () => {
    expect(normalizedAdjacency(karate)).toBe(normalizedAdjacency(karate));
    expect(adjacency(karate).values.every((v) => v === 1)).toBe(true);
  });
});

const x = normal([6, 5]);

describe("gcn", () => {
  it.each([
    [5, 3],
    [5, 8],
  ])("is A_hat x W + b, whichever product comes first: %i to %i", (inputs, outputs) => {
    // prettier-ignore
    const layer = gcn({ inputs, outputs });
    const params = { ...layer.init(rng, "float64"), bias: normal([outputs]) };
    const a = denseOf(normalizedAdjacency(graph));
    expect(
      largestDifference(layer.apply(params, x, graph), add(a.matmul(x).matmul(params.weight), params.bias)),
    ).toBeLessThan(1e-12); // prettier-ignore
    const cached = layer.transform?.(params, layer.aggregate?.(x, graph) as Tensor) as Tensor;
    expect(largestDifference(cached, layer.apply(params, x, graph))).toBeLessThan(1e-12);
  });
});

describe("sage", () => {
  it("adds the mean of the neighbours and the node itself", () => {
    for (const outputs of [3, 8]) {
      const layer = sage({ inputs: 5, outputs });
      const params = layer.init(rng, "float64");
      const means = denseOf(meanAdjacency(graph)).matmul(x);
      const expected = add(add(means.matmul(params.neighbourWeight), params.bias), x.matmul(params.ownWeight));
      expect(largestDifference(layer.apply(params, x, graph), expected)).toBeLessThan(1e-12);
      const cached = layer.transform?.(params, layer.aggregate?.(x, graph) as any) as Tensor;
      expect(largestDifference(cached, expected)).toBeLessThan(1e-12);
    }
  });

  it("gives a node without neighbours only its own part", () => {
    const layer = sage({ inputs: 5, outputs: 4 });
    const params = layer.init(rng, "float64");
    const alone = take(layer.apply(params, x, graph), 5);
    expect(largestDifference(alone, add(take(x, 5).matmul(params.ownWeight), params.bias))).toBeLessThan(1e-12);
  });
});

describe("gat", () => {
  it("attends with weights that add up to one for each node and head", () => {
    const layer = gat({ inputs: 5, outputs: 8, heads: 4 });
    const { graph: looped, coefficients } = layer.attention(layer.init(rng, "float64"), x, graph);
    const sums = collect(looped, coefficients);
    expect(sums.shape).toEqual([6, 4]);
    for (const total of sums.data()) expect(total).toBeCloseTo(1, 12);
  });

  it.each(["concat", "mean"] as const)("is attention written out, heads by %s", (combine) => {
    const layer = gat({ inputs: 5, outputs: 4, heads: 2, combine });
    const params = { ...layer.init(rng, "float64"), bias: normal([4]) };
    const width = combine === "concat" ? 2 : 4;
    const z = x.matmul(params.weight).toArray() as number[][];
    const [s, t] = [params.sourceAttention, params.targetAttention].map((a) => a.toArray() as number[][]);
    const dot = (a: number[], b: number[]) => a.reduce((total, v, i) => total + v * b[i], 0);
    const heads = [0, 1].map((h) => {
      const own = z.map((row) => row.slice(h * width, (h + 1) * width));
      return own.map((_, i) => {
        const near = [
          ...Array.from(graph.sources.keys())
            .filter((e) => graph.targets[e] === i && graph.sources[e] !== i)
            .map((e) => graph.sources[e]),
          i,
        ]; // prettier-ignore
        const e = near.map((j) => dot(s[h], own[j]) + dot(t[h], own[i])).map((v) => Math.exp(v > 0 ? v : 0.2 * v));
        const total = e.reduce((a, b) => a + b);
        return own[0].map((_, k) => near.reduce((sum, j, n) => sum + (e[n] / total) * own[j][k], 0));
      });
    });
    const bias = params.bias.data();
    const expected = z.map((_, i) => {
      const row =
        combine === "concat" ? [...heads[0][i], ...heads[1][i]] : heads[0][i].map((v, k) => (v + heads[1][i][k]) / 2);
      return row.map((v, k) => v + bias[k]);
    });
    const y = layer.apply(params, x, graph);
    expect(largestDifference(y, tensor(expected, { dtype: "float64" }))).toBeLessThan(1e-12);
  });

  it("refuses heads that do not divide the width", () => {
    expect(() => gat({ inputs: 4, outputs: 6, heads: 4 })).toThrow(/do not divide/);
    expect(() => gat({ inputs: 4, outputs: 6, heads: 0 })).toThrow(/heads/);
  });
});

describe("gin", () => {
  it("is a perceptron of (1 + epsilon) x_i and the sum of the neighbours", () => {
    const layer = gin({ inputs: 5, outputs: 3 });
    const params = { ...layer.init(rng, "float64"), epsilon: tensor(0.5, { dtype: "float64" }) };
    const summed = add(mul(x, 1.5), denseOf(adjacency(graph)).matmul(x));
    const expected = mlp({ sizes: [5, 3, 3] }).apply(params.network, summed);
    expect(largestDifference(layer.apply(params, x, graph), expected)).toBeLessThan(1e-12);
    expect(gin({ inputs: 5, outputs: 3, learnEpsilon: false }).init(rng).epsilon).toBeUndefined();
  });
});

describe("attentive message passing", () => {
  it("is the encoder's layer written out", () => {
    const layer = attentiveMessagePassing({ nodeInputs: 5, edgeInputs: 2, nodeOutputs: 3, hidden: [4] });
    const params = layer.init(rng, "float64");
    const z = normal([graph.edges, 2]);
    const { nodes, edges } = layer.apply(params, x, z, graph);
    const network = (to: number, from: number) =>
      mlp({ sizes: [from, 4, to], activation: "leakyRelu", outputActivation: "leakyRelu" });
    const joint = concatenate([z, take(x, graph.sources), take(x, graph.targets)], 1);
    const messages = network(3, 12).apply(params.edge, joint);
    expect(largestDifference(edges, messages)).toBeLessThan(1e-12);
    const logits = network(1, 12).apply(params.attention, joint).data();
    const arrived = Array.from({ length: 6 }, (_, i) => {
      const into = Array.from(graph.targets.keys()).filter((e) => graph.targets[e] === i);
      const total = into.reduce((s, e) => s + Math.exp(logits[e]), 0);
      return [0, 1, 2].map((k) =>
        into.reduce((s, e) => s + (Math.exp(logits[e]) / total) * messages.data()[e * 3 + k], 0),
      ); // prettier-ignore
    });
    const expected = network(3, 8).apply(params.node, concatenate([tensor(arrived, { dtype: "float64" }), x], 1));
    expect(largestDifference(nodes, expected)).toBeLessThan(1e-12);
    expect(() => layer.apply(params, x, normal([2, 2]), graph)).toThrow(/edges have shape/);
  });

  it("may have perceptrons of one layer", () => {
    const layer = attentiveMessagePassing({
      ...{ nodeInputs: 5, edgeInputs: 2, nodeOutputs: 3, hidden: [] },
      outputActivation: "tanh",
    });
    const own = random.rng("one layer");
    const params = layer.init(own, "float64");
    const z = own.normal([graph.edges, 2], { dtype: "float64" });
    const joint = concatenate([z, take(x, graph.sources), take(x, graph.targets)], 1);
    const expected = mlp({ sizes: [12, 3], outputActivation: "tanh" }).apply(params.edge, joint);
    expect(largestDifference(layer.apply(params, x, z, graph).edges, expected)).toBeLessThan(1e-12);
  });

  it("serves graphs that are arguments of a compiled function, filled up to the same extents", async () => {
    const layer = attentiveMessagePassing({
      nodeInputs: 5,
      edgeInputs: 2,
      nodeOutputs: 3,
      hidden: [4],
      reduction: "max",
    });
    const params = layer.init(rng, "float64");
    const filled = (values: Tensor, rows: number) =>
      pad(values, [
        [0, rows - values.shape[0]],
        [0, 0],
      ]); // prettier-ignore
    const run = jit((lists: GraphTensors, nodes: Tensor, edges: Tensor) => {
      const list = edgeListOf(lists);
      const out = layer.apply(params, nodes, edges, list);
      return { ...out, read: readout(list, mul(out.nodes, expandDims(lists.nodeMask, 1))) };
    });
    const other = directed(
      [
        [0, 1],
        [1, 2],
        [2, 0],
        [0, 2],
      ],
      3,
    ); // prettier-ignore
    for (const g of [graph, other]) {
      const [nodes, edges] = [normal([g.nodes, 5]), normal([g.edges, 2])];
      const lists = graphTensors(g, { nodes: 9, edges: 20, graphs: 2, dtype: "float64" });
      const got = await run(lists, filled(nodes, 9), filled(edges, 20));
      const expected = layer.apply(params, nodes, edges, g);
      expect(largestDifference(slice(got.nodes, [{ stop: g.nodes }]), expected.nodes)).toBeLessThan(1e-12);
      expect(largestDifference(slice(got.edges, [{ stop: g.edges }]), expected.edges)).toBeLessThan(1e-12);
      expect(largestDifference(slice(got.read, [{ stop: 1 }]), readout(g, expected.nodes))).toBeLessThan(1e-12);
    }
    expect(() => graphTensors(other, { edges: 5 })).toThrow(/nodes is 3; give at least 4/);
    expect(() => graphTensors(other, { nodes: 2 })).toThrow(/nodes/);
    expect(() => graphTensors(batch([other, other]), { nodes: 7 })).toThrow(/graphs is 2; give at least 3/);
    expect(() => readout({ ...edgeListOf(graphTensors(other)), graphs: undefined }, normal([3, 1]))).toThrow(
      /give graphs/,
    );
  });
});

const layers = {
  gcn: () => gcn({ inputs: 5, outputs: 4 }),
  sage: () => sage({ inputs: 5, outputs: 4 }),
  gat: () => gat({ inputs: 5, outputs: 4, heads: 2 }),
  gin: () => gin({ inputs: 5, outputs: 4 }),
};

describe.each(Object.entries(layers))("%s", (_, make) => {
  const layer = make();
  const params = layer.init(rng, "float64");

  it("does not care how nodes are numbered", () => {
    const order = [3, 0, 5, 1, 4, 2];
    const place = order.map((_, i) => order.indexOf(i));
    const renumbered = new Graph(
      6,
      Array.from(graph.sources, (s) => place[s]),
      Array.from(graph.targets, (t) => place[t]),
    ); // prettier-ignore
    const moved = layer.apply(params as never, take(x, order), renumbered);
    expect(largestDifference(moved, take(layer.apply(params as never, x, graph), order))).toBeLessThan(1e-12);
  });

  it("has the gradient of finite differences, eagerly and compiled", async () => {
    const weights = normal([6, 4]);
    const loss = (p: any) => sum(mul(square(layer.apply(p.params, p.x, graph)), weights));
    const at = { params, x };
    const gradient = grad(loss)(at as any) as any;
    const direction = tree.map((leaf: Tensor) => normal([...leaf.shape]), at) as any;
    const h = 1e-5;
    const moved = (s: number) =>
      loss(tree.map((leaf: Tensor, d: Tensor) => add(leaf, mul(d, s)), at, direction)).item();
    const expected = (moved(h) - moved(-h)) / (2 * h);
    const slope = tree.leaves<Tensor>(tree.map((g: Tensor, d: Tensor) => sum(mul(g, d)), gradient, direction));
    const actual = slope.reduce((total, s) => total + s.item(), 0);
    expect(Math.abs(actual - expected) / Math.abs(expected)).toBeLessThan(1e-6);
    const compiled = (await jit(grad(loss) as any)(at as any)) as any;
    tree.map((a: Tensor, b: Tensor) => expect(largestDifference(a, b)).toBeLessThan(1e-10), compiled, gradient);
  });

  it("names the shape that does not fit", () => {
    expect(() => layer.apply(params as never, normal([6, 4]), graph)).toThrow(/must be \[6, 5\]/);
  });
});
