import { defineCommand, option, seedOption, stateOptions } from "@offprint/commands";
import {
  behaviourCloning,
  fitIql,
  fitOdice,
  type OfflineOptions,
  type OfflineRecord,
  type OfflineState,
  type PolicyOptions,
  scaledRewards,
} from "../src/index.js";
import { readTransitions } from "./read-transitions.js";

/** `offprint train-policy --data log.npz --output policy.onnx --steps 100000` */
export const trainPolicy = defineCommand({
  name: "train-policy",
  summary: "Learn a policy from a file of logged transitions, without a simulator",
  options: {
    data: option.fileIn(
      "logged steps: NPZ with observations, actions, rewards, terminals (timeouts, next_observations), or HDF5 as D4RL writes it",
      { required: true, short: "d" },
    ),
    method: option.choice(["orthogonal", "semi", "true", "iql", "cloning"], "how values are learnt", {
      default: "orthogonal",
    }),
    steps: option.integer("updates", { default: 100_000, least: 1 }),
    batchSize: option.integer("transitions an update", { default: 256, least: 1 }),
    lambda: option.number("the larger, the fewer transitions count", { default: 0.6, above: 0, below: 1 }),
    eta: option.number("weight of the backward gradient", { default: 1, least: 0 }),
    discount: option.number("what the next step counts", { default: 0.99, least: 0, below: 1 }),
    learningRate: option.number("step of Adam", { default: 2e-4, above: 0 }),
    hidden: option.list(option.integer("widths of the policy's hidden layers", { least: 1 }), { default: [256, 256] }),
    valueHidden: option.list(option.integer("widths of the value's hidden layers", { least: 1 }), {
      default: [256, 256],
    }),
    normalize: option.flag("standardise observations, in training and in the policy"),
    rewards: option.choice(["as-they-are", "returns", "maze"], "how rewards are scaled first", {
      default: "as-they-are",
    }),
    share: option.number("cloning: share of the episodes that is imitated, the best", {
      default: 1,
      above: 0,
      most: 1,
    }),
    terminateOnEnd: option.flag("keep the last step before a timeout"),
    maxEpisodeSteps: option.integer("length of episodes, for files without timeouts", { least: 1 }),
    output: option.fileOut("file for the policy (ONNX, or safetensors)", {
      short: "o",
      endings: [".onnx", ".safetensors"],
    }),
    ...seedOption,
    ...stateOptions,
  },
  async run({ options, print, report, note, write, refuse, longRun }) {
    if (options.method !== "cloning") refuse(["share"], "only --method cloning imitates a part of the episodes");
    else refuse(["discount", "valueHidden"], "--method cloning learns no values");
    if (options.method === "iql" || options.method === "cloning") refuse(["lambda"], `--method is ${options.method}`);
    if (options.method !== "orthogonal") refuse(["eta"], "only --method orthogonal weighs the backward gradient");
    const { method, steps, batchSize, seed, lambda, eta, discount, learningRate, normalize, share } = options;
    const read = await readTransitions(options.data, options);
    const dataset = options.rewards === "as-they-are" ? read : scaledRewards(read, options.rewards);
    print(
      `${dataset.size} transitions, ${dataset.observations.shape[1]} entries of an observation, ${dataset.actions.shape[1]} of an action`,
    );
    const run = await longRun<OfflineRecord, OfflineState>({
      progress: ({ step }) => ({ fraction: step / steps, label: `step ${step} of ${steps}` }),
    });
    const common: OfflineOptions & PolicyOptions = {
      steps,
      batchSize,
      seed,
      normalize,
      policy: { hidden: options.hidden },
      policyLearningRate: learningRate,
      recordEvery: Math.max(1, Math.floor(steps / 1000)),
      onWarning: note,
      ...run.options,
    };
    const trained =
      method === "cloning"
        ? await behaviourCloning(dataset, { ...common, share })
        : method === "iql"
          ? await fitIql(dataset, { ...common, discount, hidden: options.valueHidden, valueLearningRate: learningRate })
          : await fitOdice(dataset, {
              ...common,
              type: method,
              lambda,
              eta,
              discount,
              value: { hidden: options.valueHidden },
              valueLearningRate: learningRate,
            });
    await run.settle(trained);
    const figures = trained.history.at(-1)?.figures ?? {};
    report(Object.entries(figures).map(([name, value]) => [name, value]));
    const { output } = options;
    await write(output, output?.endsWith(".onnx") ? trained.policy.toOnnx() : trained.policy.save());
  },
});
