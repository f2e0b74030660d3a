import { largestDifference } from "@offprint/claims";
import { karateClub } from "@offprint/datasets";
import { type GraphLayer, gcn, mask, nodeAccuracy, undirected } from "@offprint/graph";
import { onnxRuntime } from "@offprint/onnx-runtime";
import {
  add,
  eye,
  matmul,
  mean,
  NonFiniteError,
  random,
  square,
  sub,
  type Tensor,
  take,
  zeros,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  augmentWithVirtualNodes,
  fitLayerwise,
  fitLinkPredictor,
  fitNodeClassifier,
  labelPropagation,
  linkAuc,
  loadModel,
  localStep,
  type NodeClassifier,
  type NodeMethod,
  type NodeTask,
  neighbourScores,
  predictNodes,
  saveModel,
  scorePairs,
  trainingMemory,
  untrainedLinkPredictor,
  untrainedNodeClassifier,
} from "../src/index.js";
import { nodeTraining } from "../src/node-classifier.js";
import { settleNodeTask } from "../src/node-setting.js";
import { stageStep } from "../src/staged-training.js";
import { bottomUp, timeStep } from "../src/top-to-input.js";
import { headsOf, smallLinks, smallTask } from "./tasks.js";

const METHODS: NodeMethod[] = ["sf", "sf-top-to-input", "sf-top-to-loss", "ff-la", "ff-vn", "bp"];
const quick = { hidden: 8, layers: 2, epochs: 12, learningRate: 1e-2, dtype: "float64" as const };

describe("virtual nodes", () => {
  it("are linked with the training nodes of their class, both ways or one", () => {
    const graph = undirected([[0, 1]], 3); // prettier-ignore
    const both = augmentWithVirtualNodes(graph, [1, 0, 0], mask(3, [0, 2]), 2);
    const pairs = (g: typeof graph) => Array.from(g.sources, (s, e) => [s, g.targets[e]]).slice(2);
    expect(pairs(both)).toEqual([
      [0, 4],
      [4, 0],
      [2, 3],
      [3, 2],
    ]); // prettier-ignore
    expect(pairs(augmentWithVirtualNodes(graph, [1, 0, 0], mask(3, [0]), 2, "unidirection"))).toEqual([[0, 4]]);
    expect(() => augmentWithVirtualNodes(graph, [5, 0, 0], mask(3, [0]), 2)).toThrow(/label 5/);
    expect(() => augmentWithVirtualNodes(graph, [0.5, 0, 0], mask(3, [0]), 2)).toThrow(/label 0.5/);
  });

  it("may be scaled as one likes: the first layer sees unit rows", async () => {
    const task = smallTask();
    const virtualFeatures = random.rng(1).normal([3, 6], { dtype: "float64" });
    const at = async (scale: number) => {
      const fit = await fitNodeClassifier(task, "sf", { ...quick, virtualFeatures: virtualFeatures.mul(scale) });
      return fit.history[11].loss;
    };
    expect(Math.abs((await at(1)) - (await at(1000)))).toBeLessThan(1e-6);
  });
});

describe("caching the aggregation", () => {
  it.each(["gcn", "sage", "gat"] as const)("does not change the losses of %s", async (convolution) => {
    const run = (cache: boolean) =>
      fitNodeClassifier(smallTask(), "sf", {
        ...quick,
        epochs: 10,
        convolution,
        ...headsOf(convolution),
        cache,
        validateEvery: 100,
      });
    const [cached, plain] = [await run(true), await run(false)];
    expect(cached.history.length).toBe(20);
    cached.history.forEach(({ loss }, i) => {
      expect(Math.abs(loss - plain.history[i].loss)).toBeLessThan(1e-12);
    });
  });
});

describe("layers on their own", () => {
  it("are the same bits whatever is trained above them", async () => {
    const trainTo = (layers: number) => fitNodeClassifier(smallTask(), "sf", { ...quick, layers });
    const [two, three] = [await trainTo(2), await trainTo(3)];
    expect(largestDifference(two.model.params, three.model.params.slice(0, 2))).toBe(0);
    const shallow = await predictNodes(three.model, smallTask(), { layers: 2 });
    expect(largestDifference(shallow.scores, (await predictNodes(two.model, smallTask())).scores)).toBe(0);
  });

  it("stop after `patience` validations that are not better, and keep the best", async () => {
    const { history } = await fitNodeClassifier(smallTask(), "sf", {
      ...quick,
      layers: 1,
      epochs: 500,
      validateEvery: 3,
      patience: 4, // prettier-ignore
    });
    const validated = history.filter((h) => h.validation !== undefined);
    expect(validated.every(({ epoch }) => epoch % 3 === 0)).toBe(true);
    const best = Math.max(...validated.map((h) => h.validation as number));
    const first = validated.findIndex((h) => h.validation === best);
    expect(validated.length).toBe(first + 1 + 4);
  });
});

describe("top to input", () => {
  const task = smallTask();
  const setting = (extra: object) => settleNodeTask("test", task, { ...quick, ...extra });

  it("with one layer does not depend on the order", async () => {
    const losses = async (alternating: boolean) =>
      (await fitNodeClassifier(task, "sf-top-to-input", { ...quick, layers: 1, alternating })).history.map(
        (h) => h.loss,
      );
    expect(await losses(true)).toEqual(await losses(false));
    const deep = async (alternating: boolean) =>
      (await fitNodeClassifier(task, "sf-top-to-input", { ...quick, layers: 3, alternating })).history.map(
        (h) => h.loss,
      );
    expect(await deep(true)).not.toEqual(await deep(false));
  });

  it("with one layer and zeros above stays at its first state", () => {
    const layer = gcn({ inputs: 9, outputs: 4 });
    const params = [layer.init(random.rng(0), "float64")];
    const local = {
      convolution: layer as GraphLayer,
      cached: false,
      prepare: (x: Tensor) => x,
      apply: (p: any, x: Tensor) => layer.apply(p, x, task.graph),
    }; // prettier-ignore
    const stack = { layers: [local], graph: task.graph, alternating: true };
    const ends = { below: task.features, above: zeros([60, 3], "float64") };
    const start = bottomUp(stack, params, ends, 4);
    expect(largestDifference(timeStep(stack, params, start, ends).states[0], start[0])).toBe(0);
  });

  it("keeps the output from before the update as the new state", async () => {
    const stage = nodeTraining(setting({ alternating: false }), "sf-top-to-input").begin([]);
    const next = stageStep(stage)(stage.params, stage.optimizer.init(stage.params), stage.carried, stage.constants);
    const [, states] = stage.loss(stage.params, stage.carried, stage.constants);
    expect(largestDifference(next.carried, states)).toBe(0);
    const [, later] = stage.loss(next.params, stage.carried, stage.constants);
    expect(largestDifference(next.carried, later)).toBeGreaterThan(0);
  });
});

describe("top to loss", () => {
  it("clips the gradient of each layer by itself", async () => {
    const options = { ...quick, layers: 2, weightDecay: 0 };
    const run = (clipNorm: number) =>
      fitNodeClassifier(smallTask(), "sf-top-to-loss", { ...options, clipNorm, epochs: 1 });
    const [free, tight] = [await run(Number.POSITIVE_INFINITY), await run(1e-12)];
    // Adam's first step is the sign of the gradient, until it falls to the size of epsilon.
    expect(largestDifference(free.model.params, tight.model.params)).toBeGreaterThan(1e-3);
  });
});

describe("prediction of forward-forward methods", () => {
  it.each(["ff-la", "ff-vn"] as const)("%s ranks classes within one layer alike by mean and by sum", async (method) => {
    const task = smallTask();
    const { model } = await fitNodeClassifier(task, method, { ...quick, layers: 1 });
    const sum: NodeClassifier = { ...model, options: { ...model.options, goodness: "sum" } };
    expect((await predictNodes(model, task)).classes).toEqual((await predictNodes(sum, task)).classes);
  });

  it("takes wrong labels of one's own, and refuses right ones", async () => {
    const task = smallTask();
    const wrongLabels = [task.labels.map((label) => (label + 1) % 3)];
    const { history } = await fitNodeClassifier(task, "ff-la", { ...quick, wrongLabels });
    expect(history.length).toBe(24);
    await expect(fitNodeClassifier(task, "ff-la", { ...quick, wrongLabels: [task.labels] })).rejects.toThrow(
      /another class/,
    );
    const odd: [unknown, RegExp][] = [
      [[], /at least one/],
      [3, /no list/],
      [[new Int32Array(3)], /3 labels for 60 nodes/],
      [[Array.from(task.labels, (label) => (label === 0 ? 1.5 : 0.5))], /give another class/],
    ];
    for (const [wrong, words] of odd) {
      const options = { ...quick, wrongLabels: wrong as Int32Array[] };
      await expect(fitNodeClassifier(task, "ff-vn", options)).rejects.toThrow(words);
    }
    const both = fitNodeClassifier(task, "ff-la", { ...quick, wrongLabels, negatives: 1 });
    await expect(both).rejects.toThrow(/negatives does nothing with wrongLabels/);
  });
});

describe.each(METHODS)("%s", (method) => {
  const task = smallTask();

  // Every convolution layer by layer and end to end, and every way of training with one.
  const convolutions = method === "sf" || method === "bp" ? (["gcn", "sage", "gat"] as const) : (["gcn"] as const);

  it.each(convolutions)("learns with %s, in float32", async (convolution) => {
    const { history, model } = await fitNodeClassifier(task, method, {
      convolution,
      hidden: 16,
      layers: 2,
      epochs: 20,
      learningRate: 2e-2,
      seed: 1, // prettier-ignore
    });
    expect(history[19].loss).toBeLessThan(history[0].loss);
    expect(history.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    const { classes, scores } = await predictNodes(model, task);
    expect(scores.shape).toEqual([60, 3]);
    // Forward-forward methods judge test nodes only, too few here to say anything.
    if (method.startsWith("ff")) return;
    expect(nodeAccuracy(classes, task.labels, task.train)).toBeGreaterThan(0.5);
  });

  it("predicts the same from a file", async () => {
    const fit = await fitNodeClassifier(task, method, { ...quick, dtype: "float32" });
    const model = { ...fit.model, options: { ...fit.model.options, clipNorm: Infinity } };
    const back = loadModel(saveModel(model)) as NodeClassifier;
    expect(back.method).toBe(method);
    expect(back.options).toEqual(model.options);
    expect(largestDifference((await predictNodes(back, task)).scores, (await predictNodes(model, task)).scores)).toBe(
      0,
    );
  });
});

describe("compiled steps", () => {
  it.each(METHODS)("of %s give the losses of those in memory", async (method) => {
    const backend = await onnxRuntime({ device: "cpu", threads: 1 });
    const convolutions = method === "sf" || method === "bp" ? (["gcn", "gat"] as const) : (["gcn"] as const);
    for (const convolution of convolutions) {
      const options = { ...quick, convolution, ...headsOf(convolution), epochs: 4 };
      const [eager, compiled] = [
        await fitNodeClassifier(smallTask(), method, options),
        await fitNodeClassifier(smallTask(), method, { ...options, backend }),
      ];
      expect(compiled.history.length).toBe(eager.history.length);
      compiled.history.forEach(({ loss, validation }, i) => {
        expect(Math.abs(loss - eager.history[i].loss)).toBeLessThan(1e-9);
        expect(validation).toBe(eager.history[i].validation);
      });
    }
    await backend.release();
  });
});

describe("links", () => {
  const task = smallLinks();

  it.each(["ce", "ff", "ce-top-to-input", "bp"] as const)("%s learns, saves and loads", async (method) => {
    const { model, history } = await fitLinkPredictor(task, method, { hidden: 16, epochs: 80, learningRate: 1e-2 });
    expect(history[history.length - 1].loss).toBeLessThan(history[0].loss);
    const train = await linkAuc(model, task, { pairs: "train", graph: task.split.trainGraph });
    expect(train).toBeGreaterThan(0.6);
    const back = loadModel(saveModel(model)) as typeof model;
    expect(await scorePairs(back, task, [0, 1, 2, 3])).toEqual(await scorePairs(model, task, [0, 1, 2, 3]));
    const scores = await scorePairs(model, task, [0, 1, 1, 0]);
    expect(scores[0]).toBeCloseTo(scores[1], 6);
  });

  it("of ce-top-to-input decay no weights unless told", async () => {
    const options = { hidden: 8, epochs: 3, dtype: "float64" as const };
    const run = (weightDecay?: number) =>
      fitLinkPredictor(task, "ce-top-to-input", { ...options, ...(weightDecay !== undefined && { weightDecay }) });
    expect((await run()).history).toEqual((await run(0)).history);
    const left = { ...options, weightDecay: undefined } as object;
    expect((await fitLinkPredictor(task, "ce-top-to-input", left)).history).toEqual((await run(0)).history);
    expect((await run()).history).not.toEqual((await run(0.1)).history);
  });

  it("have baselines: neighbours in common, and random layers", async () => {
    const graph = undirected(
      [
        [0, 1],
        [0, 2],
        [1, 2],
        [2, 3],
        [1, 3],
      ],
      5,
    ); // prettier-ignore
    expect([...neighbourScores(graph, [0, 3, 0, 1, 4, 0])]).toEqual([2, 1, 0]);
    const adamic = neighbourScores(graph, [0, 3], "adamic-adar")[0];
    expect(adamic).toBeCloseTo(2 / Math.log(3), 12);
    const untrained = untrainedLinkPredictor(task, { hidden: 8 });
    expect(await linkAuc(untrained, task)).toBeGreaterThan(0);
    await expect(scorePairs(untrained, task, [0, 99])).rejects.toThrow(/node 99/);
    await expect(scorePairs(untrained, task, [0, 1, 2])).rejects.toThrow(/a list of 3 nodes; give two for each pair/);
  });

  it("are refused where the task or its split has other fields, or lacks some", async () => {
    const train = (change: object) => fitLinkPredictor({ ...task, ...change } as never, "ce", { hidden: 4, epochs: 1 });
    const split = (change: object) => train({ split: { ...task.split, ...change } });
    await expect(train({ spilt: 1 })).rejects.toThrow(/no option "spilt"; did you mean "split"/);
    await expect(train({ split: undefined })).rejects.toThrow(/split: the options are undefined; give \{ train/);
    await expect(split({ validation: undefined })).rejects.toThrow(/split: there is no validation/);
    await expect(split({ trainGraph: {} })).rejects.toThrow(/trainGraph: graph is no Graph/);
    await expect(split({ train: { positive: [0, 1] } })).rejects.toThrow(/train: there is no negative/);
  });
});

describe("a loop of one's own", () => {
  it("local steps give loss, gradient and output of one layer", () => {
    const task = smallTask();
    const layer = gcn({ inputs: 6, outputs: 4 });
    const params = layer.init(random.rng(0), "float64");
    const step = localStep({ layer, params, input: task.features, graph: task.graph, loss: (h) => mean(square(h)) });
    expect(step.output.shape).toEqual([60, 4]);
    expect(mean(square(step.output)).item()).toBeCloseTo(step.loss, 12);
    expect(step.grads.weight.shape).toEqual([6, 4]);
  });

  it("layers learn one after the other by any objective", async () => {
    const { graph, features } = smallTask();
    const layers = [gcn({ inputs: 6, outputs: 8 }), gcn({ inputs: 8, outputs: 8 })];
    const smooth = (h: Tensor) => mean(square(sub(take(h, graph.sources), take(h, graph.targets))));
    const spread = (h: Tensor) => mean(square(sub(matmul(h.transpose(), h).div(60), eye(8)))); // prettier-ignore
    const fit = await fitLayerwise(layers, (h) => add(smooth(h), spread(h)), features, graph, {
      epochs: 30,
      learningRate: 1e-2,
      dtype: "float64", // prettier-ignore
    });
    expect(fit.outputs.map((h) => h.shape)).toEqual([
      [60, 8],
      [60, 8],
    ]); // prettier-ignore
    for (const layer of [1, 2]) {
      const own = fit.history.filter((h) => h.layer === layer);
      expect(own[29].loss).toBeLessThan(own[0].loss);
    }
  });

  it("convolutions of one's own train, and must be given again to a loaded model", async () => {
    const task = smallTask();
    const convolution = (inputs: number, outputs: number) => gcn({ inputs, outputs });
    const { model } = await fitNodeClassifier(task, "sf", { ...quick, convolution });
    const named = await fitNodeClassifier(task, "sf", quick);
    expect(largestDifference(model.params, named.model.params)).toBe(0);
    expect(() => loadModel(saveModel(model))).toThrow(/give it as the option convolution/);
    expect(() => loadModel(saveModel(named.model), { convolution })).toThrow(/leave convolution out/);
    const back = loadModel(saveModel(model), { convolution }) as NodeClassifier;
    expect((await predictNodes(back, task)).classes).toEqual((await predictNodes(model, task)).classes);
    expect(() => loadModel(new Uint8Array(8))).toThrow();
  });
});

describe("the karate club", () => {
  it("is split between its two leaders", async () => {
    const club = karateClub();
    const graph = undirected(club.edges, club.nodes);
    const labels = club.targets.data() as Int32Array;
    const train = mask(34, [0, 1, 32, 33]);
    const task: NodeTask = { graph, features: eye(34), labels, train };
    for (const method of ["sf", "sf-top-to-input", "sf-top-to-loss", "bp"] as const) {
      const { model } = await fitNodeClassifier(task, method, { hidden: 16, epochs: 100, learningRate: 1e-2 });
      const { classes } = await predictNodes(model, task);
      expect(nodeAccuracy(classes, labels)).toBeGreaterThan(0.85);
    }
    const spread = labelPropagation(task).data();
    const guess = Array.from(labels, (_, i) => (spread[2 * i + 1] > spread[2 * i] ? 1 : 0));
    expect(nodeAccuracy(guess, labels)).toBeGreaterThan(0.85);
  });
});

describe("label propagation", () => {
  it("solves (I - alpha A_hat) F = (1 - alpha) Y", () => {
    const task = smallTask();
    expect(() => labelPropagation(task, { alpah: 0.8 } as never)).toThrow(/no option "alpah"; did you mean "alpha"/);
    expect(() => labelPropagation(task, { tolerance: -1 })).toThrow(/tolerance is -1/);
    const f = labelPropagation(task, { alpha: 0.8 });
    const layer = gcn({ inputs: 3, outputs: 3 });
    const spread = layer.apply({ weight: eye(3).mul(1) as Tensor, bias: zeros([3]) }, f, task.graph);
    const residual = sub(f, spread.mul(0.8)).data();
    for (let i = 0; i < 60; i++) {
      for (let k = 0; k < 3; k++) {
        const y = task.train[i] && task.labels[i] === k ? 1 : 0;
        expect(residual[3 * i + k]).toBeCloseTo(0.2 * y, 8);
      }
    }
  });
});

describe("memory", () => {
  it("does not grow with the layers of single forward, but with those of backpropagation", async () => {
    const task = smallTask();
    const kept = async (method: NodeMethod, layers: number) =>
      (await trainingMemory(task, method, { layers, hidden: 6 })).kept;
    expect(await kept("sf", 6)).toBe(await kept("sf", 1));
    expect(await kept("ff-vn", 6)).toBe(await kept("ff-vn", 1));
    expect(await kept("bp", 6)).toBeGreaterThan(3 * (await kept("bp", 1)));
    const { stages, peak } = await trainingMemory(task, "sf", { layers: 3, hidden: 6 });
    expect(stages.map((s) => s.layer)).toEqual([1, 2, 3]);
    expect(peak).toBeGreaterThanOrEqual(stages[0].kept);
  });
});

describe("what a task may leave out", () => {
  const task = smallTask();

  it("features may be plain arrays, read as float64", async () => {
    const rows = task.features.toArray() as number[][];
    const options = { ...quick, dtype: "float64" } as const;
    const { model } = await fitNodeClassifier({ ...task, features: rows }, "sf", options);
    expect(model).toEqual((await fitNodeClassifier(task, "sf", options)).model);
    const { scores } = await predictNodes(model, { ...task, features: rows });
    expect(scores.data()).toEqual((await predictNodes(model, task)).scores.data());
  });

  it.each(["sf", "ff-la", "ff-vn", "bp"] as const)(
    "%s predicts for nodes whose classes nobody knows",
    async (method) => {
      const { model } = await fitNodeClassifier(task, method, quick);
      const { graph, features } = task;
      const { classes } = await predictNodes(model, { graph, features });
      expect(classes).toHaveLength(60);
      expect(classes.every((c) => c >= 0 && c < 3)).toBe(true);
      const unknown = task.labels.map((label, i) => (task.test[i] === 0 ? label : -1));
      const hidden = await predictNodes(model, { ...task, labels: unknown });
      expect(hidden.scores.data()).toEqual((await predictNodes(model, task)).scores.data());
      await expect(predictNodes(model, { graph, features, train: task.train })).rejects.toThrow(/there are no labels/);
    },
  );

  it.each(["sf", "ff-la", "bp"] as const)("%s gives a model that predicts also where it is aborted", async (method) => {
    const controller = new AbortController();
    const options = { ...quick, signal: controller.signal, onProgress: () => controller.abort() };
    const { model, status } = await fitNodeClassifier(task, method, options);
    expect(status).toBe("aborted");
    expect((await predictNodes(model, task)).classes).toHaveLength(60);
    const early = await fitNodeClassifier(task, method, { ...quick, signal: AbortSignal.abort() });
    expect((await predictNodes(early.model, task)).classes).toHaveLength(60);
  });
});

describe("bad input", () => {
  const task = smallTask();
  const bad = (change: Partial<NodeTask>, options: object = {}) =>
    fitNodeClassifier({ ...task, ...change }, "sf", { ...quick, ...options }); // prettier-ignore
  const changed = (labels: Int32Array, at: number, value: number) => labels.map((v, i) => (i === at ? value : v));
  const known = task.train.indexOf(1);

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ["a label below 0", () => bad({ labels: changed(task.labels, known, -1) }), /label -1/],
    [
      "a class without training node",
      () => bad({ labels: changed(task.labels, task.test.indexOf(1), 3) }),
      /no training node has class 3/,
    ],
    ["masks that overlap", () => bad({ test: task.train }), /masks must not overlap/],
    ["no training nodes", () => bad({ train: new Uint8Array(60) }), /no node is in train/],
    ["one class", () => bad({ labels: new Int32Array(60) }), /at least 2/],
    [
      "heads of another convolution",
      () => bad({}, { heads: 3 }),
      /heads are of the convolution "gat", and this is "gcn"/,
    ],
    ["heads that do not divide the width", () => bad({}, { convolution: "gat", heads: 3 }), /do not divide/],
    ["features that are not finite", () => bad({ features: task.features.mul(Number.NaN) }), /must be finite/],
    [
      "a goodness of another kind",
      () => bad({}, { goodness: "max" }),
      /goodness is "max"; it must be one of "mean", "sum"/,
    ],
    ["features that are missing", () => bad({ features: undefined as never }), /features are missing/],
    ["tau of 0", () => bad({}, { tau: 0 }), /tau is 0/],
    ["no layers", () => bad({}, { layers: 0 }), /layers is 0/],
    ["too few labels", () => bad({ labels: new Int32Array(3) }), /3 labels for 60 nodes/],
    ["a mask of another length", () => bad({ train: new Uint8Array(3) }), /3 entries for 60/],
    [
      "a misspelt mask",
      () => bad({ validaton: task.test } as never),
      /no option "validaton"; did you mean "validation"/,
    ],
    [
      "a mask of booleans",
      () => bad({ train: new Array(60).fill(false) as never }),
      /train is false at node 0; give 1/,
    ],
    ["a mask of numbers between", () => bad({ train: new Float64Array(60).fill(0.5) as never }), /is 0\.5 at node 0/],
    ["a mask that is null", () => bad({ validation: null as never }), /validation has no entries for 60 nodes/],
    ["a graph that is none", () => bad({ graph: { nodes: 60 } as never }), /graph is no Graph; make one with/],
    ["features of other nodes", () => bad({ features: zeros([3, 2]) }), /must be \[60, features\]/],
    ["an unknown method", () => fitNodeClassifier(task, "pepita" as never), /must be one of sf/],
    ["an unknown convolution", () => bad({}, { convolution: "gin" }), /must be gcn, sage, gat/],
    ["an unknown direction", () => bad({}, { direction: "up" }), /direction is "up"/],
    ["sweeps that all drop out", () => bad({}, { collectFrom: 10 }), /no sweep would count/],
    ["virtual features for other classes", () => bad({}, { virtualFeatures: zeros([2, 6]) }), /each of 3 classes/],
    ["a learning rate of 0", () => bad({}, { learningRate: 0 }), /learningRate is 0/],
    ["an unknown option", () => bad({}, { lr: 1 }), /there is no option "lr"; did you mean "learningRate"/],
    ["a text for tau", () => bad({}, { tau: "1" }), /tau is 1; it must be > 0/],
    ["a text for clipNorm", () => bad({}, { clipNorm: "1" }), /clipNorm is 1; it must be > 0/],
    ["a text for cache", () => bad({}, { cache: "no" }), /cache is "no"; it must be one of true, false/],
    ["a text for alternating", () => bad({}, { alternating: "no" }), /alternating is "no"/],
    ["virtual features that are no tensor", () => bad({}, { virtualFeatures: [[1]] }), /give a tensor/],
    ["labels that are texts", () => bad({ labels: Array.from(task.labels, String) as never }), /has label [012];/],
    ["labels between classes", () => bad({ labels: new Float64Array(60).fill(0.5) as never }), /has label 0.5/],
    ["labels that are missing", () => bad({ labels: null as never }), /labels is null; give an Int32Array/],
    ["a graph that is missing", () => bad({ graph: undefined as never }), /graph is undefined; give a Graph/],
    [
      "features lost in float32",
      () => bad({ features: task.features.mul(1e25) }, { dtype: "float32" }),
      /lost in float32/,
    ],
    ["features that vanish", () => bad({ features: task.features.mul(1e-150) }), /divide them by this/],
    ["an unknown dtype", () => bad({}, { dtype: "float16" }), /dtype is "float16"/],
  ])("%s is refused", async (_, run, message) => {
    await expect(run()).rejects.toThrow(message);
  });

  it("options that only other methods look at are refused", async () => {
    const links = smallLinks();
    const idle: [() => unknown, RegExp][] = [
      [() => fitNodeClassifier(task, "sf", { theta: 3 }), /fitNodeClassifier: theta does nothing with the method sf/],
      [() => fitNodeClassifier(task, "sf", { sweeps: 3 }), /sweeps does nothing with the method sf/],
      [() => fitNodeClassifier(task, "sf-top-to-input", { clipNorm: 3 }), /clipNorm does nothing/],
      [() => fitNodeClassifier(task, "ff-la", { virtualFeatures: zeros([3, 6]) }), /virtualFeatures does nothing/],
      [() => fitNodeClassifier(task, "ff-vn", { tau: 2 }), /tau does nothing/],
      [() => fitNodeClassifier(task, "bp", { direction: "unidirection" }), /direction does nothing/],
      [() => trainingMemory(task, "sf", { negatives: 2 }), /trainingMemory: negatives does nothing/],
      [async () => untrainedNodeClassifier(task, { goodness: "sum" }), /goodness does nothing/],
      [() => fitLinkPredictor(links, "ce", { theta: 3 }), /fitLinkPredictor: theta does nothing with the method ce/],
      [() => fitLinkPredictor(links, "ff", { sweeps: 3 }), /sweeps does nothing/],
      [async () => untrainedLinkPredictor(links, { alternating: false }), /alternating does nothing/],
    ];
    for (const [run, words] of idle) await expect(run()).rejects.toThrow(words);
    const graph = undirected([[0, 1]], 3); // prettier-ignore
    expect(() => augmentWithVirtualNodes(graph, [1, 0, 0], mask(2, [0]), 2)).toThrow(/chosen has 2 entries for 3/);
    expect(() => augmentWithVirtualNodes(graph, [1], mask(3, [0]), 2)).toThrow(/labels has 1 entries for 3/);
    expect(() => augmentWithVirtualNodes(graph, [0, 0, 0], mask(3, [0]), 0)).toThrow(/classes is 0/);
  });

  it("a loss that is not finite stops with the last good state", async () => {
    const error: any = await fitNodeClassifier(task, "bp", { ...quick, learningRate: 1e200 }).catch((e) => e);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toMatch(/fitNodeClassifier: iteration 2: epoch 2: .*; lower the learning rate/);
    expect(error.state.inner.finished).toEqual([]);
    expect(error.state.history.length).toBe(1);
  });

  it("states of other runs are refused", async () => {
    const { state } = await fitNodeClassifier(task, "sf", {
      ...quick,
      onProgress: ({ layer, epoch }) => (layer === 2 && epoch === 2 ? "stop" : undefined),
    });
    const resumed = (options: object, method: NodeMethod = "sf", change: object = {}) => {
      const resume = { ...state, inner: { ...state.inner, ...change } };
      return fitNodeClassifier(task, method, { ...quick, ...options, resume });
    };
    const refused: [() => Promise<unknown>, RegExp][] = [
      [() => resumed({ hidden: 6 }), /a tensor of resume is \[8\]; the network needs \[6\]/],
      [() => resumed({ convolution: "sage" }), /resume is of another network/],
      [() => resumed({}, "ff-la"), /a tensor of resume is \[6,8\]; the network needs \[9,8\]/],
      [() => resumed({}, "bp"), /resume/],
      [() => resumed({}, "sf", { params: undefined }), /resume/],
      [() => resumed({}, "sf", { optimizerState: null }), /resume/],
      [() => resumed({}, "sf", { early: [] }), /resume is no state of 2 stages/],
      [() => resumed({}, "sf", { epoch: -1 }), /resume is no state of 2 stages/],
    ];
    for (const [run, words] of refused) await expect(run()).rejects.toThrow(words);
    expect((await resumed({})).status).toBe("limit");
  });

  it("graphs and pairs of other nodes are refused", async () => {
    const links = smallLinks();
    const few = undirected([[0, 1]], 3); // prettier-ignore
    const model = untrainedLinkPredictor(links, quick);
    const graph = (other: unknown) => scorePairs(model, links, [0, 1], { graph: other as typeof few });
    await expect(graph(few)).rejects.toThrow(/scorePairs: graph has 3 nodes, and features are of 50/);
    await expect(graph(null)).rejects.toThrow(/graph is null; give a Graph/);
    const split = { ...links.split, testGraph: few };
    await expect(fitLinkPredictor(links, "ce", { ...quick, heads: 2 })).rejects.toThrow(/heads are of the convolution/);
    await expect(fitLinkPredictor({ ...links, split }, "ce", quick)).rejects.toThrow(/testGraph has 3 nodes/);
    for (const node of [3, -1, 0.5]) expect(() => neighbourScores(few, [0, node])).toThrow(/a pair names node/);
  });

  it("layers, losses and figures of one's own that are none are refused", async () => {
    const layer = gcn({ inputs: 6, outputs: 4 });
    const step = {
      layer,
      params: layer.init(random.rng(0), "float64"),
      input: task.features,
      graph: task.graph,
      loss: mean,
    };
    const local = (change: object) => () => localStep({ ...step, ...change } as typeof step);
    expect(local({ layer: null })).toThrow(/no layer/);
    expect(local({ layer: {} })).toThrow(/layer is no layer; give { init, apply }/);
    expect(local({ loss: 3 })).toThrow(/loss is 3; give a function/);
    expect(local({ los: mean })).toThrow(/no option "los"; did you mean "loss"/);
    expect(local({ input: task.features.div(0) })).toThrow(/input holds/);
    const layerwise = (layers: unknown, options: object = {}) =>
      fitLayerwise(layers as GraphLayer[], (h) => mean(h), task.features, task.graph, { epochs: 4, ...options });
    await expect(layerwise([layer, {}])).rejects.toThrow(/layers\[1\] is no layer/);
    await expect(layerwise([layer], { validate: 3 })).rejects.toThrow(/validate is 3; give a function/);
    for (const value of [Number.NaN, undefined, "1"]) {
      await expect(layerwise([layer], { validate: () => value })).rejects.toThrow(/validate gave/);
    }
    await expect(bad({}, { convolution: () => null })).rejects.toThrow(/convolution is no layer/);
  });

  it("models refuse tasks of another kind", async () => {
    const model = untrainedNodeClassifier(task, quick);
    await expect(predictNodes(model, { ...task, features: zeros([60, 2]) })).rejects.toThrow(/features/);
    await expect(predictNodes(model, task, { layers: 3 })).rejects.toThrow(/layers is 3/);
    const { model: bp } = await fitNodeClassifier(task, "bp", quick);
    await expect(predictNodes(bp, task, { layers: 1 })).rejects.toThrow(/only work together/);
  });
});
