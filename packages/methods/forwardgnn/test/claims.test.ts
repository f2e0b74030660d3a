import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { type Backend, type Tensor, tree } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { depth, judgeDepth } from "../claims/depth.js";
import { claims } from "../claims/index.js";
import { judgeLinks, links } from "../claims/links.js";
import { oneLayer } from "../claims/locality.js";
import { type Count, judgeMemory, memory, sparseProducts } from "../claims/memory.js";
import type { Fit } from "../claims/trained.js";
import { judgeVariants, passes, variants } from "../claims/variants.js";
import { fitLinkPredictor, fitNodeClassifier, trainingMemory } from "../src/index.js";

let backend: Backend & { release(): Promise<void> };

beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});

afterAll(() => backend.release());

const run = (claim: Claim, compiled = true) => runClaim(claims, claim, compiled ? { backend } : {});

/** Leaves layers as they were drawn. */
const untrained: Fit = (task, method, options) =>
  fitNodeClassifier(task, method, { ...options, epochs: 1, learningRate: 1e-12 });

describe("claims fail for what is not the method", () => {
  it("are all there", () => {
    const ids = ["one-layer", "depth", "links", "variants", "passes", "memory", "sparse-products"];
    expect(claims.claims.map((claim) => claim.id)).toEqual(ids);
  });

  it("one layer: fails where weights do not decay or rows are not brought to unit length", async () => {
    const noDecay: Fit = (task, method, options) => fitNodeClassifier(task, method, { ...options, weightDecay: 0 });
    expect(await run(oneLayer(noDecay), false)).toMatchObject({ holds: false });
    const clipped: Fit = (task, method, options) =>
      fitNodeClassifier(task, method, { ...options, ...(method === "sf-top-to-loss" && { clipNorm: 1e-3 }) });
    expect(await run(oneLayer(clipped), false)).toMatchObject({ holds: false });
  });

  it("one layer: fails where lower layers depend on upper ones", async () => {
    const coupled: Fit = async (task, method, options = {}) => {
      const fit = await fitNodeClassifier(task, method, options);
      if (options.layers !== 3) return fit;
      const params = fit.model.params.map((p) => tree.map((x: Tensor) => x.add(1e-15).mul(1 + 1e-12), p));
      return { ...fit, model: { ...fit.model, params } };
    };
    expect(await run(oneLayer(coupled), false)).toMatchObject({ holds: false });
  });

  it("depth: fails for random layers and for end-to-end training", async () => {
    expect(await run(depth(untrained, 1))).toMatchObject({ holds: false });
    expect(judgeDepth({ sf: [0.921, 0.904], bp: [0.917, 0.504] })).toBe(true);
    expect(judgeDepth({ sf: [0.929, 0.885], bp: [0.921, 0.594] })).toBe(true);
    expect(judgeDepth({ sf: [0.917, 0.504], bp: [0.917, 0.504] })).toBe(false);
    expect(judgeDepth({ sf: [0.679, 0.5], bp: [0.917, 0.504] })).toBe(false);
  });

  it("links: the criterion takes the prototype's AUC and refuses random layers and equal methods", async () => {
    expect(judgeLinks({ ce: [0.963, 0.965], bp: [0.855, 0.783] })).toBe(true);
    expect(judgeLinks({ ce: [0.95, 0.947], bp: [0.836, 0.772] })).toBe(true);
    expect(judgeLinks({ ce: [0.736, 0.629], bp: [0.836, 0.772] })).toBe(false);
    expect(judgeLinks({ ce: [0.96, 0.96], bp: [0.96, 0.96] })).toBe(false);
    const random: typeof fitLinkPredictor = (task, method, options) =>
      fitLinkPredictor(task, method, { ...options, epochs: 1, learningRate: 1e-12 });
    expect(await run(links(random, 1))).toMatchObject({ holds: false });
  });

  it("variants: the criterion takes the prototype's accuracies and refuses random layers", async () => {
    const prototype = {
      bp: 0.968,
      sf: 0.952,
      "sf-top-to-loss": 0.96,
      "sf-top-to-input": 0.935,
      "ff-la": 0.938,
      "ff-vn": 0.847,
    }; // prettier-ignore
    expect(judgeVariants(prototype)).toBe(true);
    expect(judgeVariants({ ...prototype, "ff-vn": 0.95 })).toBe(false);
    expect(judgeVariants({ ...prototype, "ff-la": 0.88 })).toBe(false);
    expect(judgeVariants({ ...prototype, sf: 0.798 })).toBe(false);
    const onlyBackpropagation: Fit = (task, method, options) =>
      method === "bp" ? fitNodeClassifier(task, method, options) : untrained(task, method, options);
    expect(await run(variants(onlyBackpropagation, 1))).toMatchObject({ holds: false });
  });

  it("passes: fail where single forward learns as forward-forward does, and where labels are appended in one pass", async () => {
    const inTurn: Fit = (task, method, options) => fitNodeClassifier(task, method === "sf" ? "ff-vn" : method, options);
    expect(await run(passes(inTurn), false)).toMatchObject({ holds: false });
    const atOnce: Fit = (task, method, options) => fitNodeClassifier(task, method === "ff-la" ? "sf" : method, options);
    expect(await run(passes(atOnce), false)).toMatchObject({ holds: false });
  });

  it("memory: fails where single forward stores what backpropagation stores", async () => {
    const all: Count = async (task, _, layers) => (await trainingMemory(task, "bp", { layers, hidden: 32 })).kept;
    expect(await run(memory(all), false)).toMatchObject({ holds: false });
    expect(judgeMemory(1, 13)).toBe(true);
    expect(judgeMemory(1.3, 13)).toBe(false);
    expect(judgeMemory(1, 3)).toBe(false);
  });

  it("sparse products: fail without the cache", async () => {
    expect(await run(sparseProducts(false), false)).toMatchObject({ holds: false });
  });
});
