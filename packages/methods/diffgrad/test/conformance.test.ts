import { optimizerConformance } from "@offprint/optim/conformance";
import { sigmoid, sub } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type DiffGradOptions, diffGrad } from "../src/index.js";

const invalid = [
  () => diffGrad({ lr: 0.1 } as DiffGradOptions),
  () => diffGrad({ learningRate: -1 }),
  () => diffGrad({ beta1: 1 }),
  () => diffGrad({ beta2: -0.5 }),
  () => diffGrad({ epsilon: Number.NaN }),
  () => diffGrad({ weightDecay: -1 }),
];
const variants: Record<string, DiffGradOptions> = {
  diffGrad: {},
  "diffGrad with signed friction": { friction: "signed" },
  "diffGrad with wide friction and epsilon before the correction": {
    friction: "wide",
    epsilonPlacement: "before-correction",
  },
  "diffGrad with the user's friction": { friction: (previous, g) => sigmoid(sub(g, previous)) },
};

for (const [name, options] of Object.entries(variants)) {
  optimizerConformance(
    name,
    {
      make: (more) => diffGrad({ ...options, ...more }),
      quadratic: { learningRate: 0.1, steps: 800, tolerance: 2e-3 },
      invalid,
    },
    { describe, it, expect },
  );
}
