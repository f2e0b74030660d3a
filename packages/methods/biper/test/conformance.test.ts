import { runConformance } from "@offprint/solvers/conformance";
import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { binaryConv, chain, fitNetwork, parts } from "../src/index.js";

const tools = { describe, it, expect };
const inputs = random.rng(1).normal([12, 1, 3, 3]);
const data = { inputs, targets: tensor(Int32Array.from({ length: 12 }, (_, i) => i % 2)) };
const network = chain({
  bn: parts.batchNorm(1),
  binary: binaryConv({ inputs: 1, outputs: 2, kernel: 3 }),
  flatten: parts.flatten,
  linear: parts.linear({ inputs: 2, outputs: 2 }),
});
const broken = { ...data, inputs: inputs.mul(Number.NaN) };
const invalid = [{ batchSize: 0 }, { validation: { ...data, inputs: inputs.mul(Infinity) } }];

/** The limit of a stage and a misspelt one are the stage's options, all others those of the run. */
const ofStage = (epochs: unknown, epoch: unknown) =>
  ({ epochs, learningRate: 0.05, ...(epoch !== undefined && { epoch }) }) as never;

runConformance(
  "fitNetwork, one stage",
  {
    run: ({ epochs, epoch, ...options }) =>
      fitNetwork(network, data, { batchSize: 6, stage2: ofStage(epochs, epoch), ...options }),
    limit: "epochs",
    short: 2,
    endless: { epochs: 1e5 },
    seeded: true,
    invalid,
    nonFinite: [() => fitNetwork(network, broken, { stage2: ofStage(1, undefined) })],
    outcome: ({ model, status, steps, history }) => ({ ...model, network: null, status, steps, history }),
  },
  tools,
);

runConformance(
  "fitNetwork, two stages",
  {
    run: ({ epochs, epoch, ...options }) =>
      fitNetwork(network, data, {
        batchSize: 6,
        validation: data,
        stage1: { epochs: 1, learningRate: 0.05 },
        stage2: ofStage(epochs, epoch),
        ...options,
      }),
    limit: "epochs",
    short: 2,
    endless: { epochs: 1e5 },
    seeded: true,
    invalid,
    nonFinite: [() => fitNetwork(network, broken, { stage1: ofStage(1, undefined), stage2: ofStage(1, undefined) })],
    outcome: ({ model, stage1, status, steps, history }) => {
      return { params: model.params, state: model.state, first: stage1?.params ?? null, status, steps, history };
    },
  },
  tools,
);
