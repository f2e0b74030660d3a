import { jitSync, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose, readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  adabelief,
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  amsgrad,
  applyUpdates,
  binaryCrossEntropy,
  clipByGlobalNorm,
  crossEntropy,
  type GradientTransformation,
  globalNorm,
  huberLoss,
  meanSquaredError,
  rmsprop,
  sgd,
} from "../src/index.js";

const torch = readFixture<any>(import.meta.url, "torch.json");
const float64 = (values: any) => tensor(values, { dtype: "float64" });

describe("optimizers follow PyTorch's trajectories, and AdaBelief its formula", () => {
  const learningRate = 0.05;
  const weightDecay = 0.1;
  const optimizers: Record<string, GradientTransformation> = {
    sgd: sgd({ learningRate }),
    sgd_momentum: sgd({ learningRate, momentum: 0.9 }),
    sgd_nesterov: sgd({ learningRate, momentum: 0.9, nesterov: true, weightDecay }),
    adam: adam({ learningRate, weightDecay }),
    adamw: adamw({ learningRate, weightDecay }),
    amsgrad: amsgrad({ learningRate }),
    adamax: adamax({ learningRate, weightDecay }),
    adabelief: adabelief({ learningRate, weightDecay }),
    adabelief_epsilon: adabelief({ learningRate, beta1: 0.8, beta2: 0.99, epsilon: 1e-3 }),
    adagrad: adagrad({ learningRate }),
    rmsprop: rmsprop({ learningRate }),
    adadelta: adadelta(),
  };
  it.each(Object.entries(optimizers))("%s", (name, optimizer) => {
    let params = float64(torch.start);
    let state = optimizer.init(params);
    torch.gradients.forEach((g: number[], i: number) => {
      const result = optimizer.update(float64(g), state, params);
      params = applyUpdates(params, result.updates);
      state = result.state;
      if (i % 5 === 4) expectClose(params, torch.trajectories[name][(i - 4) / 5], 1e-12);
    });
  });
});

it("clipByGlobalNorm scales as PyTorch's clip_grad_norm_ does, up to its 1e-6 in the denominator", () => {
  const gradients = float64(torch.gradients);
  const { updates } = clipByGlobalNorm(2).update(gradients, {}, gradients);
  expectClose(updates.slice([{ stop: 2 }]), torch.clipped, 1e-6);
});

describe("gradients whose squares are no numbers any more", () => {
  const lengths: [number, "float32" | "float64"][] = [
    [1e20, "float32"],
    [1e-25, "float32"],
    [1e200, "float64"],
    [1e-200, "float64"],
  ];
  it.each(lengths)("of length %s in %s are measured and shortened", (unit, dtype) => {
    const gradients = {
      a: tensor([3 * unit, 0], { dtype }),
      b: tensor([-4 * unit], { dtype }),
      c: tensor([], { dtype }),
    };
    for (const norm of [globalNorm(gradients), jitSync(globalNorm)(gradients)]) {
      expectClose(norm, 5 * unit, { relative: 1e-6 });
    }
    const { updates } = clipByGlobalNorm(unit).update(gradients, {}, gradients);
    expectClose(updates.a, [0.6 * unit, 0], { relative: 1e-6 });
  });

  it("and are infinite or nothing where they are so", () => {
    expect(globalNorm([tensor([1, -Infinity])]).item()).toBe(Infinity);
    expect(globalNorm([tensor([1, Number.NaN])]).item()).toBeNaN();
    expect(globalNorm([tensor([0, 0])]).item()).toBe(0);
  });
});

describe("losses equal PyTorch's", () => {
  const logits = float64(torch.logits);
  const labels = tensor(torch.labels, { dtype: "int32" });
  const x = float64(torch.x);
  const y = float64(torch.y);
  const cases: Record<string, Tensor> = {
    crossEntropy: crossEntropy(logits, labels),
    crossEntropySoft: crossEntropy(logits, float64(torch.soft)),
    crossEntropySmoothed: crossEntropy(logits, labels, { labelSmoothing: 0.1 }),
    binaryCrossEntropy: binaryCrossEntropy(x, float64(torch.binary)),
    meanSquaredError: meanSquaredError(x, y),
    huberLoss: huberLoss(x, y, { delta: 0.7 }),
  };
  it.each(Object.entries(cases))("%s", (name, value) => expectClose(value, torch.losses[name], 1e-12));
});
