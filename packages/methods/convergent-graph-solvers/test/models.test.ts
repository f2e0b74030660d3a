import { batch, directed } from "@offprint/graph";
import { type LinearParams, loadParameters, mlp, saveParameters } from "@offprint/nn";
import { sgd } from "@offprint/optim";
import {
  asTensor,
  type Backend,
  concatenate,
  hostBackend,
  mul,
  random,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tree,
  valueAndGrad,
  zeros,
} from "@offprint/tensor-core";
import { expectClose, f64, slopeAlong } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { filledBatch, inputOf, roundedUp, usualExtents } from "../src/batches.js";
import { ontoL1Ball } from "../src/implicit-graph-network.js";
import {
  convergentGraphSolver,
  decisionSample,
  fitGraphModel,
  type GraphModel,
  type GraphSample,
  graphNetwork,
  implicitGraphNetwork,
  predict,
  randomDecisionGraph,
  steadyStateEmbedding,
} from "../src/index.js";

const inputs = { nodeInputs: 1, edgeInputs: 1 };
const narrow = { ...inputs, hidden: 6, mlp: [5] };
const samples = [5, 7, 4].map((states, i) =>
  decisionSample(randomDecisionGraph({ states, actions: 2, rng: random.rng(`sample ${i}`) })),
);

const models: Record<string, () => GraphModel<unknown>> = {
  "convergent graph solver": () =>
    convergentGraphSolver({ ...narrow, heads: 3, tolerance: 1e-13, decoder: [4] }) as GraphModel<unknown>,
  "with the logistic function and tanh": () =>
    convergentGraphSolver({
      ...narrow,
      heads: 3,
      hiddenLayers: 1,
      squash: "sigmoid",
      tolerance: 1e-13,
      stateActivation: "tanh",
      gamma: 0.8,
      reduction: "mean",
    }) as GraphModel<unknown>,
  "with attention, for graphs": () =>
    convergentGraphSolver({
      ...narrow,
      heads: 3,
      normalise: "attention",
      tolerance: 1e-13,
      readout: "sum",
      outputs: 2,
      reduction: "max",
    }) as GraphModel<unknown>,
  "graph network": () => graphNetwork({ ...narrow, layers: 2, readout: "mean" }) as GraphModel<unknown>,
  "steady-state embedding": () =>
    steadyStateEmbedding({ ...inputs, heads: 4, hidden: 5, readout: "max" }) as GraphModel<unknown>,
  "implicit graph network": () =>
    implicitGraphNetwork({ ...narrow, heads: 3, tolerance: 1e-13, maxIterations: 2000 }) as GraphModel<unknown>,
};

const alone = ({ graph, nodes, edges }: GraphSample) => ({ graph, nodes: asTensor(nodes), edges: asTensor(edges) });

describe.each(Object.entries(models))("%s", (name, make) => {
  const model = make();
  const params = model.init(random.rng(name), "float64");

  it("gives graphs of a batch what it gives them alone, compiled and filled up", async () => {
    const together = await predict(model, params, samples);
    samples.forEach((sample, i) => {
      const { y } = model.apply(params, alone(sample));
      expectClose(together[i].y, model.readout === "none" ? y : slice(y, [0]), name.startsWith("steady") ? 1e-4 : 1e-9);
    });
  });

  it("has the gradient of differences", () => {
    const { graph, nodes, edges } = alone(samples[0]);
    const loss = (p: unknown) => sum(square(sub(model.apply(p, { graph, nodes, edges }).y, 0.3)));
    const direction = tree.map(
      (x: Tensor) => random.rng(`${name} direction`).normal(x.shape, { dtype: "float64" }),
      params,
    );
    if (name.startsWith("steady") || name.startsWith("implicit")) return; // neither follows the iterate's, or the projection's, gradient
    const [, slopes] = valueAndGrad(loss)(params);
    const along = tree
      .leaves<Tensor>(tree.map((g: Tensor, d: Tensor) => sum(mul(g, d)), slopes, direction))
      .reduce((total, v) => total + v.item(), 0);
    expect(Math.abs(along - slopeAlong(loss, params, direction))).toBeLessThan(1e-5 * Math.max(1, Math.abs(along)));
  });

  it("is saved and loaded", () => {
    expectClose(loadParameters(saveParameters(params), params), params, 0);
  });
});

describe("training", () => {
  const model = convergentGraphSolver({ ...narrow, heads: 4, gamma: 0.9, squash: "sigmoid" });

  it("refuses a rate beside an optimizer, which has its own", async () => {
    const rates = { optimizer: sgd({ learningRate: 1 }), learningRate: 0.01 };
    await expect(fitGraphModel(model, samples, { steps: 1, ...rates })).rejects.toThrow(
      "fitGraphModel: learningRate does nothing with an optimizer",
    );
  });

  it("lowers the loss, on graphs that are given and on those that a function makes", async () => {
    const options = { steps: 60, batchSize: 2, learningRate: 0.01, clipNorm: 5, seed: 3 };
    const { history } = await fitGraphModel(model, samples, options);
    expect(history.at(-1)?.loss).toBeLessThan(0.5 * history[0].loss);
    expect(history[0].figures?.iterations).toBeGreaterThan(5);
    const made: number[] = [];
    const fresh = await fitGraphModel(
      model,
      (rng) => {
        made.push(1);
        return [6, 6, 6].map((states) => decisionSample(randomDecisionGraph({ states, actions: 2, rng })));
      },
      { steps: 7, batchSize: 2, refreshEvery: 3 },
    );
    expect([fresh.steps, made.length]).toEqual([7, 3]);
  });

  it("takes a decoder of one's own: with the perceptron of the default it is the same model", async () => {
    const whole = { ...narrow, heads: 3 };
    const usual = convergentGraphSolver({ ...whole, decoder: [4] });
    const own = convergentGraphSolver({ ...whole, decoder: mlp({ sizes: [3, 4, 1], activation: "leakyRelu" }) });
    const options = { steps: 3, batchSize: 2, seed: 2 };
    const [expected, fitted] = [
      await fitGraphModel(usual, samples, options),
      await fitGraphModel(own, samples, options),
    ];
    for (const [i, { y }] of (await predict(own, fitted.params, samples)).entries()) {
      expectClose(y, (await predict(usual, expected.params, samples))[i].y, 0);
    }
  });

  it("compiles its step once, though a model's figures are of another type than the records'", async () => {
    let compiled = 0;
    const counting: Backend = {
      ...hostBackend,
      compile(graph) {
        compiled++;
        return hostBackend.compile(graph);
      },
    };
    const network = graphNetwork({ ...narrow, layers: 1 });
    const options = { steps: 3, batchSize: 1, dtype: "float64", backend: counting } as const;
    await fitGraphModel(network, samples.slice(0, 1), options);
    expect(compiled).toBe(1);
  });

  it("tells classes of graphs apart", async () => {
    const cycle = (n: number) =>
      directed(
        Array.from({ length: n }, (_, i) => [i, (i + 1) % n]),
        n,
      );
    const star = (n: number) =>
      directed(
        Array.from({ length: n - 1 }, (_, i) => [i + 1, 0]),
        n,
      );
    const data = [5, 6, 7, 8].flatMap((n) =>
      [cycle(n), star(n)].map((graph, targets) => ({
        graph,
        nodes: f64(Array.from(graph.degree("in"), (d) => [d / 5])),
        edges: zeros([graph.edges, 1]),
        targets: [targets],
      })),
    );
    const classifier = convergentGraphSolver({ ...narrow, heads: 4, outputs: 2, readout: "sum", activation: "silu" });
    const { params } = await fitGraphModel(classifier, data, { steps: 80, learningRate: 0.02, loss: "crossEntropy" });
    const scores = await predict(classifier, params, data);
    expect(scores.map(({ y }) => (y.data()[1] > y.data()[0] ? 1 : 0))).toEqual(data.map((d) => d.targets[0]));
  });

  it("fills batches up to extents that few of them share", () => {
    expect([3, 8, 9, 33, 41, 64, 65].map(roundedUp)).toEqual([3, 8, 10, 40, 48, 64, 80]);
    const usual = usualExtents(samples, 2);
    expect(usual).toEqual({ nodes: 13, edges: 24, graphs: 3 });
    const filled = filledBatch("test", model, samples.slice(0, 2), "float64", usual);
    expect(filled.edges.shape).toEqual([24, 1]);
    const joined = concatenate(samples.slice(0, 2).map((s) => asTensor(s.nodes)));
    const params = model.init(random.rng(0), "float64");
    const expected = model.apply(params, {
      graph: batch(samples.slice(0, 2).map((s) => s.graph)),
      nodes: joined,
      edges: concatenate(samples.slice(0, 2).map((s) => asTensor(s.edges))),
    });
    expectClose(slice(model.apply(params, inputOf(filled)).y, [{ stop: 12 }]), expected.y, 1e-6);
  });
});

describe("baselines in small units", () => {
  const { graph, nodes, edges } = alone(samples[0]);
  const unit = 1e-9;
  const times = <T>(x: T, factor: number): T => tree.map((v: Tensor) => mul(v, factor), x) as T;
  const unbiased = (layers: readonly LinearParams[]) => layers.map(({ weight }) => ({ weight }));

  it("steady-state embedding goes as far as in large ones", () => {
    const model = steadyStateEmbedding({ ...inputs, heads: 4, hidden: 5, tolerance: 1e-4, maxIterations: 1000 });
    const drawn = model.init(random.rng("small"), "float64");
    const [inner, outer] = unbiased([drawn.inner, drawn.outer]);
    const params = { inner: times(inner, 0.3), outer, decoder: unbiased(drawn.decoder) };
    const usual = model.apply(params, { graph, nodes, edges });
    const small = model.apply(params, { graph, nodes: mul(nodes, unit), edges: mul(edges, unit) });
    expect(usual.iterations.item()).toBeGreaterThan(20);
    expect(small.iterations.item()).toBeGreaterThan(20);
    expectClose(mul(small.y, 1 / unit), usual.y, 1e-3);
  });

  it("implicit graph networks go as far as in large ones", () => {
    const model = implicitGraphNetwork({ ...narrow, heads: 3 });
    const drawn = model.init(random.rng("small"), "float64");
    const params = { ...drawn, decoder: unbiased(drawn.decoder) };
    const usual = model.apply(params, { graph, nodes, edges });
    const small = model.apply({ ...params, input: times(params.input, unit) }, { graph, nodes, edges });
    expect(usual.iterations.item()).toBeGreaterThan(3);
    expectClose(mul(small.y, 1 / unit), usual.y, 1e-4);
  });
});

describe("rows of the implicit network's weights", () => {
  it("are projected onto the l1 ball: a soft threshold that leaves the radius", () => {
    const w = f64([
      [3, -1, 0.5],
      [0.2, -0.1, 0],
    ]); // prettier-ignore
    expectClose(
      ontoL1Ball(w, tensor(2, { dtype: "float64" })),
      [
        [2, 0, 0],
        [0.2, -0.1, 0],
      ],
      1e-15,
    ); // prettier-ignore
    expectClose(
      ontoL1Ball(w, tensor(3.5, { dtype: "float64" })),
      [
        [2.75, -0.75, 0],
        [0.2, -0.1, 0],
      ].map((r, i) => (i === 0 ? r : r)),
      0.26,
    ); // prettier-ignore
  });
});

describe("bad input", () => {
  const model = convergentGraphSolver({ ...narrow, heads: 2 });
  const [sample] = samples;

  it("names the argument and the remedy", async () => {
    expect(() => convergentGraphSolver({ ...narrow, heads: 0 })).toThrow(/heads is 0/);
    expect(() => convergentGraphSolver({ ...narrow, gamma: 1 })).toThrow(/gamma is 1/);
    expect(() => convergentGraphSolver({ ...narrow, head: 3 } as never)).toThrow(/did you mean "heads"/);
    expect(() => graphNetwork({ ...narrow, layers: 0 })).toThrow(/layers is 0/);
    expect(() => steadyStateEmbedding({ ...inputs, alpha: 0 })).toThrow(/alpha is 0/);
    expect(() => implicitGraphNetwork({ ...narrow, kappa: -1 })).toThrow(/kappa is -1/);
    await expect(fitGraphModel(model, [], { steps: 1 })).rejects.toThrow(/at least one/);
    await expect(fitGraphModel(model, [{ ...sample, nodes: zeros([5, 2]) }], { steps: 1 })).rejects.toThrow(
      /nodes of graph 0 have shape \[5,2\]/,
    );
    await expect(fitGraphModel(model, [{ ...sample, targets: [1] }], { steps: 1 })).rejects.toThrow(
      /targets have shape/,
    );
    await expect(
      fitGraphModel(model, [{ ...sample, edges: mul(asTensor(sample.edges), Number.NaN) }], { steps: 1 }),
    ).rejects.toThrow(/must be finite/);
    const own = convergentGraphSolver({
      ...inputs,
      heads: 2,
      encoder: {
        init: () => ({}),
        apply: (_, graph) => ({ bias: zeros([graph.nodes, 1]), logits: zeros([graph.edges, 2]) }),
      },
    });
    expect(() => own.apply(own.init(random.rng(0)), alone(sample))).toThrow(/the encoder gave bias/);
    const short = convergentGraphSolver({
      ...inputs,
      outputs: 3,
      decoder: { init: () => ({}), apply: (_, states) => sum(states, { axis: 1, keepDims: true }) },
    });
    expect(() => short.apply(short.init(random.rng(0)), alone(sample))).toThrow(/the decoder gave \[5,1\]/);
  });
});
