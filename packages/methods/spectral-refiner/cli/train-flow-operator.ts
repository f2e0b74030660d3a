import { defineCommand, Failure, option, seedOption, stateOptions } from "@offprint/commands";
import { readNpy } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import type { TrainingRecord, TrainingState } from "@offprint/optim";
import { random, tensor } from "@offprint/tensor-core";
import {
  decayingFlows,
  type FlowOperatorParams,
  fitOperator,
  flowOperator,
  forcedFlows,
  generateFlows,
} from "../src/index.js";
import { saveOperator } from "./saved-operator.js";
import { sizeOf } from "./size-of.js";

/** `offprint train-flow-operator --output operator.safetensors` */
export const trainFlowOperator = defineCommand({
  name: "train-flow-operator",
  summary: "Train a neural operator on generated flows, or on your own as .npy",
  options: {
    flows: option.fileIn("flows of your own, [flows, frames, n, n] (.npy); default: generated", { endings: [".npy"] }),
    kind: option.choice(["forced", "decaying"], "flows to generate", { default: "forced" }),
    points: option.integer("points along a side of generated flows", { default: 32, least: 8 }),
    count: option.integer("flows to generate", { default: 40, least: 1 }),
    viscosity: option.number("viscosity of generated flows", { default: 1e-3, above: 0 }),
    spacing: option.number("time between two generated frames, a multiple of 0.02", { default: 0.2, above: 0 }),
    modes: option.list(option.integer("frequencies kept along the sides and in time", { least: 1 }), {
      default: [6, 6, 5],
      least: 3,
      most: 3,
    }),
    width: option.integer("channels, even", { default: 6, least: 4 }),
    layers: option.integer("spectral layers", { default: 3, least: 1 }),
    activation: option.choice(["relu", "gelu"], "what follows each layer", { default: "relu" }),
    window: option.integer("frames that are given, and frames that are predicted", { default: 10, least: 5 }),
    epochs: option.integer("passes over the flows", { default: 12, least: 1 }),
    batchSize: option.integer("flows of a batch", { default: 4, least: 1 }),
    learningRate: option.number("largest step of Adam", { default: 0.01, above: 0 }),
    ...seedOption,
    output: option.fileOut("file for the operator (safetensors)", { short: "o", required: true }),
    ...stateOptions,
  },
  async run({ options, print, report, write, longRun, refuse, signal }) {
    if (options.flows !== undefined) {
      refuse(["kind", "points", "count", "viscosity", "spacing"], "the flows of --flows are made already");
    }
    const { modes, width, layers, activation, window, epochs, batchSize, learningRate, seed } = options;
    const [mx, my, mt] = modes as [number, number, number];
    const read = options.flows === undefined ? await generated() : await loadFile(options.flows, readNpy);
    const flows = tensor(read, { dtype: "float64" });
    if (flows.rank !== 4 || flows.size === 0) {
      throw new Failure(`${options.flows}: an array of shape [${flows.shape}]; give [flows, frames, n, n]`);
    }
    const operator = flowOperator({ modes: [mx, my, mt], width, layers, activation, latentFrames: window });
    // A network learns numbers of order one, whatever the unit of the file.
    const scale = sizeOf(flows) || 1;
    print(`${flows.shape[0]} flows of ${flows.shape[1]} frames, ${flows.shape[2]} x ${flows.shape[3]} points`);
    const steps = epochs * Math.floor(flows.shape[0] / batchSize);
    const run = await longRun<TrainingRecord, TrainingState<FlowOperatorParams>>({
      progress: ({ step, loss }) => ({ fraction: step / steps, label: `step ${step}, error ${loss.toPrecision(3)}` }),
    });
    const result = await fitOperator(operator, tensor(flows.div(scale), { dtype: "float32" }), {
      window: [window, window],
      epochs,
      batchSize,
      learningRate,
      seed,
      ...run.options,
    });
    await run.settle(result);
    report([
      ["steps", result.steps],
      ["relative error of the first batch", result.history[0]?.loss.toPrecision(3) ?? "none"],
      ["of the last batch", result.history.at(-1)?.loss.toPrecision(3) ?? "none"],
    ]);
    await write(options.output, saveOperator(flowOperator({ ...operator.config, scale }), result.params));

    async function generated() {
      const { kind, points, viscosity, count, spacing } = options;
      const family = (kind === "forced" ? forcedFlows : decayingFlows)({ points, viscosity });
      const settings = { stepSize: kind === "forced" ? 0.02 : 0.005, spacing, warmUp: 5, frames: 2 * window + 4 };
      return (await generateFlows(family, { ...settings, count, rng: random.rng(`flows/${seed}`), signal })).frames;
    }
  },
});
