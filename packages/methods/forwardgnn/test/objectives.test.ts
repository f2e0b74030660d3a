import { largestDifference } from "@offprint/claims";
import type { GcnParams } from "@offprint/graph";
import { add, grad, mul, random, relu, sum, type Tensor, take, tensor, tree, zeros } from "@offprint/tensor-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classLogits, forwardForwardLoss, linkLoss, singleForwardLoss, unitRows } from "../src/index.js";
import { linkLayers } from "../src/link-layers.js";
import { linkTraining } from "../src/link-predictor.js";
import { settleLinkTask } from "../src/link-setting.js";
import { type NodeMethod, nodeTraining } from "../src/node-classifier.js";
import { settleNodeTask } from "../src/node-setting.js";
import type { Stage } from "../src/staged-training.js";
import { headsOf, renumberTask, smallLinks, smallTask } from "./tasks.js";

const rng = random.rng("objectives");

describe("unit rows", () => {
  it("have length one, or zero for a row of zeros", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 4, maxLength: 4 }), (row) => {
        const length = Math.hypot(...unitRows(tensor([row], { dtype: "float64" })).data());
        const before = Math.hypot(...row);
        expect(length).toBeCloseTo(before / (before + 1e-8), 12);
      }),
    );
    expect(unitRows(zeros([2, 3])).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]); // prettier-ignore
  });
});

describe("losses at zero output", () => {
  const weights = tensor([0.5, 0.5, 0], { dtype: "float64" });
  const h = zeros([3, 4], "float64");

  it("of forward-forward are log(1 + e^theta) and log(1 + e^-theta)", () => {
    expect(forwardForwardLoss(h, weights, 1, 2).item()).toBeCloseTo(2.126928, 6);
    expect(forwardForwardLoss(h, weights, 0, 2).item()).toBeCloseTo(0.126928, 6);
  });

  it("of single forward is log C", () => {
    const targets = tensor(
      [
        [0.5, 0, 0],
        [0, 0.5, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
      { dtype: "float64" },
    ); // prettier-ignore
    expect(singleForwardLoss(zeros([4, 5], "float64"), targets, 1).item()).toBeCloseTo(Math.log(3), 12);
  });

  it("do not overflow at huge goodness", () => {
    const large = tensor(new Float64Array(12).fill(1e6), { shape: [3, 4] });
    expect(forwardForwardLoss(large, weights, 1, 2).item()).toBe(0);
    expect(forwardForwardLoss(large, weights, 0, 2).item()).toBeCloseTo(4e12 - 2, 0);
  });
});

describe("similarities to representatives", () => {
  const h = relu(rng.normal([8, 5], { dtype: "float64" }));

  it("are the products with the last rows, over tau", () => {
    const logits = classLogits(h, 3, 0.5);
    expect(logits.shape).toEqual([8, 3]);
    const expected = sum(mul(take(h, 1), take(h, 6))).item() / 0.5;
    expect(logits.data()[1 * 3 + 1]).toBeCloseTo(expected, 12);
  });

  it("are uniform as tau goes to infinity", () => {
    const targets = tensor(
      new Float64Array(24).fill(0).map((_, i) => (i % 3 === 0 && i < 15 ? 0.2 : 0)),
      { shape: [8, 3] },
    ); // prettier-ignore
    expect(singleForwardLoss(h, targets, 1e12).item()).toBeCloseTo(Math.log(3), 9);
  });
});

/** Relative error of the gradient of a stage along a random direction against central differences. */
function gradientError(stage: Stage): number {
  const loss = (p: any) => stage.loss(p, stage.carried, stage.constants)[0];
  const draw = () => tree.map((leaf: Tensor) => rng.normal([...leaf.shape], { dtype: "float64" }), stage.params) as any;
  const direction = draw();
  // Away from biases of zero, at which nodes without input lie in the kink of ReLU.
  const at = tree.map((p: Tensor, d: Tensor) => add(p, mul(d, 0.1)), stage.params, draw()) as any;
  const moved = (s: number) => loss(tree.map((p: Tensor, d: Tensor) => add(p, mul(d, s)), at, direction));
  // Small steps, as ReLU has kinks near by; two of them, to have more digits.
  const central = (h: number) => (moved(h).item() - moved(-h).item()) / (2 * h);
  const expected = (4 * central(5e-7) - central(1e-6)) / 3;
  const gradient = grad(loss as any)(at) as any;
  const parts = tree.leaves<Tensor>(tree.map((g: Tensor, d: Tensor) => sum(mul(g, d)), gradient, direction));
  const actual = parts.reduce((total, part) => total + part.item(), 0);
  return Math.abs(actual - expected) / Math.abs(expected);
}

describe.each(["gcn", "sage", "gat"] as const)("local losses of %s", (convolution) => {
  // Layers that act at once read states that do not depend on the parameters: differences then see what gradients see.
  const options = {
    convolution,
    hidden: 8,
    layers: 2,
    dtype: "float64" as const,
    ...headsOf(convolution),
    alternating: false,
  };

  it.each<NodeMethod>(["sf", "sf-top-to-input", "ff-la", "ff-vn", "bp"])(
    "%s has the gradient of differences",
    async (method) => {
      const training = nodeTraining(settleNodeTask("test", smallTask(), options), method);
      const first = await training.begin([]);
      expect(gradientError(first)).toBeLessThan(1e-6);
      if (training.stages > 1) expect(gradientError(await training.begin([first.params]))).toBeLessThan(1e-6);
    },
  );

  it("sf-top-to-loss has the gradient of differences", async () => {
    const training = nodeTraining(settleNodeTask("test", smallTask(), options), "sf-top-to-loss");
    expect(gradientError(await training.begin([]))).toBeLessThan(1e-6);
  });

  it.each(["ce", "ff", "ce-top-to-input", "bp"] as const)(
    "%s of links has the gradient of differences",
    async (method) => {
      const training = linkTraining(settleLinkTask("test", smallLinks(), options), method);
      expect(gradientError(await training.begin([]))).toBeLessThan(1e-6);
    },
  );

  it.each<NodeMethod>(["sf", "sf-top-to-input", "sf-top-to-loss", "ff-la", "ff-vn", "bp"])(
    "%s does not care how nodes are numbered",
    async (method) => {
      const task = smallTask();
      const order = [...rng.permutation(60).data()];
      const virtualFeatures = rng.normal([3, 6], { dtype: "float64" });
      const wrongLabels = [1, 2].map((k) => task.labels.map((label) => (label + k) % 3));
      const moved = wrongLabels.map((labels) => labels.map((_, i) => labels[order[i]]));
      const loss = async (t: typeof task, wrong: Int32Array[]) => {
        const setting = settleNodeTask("test", t, { ...options, virtualFeatures, wrongLabels: wrong });
        const stage = nodeTraining(setting, method).begin([]);
        return stage.loss(stage.params, stage.carried, stage.constants)[0].item();
      };
      const renumbered = renumberTask(task, order) as typeof task;
      expect(Math.abs((await loss(task, wrongLabels)) - (await loss(renumbered, moved)))).toBeLessThan(1e-12);
    },
  );
});

describe("link losses", () => {
  it("of ce cannot fall below log 2 at pairs that are no links, as outputs are not negative", async () => {
    const setting = settleLinkTask("test", smallLinks(), { hidden: 8, dtype: "float64" });
    const stage = await linkLayers(setting, "ce").begin([]);
    expect(stage.loss(stage.params, null, stage.constants)[0].item()).toBeGreaterThan(Math.log(2) / 2);
    const z = zeros([50, 8], "float64");
    expect(linkLoss("ce", z, setting.trainPairs, setting.positives, 2).item()).toBeCloseTo(Math.log(2), 12);
    expect(linkLoss("ff", z, setting.trainPairs, setting.positives, 2).item()).toBeCloseTo(2.126928 + 0.126928, 5);
  });
});

describe("no gradient crosses a layer", () => {
  it.each<NodeMethod>(["sf-top-to-input", "sf-top-to-loss"])("in a time step of %s", async (method) => {
    const setting = settleNodeTask("test", smallTask(), { hidden: 8, layers: 3, dtype: "float64" });
    const stage = nodeTraining(setting, method).begin([]);
    const gradients = (p: any) =>
      grad(((q: any) => stage.loss(q, stage.carried, stage.constants)[0]) as any)(p) as any[];
    const before = gradients(stage.params);
    // Layer 3's parameters change; states that others read are the old ones, or those of the same step's odd layers.
    const changed = (stage.params as GcnParams[]).map((p, l) => (l === 2 ? tree.map((x: Tensor) => mul(x, 3), p) : p));
    const after = gradients(changed);
    expect(largestDifference(before[0].weight, after[0].weight)).toBe(0);
    const topReaches = largestDifference(before[1].weight, after[1].weight);
    if (method === "sf-top-to-loss") expect(topReaches).toBe(0);
    const loss = (p: any) => stage.loss(p, stage.carried, stage.constants)[0];
    expect(loss(changed).item()).not.toBe(loss(stage.params).item());
  });
});
