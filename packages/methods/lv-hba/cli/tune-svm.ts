import {
  classesOf,
  defineCommand,
  holdOut,
  option,
  readTable,
  seedOption,
  stateOptions,
  tableOptions,
} from "@offprint/commands";
import { standardization, Table, writeCsv } from "@offprint/data";
import { tensor, ValueError } from "@offprint/tensor-core";
import { type LvHbaRecord, type LvHbaState, lvHba, solveLowerProgramme, svmHyperParameters } from "../src/index.js";

/** Costs of up to 12: with those of 20 and more, which separable rows call for, steps of the saddle point diverge. */
const LOG_COST_LIMIT = 2.5;

/** `offprint tune-svm --table data.csv --target y --output costs.csv` */
export const tuneSvm = defineCommand({
  name: "tune-svm",
  summary: "Tune the costs of a support vector machine on a table",
  options: {
    ...tableOptions,
    per: option.choice(["example", "all"], "a cost for each row, which finds wrong labels, or one for all", {
      default: "example",
    }),
    validation: option.number("part of the rows that the costs are judged by, in (0, 1)", {
      default: 0.4,
      above: 0,
      below: 1,
    }),
    iterations: option.integer("steps", { default: 2000, least: 1, free: true }),
    ...seedOption,
    output: option.fileOut(
      "file for the costs of the rows that are learnt from, with their numbers in the table (CSV)",
      { short: "o", endings: [".csv"] },
    ),
    ...stateOptions,
  },
  async run({ options, print, report, note, write, longRun }) {
    const table = await readTable(options.table, options);
    const { names, codes } = classesOf(table);
    if (names.length !== 2) {
      throw new ValueError(
        `${table.path}: ${table.targetName} has ${names.length} classes; a support vector machine tells two apart`,
      );
    }
    const signs = tensor(
      Float64Array.from(codes.data(), (code) => (code === 1 ? 1 : -1)),
      { dtype: "float64" },
    );
    const parts = holdOut({ ...table, target: signs }, options.validation, options.seed, "--validation");
    const { train, test, trainRows } = parts;
    if (test === undefined) throw new ValueError("--validation leaves no rows");
    const learnt = new Set(train.target.data());
    if (learnt.size < 2) {
      throw new ValueError(
        "--validation leaves rows of one class to learn from; give a smaller part, or another --seed",
      );
    }
    const scale = standardization(train.inputs);
    const [features, unseen] = [scale.apply(train.inputs), scale.apply(test.inputs)];
    const problem = svmHyperParameters(
      { train: { features, labels: train.target }, validation: { features: unseen, labels: test.target } },
      { per: options.per, logCostLimit: LOG_COST_LIMIT },
    );
    print(
      `${train.inputs.shape[0]} rows to learn from, ${test.inputs.shape[0]} to judge by, ${table.features.length} features`,
    );
    const { iterations } = options;
    const run = await longRun<LvHbaRecord, LvHbaState>({
      progress: ({ iteration, upper }) => ({ fraction: iteration / iterations, label: `loss ${upper.toPrecision(4)}` }),
    });
    // From the machine of equal costs: from zeros, costs move far before there is a machine that says where to.
    const { y, multipliers } = await solveLowerProgramme(problem, problem.initial.x, { tolerance: 1e-9 });
    const result = await lvHba(
      { ...problem, initial: { x: problem.initial.x, y } },
      {
        maxIterations: iterations,
        penalty: (k) => 0.1 * (k + 1) ** 0.3,
        initial: { lambda: multipliers, z: multipliers },
        ...run.options,
      },
    );
    await run.settle(result);
    if (result.warning !== null) note(result.warning);
    const labels = test.target.data();
    const judged = async (x: typeof result.x) => {
      const { y } = await solveLowerProgramme(problem, x, { tolerance: 1e-7 });
      const decided = problem.decide(y, unseen).data();
      const right = labels.filter((label: number, i: number) => label * decided[i] > 0).length;
      return { loss: problem.upper(x, y, null).item(), accuracy: right / labels.length };
    };
    const [before, after] = [await judged(problem.initial.x), await judged(result.x)];
    report([
      ["loss of the rows to judge by, all costs 1", before.loss.toPrecision(4)],
      ["with the tuned costs", after.loss.toPrecision(4)],
      ["part of them right, all costs 1", before.accuracy.toFixed(4)],
      ["with the tuned costs", after.accuracy.toFixed(4)],
    ]);
    const costs = problem.costs(result.x).data();
    const kept = train.target.data();
    const rows = new Table([
      { name: "row", type: "number", values: Float64Array.from(trainRows, (row) => row + 1) },
      { name: table.targetName, type: "text", values: Array.from(kept, (sign) => names[sign > 0 ? 1 : 0]) },
      { name: "cost", type: "number", values: Float64Array.from(costs) },
    ]);
    if (options.output === undefined) note("--output <file> keeps the costs of the rows to learn from.");
    await write(options.output, writeCsv(rows));
  },
});
