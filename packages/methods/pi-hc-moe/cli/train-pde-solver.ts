import { defineCommand, Failure, option, seedOption, stateOptions } from "@offprint/commands";
import type { RunState } from "@offprint/solvers";
import { type FourierBasisParams, fitSolver, fourierBasis, type TrainPoint, type TrainRecord } from "../src/index.js";
import {
  describeEquation,
  equationNames,
  equationOf,
  equationOptions,
  expertOptions,
  kindOf,
  readInitial,
} from "./equations.js";
import { saveSolver } from "./saved-solver.js";

/** `offprint train-pde-solver initial.npy --equation burgers --output solver.safetensors` */
export const trainPdeSolver = defineCommand({
  name: "train-pde-solver",
  summary: "Train a network to solve an equation for many initial conditions, without solutions",
  arguments: {
    initial: option.fileIn(
      "initial conditions (.npy): [count, points] of burgers, [count] of diffusion-sorption, [count, points, points] of navier-stokes",
      { required: true, endings: [".npy"] },
    ),
  },
  options: {
    ...equationOptions,
    equation: option.choice(equationNames, "what is solved", { default: "burgers" }),
    ...expertOptions,
    functions: option.integer("basis functions", { default: 8, least: 1 }),
    width: option.integer("channels within", { default: 16, least: 1, most: 8192 }),
    layers: option.integer("Fourier layers", { default: 3, least: 1 }),
    modes: option.list(option.integer("frequencies kept along each axis, time first; default 6", { least: 1 }), {
      least: 2,
      most: 3,
    }),
    maxIterations: option.integer("of Levenberg and Marquardt at most", { default: 12, least: 1 }),
    steps: option.integer("updates", { default: 400, least: 1 }),
    batchSize: option.integer("initial conditions of an update, or all", { default: 4, least: 1 }),
    learningRate: option.number("of Adam", { default: 2e-3, above: 0 }),
    ...seedOption,
    output: option.fileOut("file for the solver (safetensors)", { short: "o", required: true }),
    ...stateOptions,
  },
  async run({ options, arguments: words, print, report, write, longRun }) {
    const { equation, functions, width, layers, maxIterations, steps, learningRate, seed } = options;
    const initial = await readInitial(words.initial, equation);
    const kind = kindOf(equation);
    const said = describeEquation(options, equation, initial);
    const pde = equationOf(said);
    const modes = options.modes ?? pde.grid.map((n) => Math.max(1, Math.min(6, Math.floor(n / 2))));
    if (modes.length !== pde.grid.length) {
      throw new Failure(
        `--modes is ${modes.join()}; give one number for each axis of the grid, ${pde.grid.join(" x ")}`,
      );
    }
    const described = { inputs: kind.inputs, basis: functions, width, layers, modes, hidden: 2 * width };
    const network = fourierBasis(described);
    const solving = { experts: options.experts ?? kind.experts, ridge: options.ridge ?? kind.ridge };
    const [count] = initial.shape;
    print(`${count} initial conditions, a grid of ${pde.grid.join(" x ")}, ${solving.experts.join(" x ")} experts`);
    const run = await longRun<TrainRecord, RunState<TrainPoint<FourierBasisParams>, TrainRecord>>({
      progress: ({ step, loss }) => ({
        fraction: step / steps,
        label: `step ${step}, residual ${loss.toPrecision(3)}`,
      }),
    });
    const result = await fitSolver(
      network,
      pde,
      { initial },
      {
        ...{ solving: { ...solving, maxIterations }, steps, learningRate, seed },
        ...{ batchSize: Math.min(options.batchSize, count), ...run.options },
      },
    );
    await run.settle(result);
    report([
      ["updates", result.steps],
      ["loss of the first batch", result.history[0]?.loss.toPrecision(3) ?? "none"],
      ["of the last batch", result.history.at(-1)?.loss.toPrecision(3) ?? "none"],
    ]);
    await write(options.output, saveSolver({ equation: said, network: described, solving }, result.params));
  },
});
