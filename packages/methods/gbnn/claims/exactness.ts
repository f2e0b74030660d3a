import { type Claim, largestDifference } from "@offprint/claims";
import { sigmoid, softmax, type Tensor } from "@offprint/tensor-core";
import { additiveDecision, applyNetwork, type GbnnModel, toNetwork } from "../src/index.js";
import { fitClasses, fitNumbers, gbnn } from "./method.js";
import { classes, friedman } from "./problems.js";

/** Makes one network of a model. */
export type Assemble = typeof toNetwork;

function predictionsOf(model: GbnnModel, F: Tensor): Tensor {
  if (model.link === "sigmoid") return sigmoid(F.mul(2));
  return model.link === "softmax" ? softmax(F) : F;
}

/** The assembled network is the additive model. */
export function oneNetwork(assemble: Assemble = toNetwork, units = { quick: 24, full: 60 }): Claim {
  return {
    id: "one-network",
    statement: "The boosted model is one ordinary network with one hidden layer, also with units switched off",
    source: "Section III",
    paper: "exact",
    async run(context) {
      const totalUnits = units[context.scale];
      const rows: (number | string)[][] = [];
      const tasks = [
        ["regression", friedman(context.seed), "numbers"],
        ["two classes", classes("breast cancer", context.seed), "classes"],
        ["three classes", classes("wine", context.seed), "classes"],
      ] as const;
      for (const [i, [name, problem, kind]] of tasks.entries()) {
        const { model } =
          kind === "numbers"
            ? await fitNumbers(gbnn, problem, context.seed, { totalUnits })
            : await fitClasses(gbnn, problem, context.seed, { totalUnits });
        for (const share of [1, 0.5, 0.1, 0]) {
          const keepBlocks = Math.round(share * model.blocks.length);
          const expected = predictionsOf(model, additiveDecision(model, problem.testInputs, { keepBlocks }));
          const network = assemble(model, { keepBlocks });
          rows.push([name, keepBlocks, largestDifference(applyNetwork(network, problem.testInputs), expected)]);
        }
        await context.onProgress((i + 1) / tasks.length, name);
      }
      const worst = Math.max(...rows.map((row) => row[2] as number));
      return {
        measured: worst,
        holds: worst < 1e-10,
        detail: `Largest difference between predictions of the network, with the standardisation folded in, and of the sum over the blocks, for three tasks and four numbers of blocks: ${worst.toExponential(1)}, to be below 1e-10.`,
        tables: [{ title: "Largest difference of predictions", columns: ["task", "blocks kept", "difference"], rows }],
      };
    },
  };
}
