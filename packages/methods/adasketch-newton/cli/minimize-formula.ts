import { defineCommand, exitCodes, option, seedOption, stateOptions } from "@offprint/commands";
import { type AdaSketchRecord, type AdaSketchResult, adaSketchNewton } from "../src/index.js";
import { readProblem, scaledProblem } from "./formula-problem.js";

/** `offprint minimize-formula problem.json --output solution.json` */
export const minimizeFormula = defineCommand({
  name: "minimize-formula",
  summary: "Minimise a formula of several variables under equations between formulas",
  arguments: {
    problem: option.fileIn(
      '{ "minimize": "x + y", "equations": ["x^2 + y^2 = 2"], "start": { "x": 1, "y": 0 } } (JSON)',
      { required: true, endings: [".json"] },
    ),
  },
  options: {
    sketch: option.choice(["exact", "kaczmarz", "gaussian"], "how Newton's systems are solved", { default: "exact" }),
    tolerance: option.number("of the slopes of the Lagrangian and of the equations, in parts of those at the start", {
      default: 1e-8,
      above: 0,
      free: true,
    }),
    maxIterations: option.integer("most iterations", { default: 500, least: 1, free: true }),
    ...seedOption,
    output: option.fileOut("file for the solution (JSON)", { short: "o", endings: [".json"] }),
    ...stateOptions,
  },
  async run({ options, arguments: words, print, report, note, write, longRun, refuse }) {
    const { sketch, tolerance, maxIterations, seed } = options;
    if (sketch === "exact") refuse(["seed"], "nothing is random with --sketch exact");
    const given = await readProblem(words.problem);
    const { problem, start, ...units } = scaledProblem(words.problem, given);
    print(`${given.names.length} variables, ${given.equations.length} equations`);
    const run = await longRun<AdaSketchRecord, AdaSketchResult<unknown>["state"]>({
      progress: ({ iteration, kkt }) => ({
        fraction: iteration / maxIterations,
        label: `residual ${kkt.toExponential(1)}`,
      }),
    });
    const result = await adaSketchNewton(problem, start, {
      ...{ sketch: { kind: sketch }, tolerance, maxIterations, seed },
      ...run.options,
    });
    await run.settle(result);
    const x = units.variables(result.x);
    const multipliers = units.multipliers(result.multipliers);
    const { objective, differences } = units.values(x);
    const shown = (value: number) => String(Number(value.toPrecision(10)));
    report([
      ["status", `${result.status} after ${result.iterations} iterations`],
      ["value", shown(objective)],
      ...given.names.map((name, j) => [name, shown(x[j])] as const),
    ]);
    report(
      given.equations.map(({ text }, i) => [
        text,
        `multiplier ${shown(multipliers[i])}, left - right ${differences[i].toExponential(1)}`,
      ]),
    );
    if (result.status === "limit")
      note("It may be unbounded, or begin far away: try another start, or more --max-iterations.");
    if (result.status === "singularJacobian")
      note("The equations depend on each other there; leave one out, or begin elsewhere.");
    const solution = {
      ...{ status: result.status, iterations: result.iterations, minimize: given.objective.text, value: objective },
      variables: Object.fromEntries(given.names.map((name, j) => [name, x[j]])),
      equations: given.equations.map(({ text }, i) => ({
        equation: text,
        multiplier: multipliers[i],
        difference: differences[i],
      })),
      residual: result.kkt,
    };
    await write(options.output, `${JSON.stringify(solution, null, 2)}\n`);
    return result.status === "converged" ? undefined : exitCodes.negative;
  },
});
