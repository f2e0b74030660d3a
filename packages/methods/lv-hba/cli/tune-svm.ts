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
import { add, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { type LvHbaRecord, type LvHbaState, lvHba, solveLowerProgramme, svmHyperParameters } from "../src/index.js";

/** Common costs that are tried for a start: these parts of the logarithm of the largest one. */
const STARTS = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1];

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
    largestCost: option.number(
      "largest cost, and one over the least; above 12 steps are shorter in its proportion, and more --max-iterations are called for",
      { default: 12, above: 1, most: 1000 },
    ),
    maxIterations: option.integer("steps", { default: 2000, least: 1, free: true }),
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
    const costScale = 3;
    const problem = svmHyperParameters(
      { train: { features, labels: train.target }, validation: { features: unseen, labels: test.target } },
      { per: options.per, costScale, logCostLimit: Math.log(options.largestCost) },
    );
    print(
      `${train.inputs.shape[0]} rows to learn from, ${test.inputs.shape[0]} to judge by, ${table.features.length} features`,
    );
    const { maxIterations } = options;
    const run = await longRun<LvHbaRecord, LvHbaState>({
      progress: ({ iteration, upper }) => ({
        fraction: iteration / maxIterations,
        label: `loss ${upper.toPrecision(4)}`,
      }),
    });
    const labels = test.target.data();
    const judged = async (x: Tensor) => {
      const { y, multipliers } = await solveLowerProgramme(problem, x, { tolerance: 1e-9 });
      const decided = problem.decide(y, unseen).data();
      const right = labels.filter((label: number, i: number) => label * decided[i] > 0).length;
      return { x, y, multipliers, loss: problem.upper(x, y, null).item(), accuracy: right / labels.length };
    };
    // From the machine of the best common cost: from zeros, costs move far before there is a machine that says where to, and
    // one cost for all hardly moves at all.
    const common: Awaited<ReturnType<typeof judged>>[] = [];
    for (const part of STARTS) {
      const logCost = part * Math.log(options.largestCost);
      common.push(await judged(add(problem.initial.x, logCost / costScale)));
    }
    const before = common[STARTS.indexOf(0)];
    const start = common.reduce((best, each) => (each.loss < best.loss ? each : best));
    const { x, y, multipliers } = start;
    // Slopes of the saddle point grow with the largest cost: longer steps diverge.
    const eta = 0.1 * Math.min(1, 12 / options.largestCost);
    const result = await lvHba(
      { ...problem, initial: { x, y } },
      {
        ...{ maxIterations, eta, alpha: eta / 2, penalty: (k) => 0.1 * (k + 1) ** 0.3 },
        initial: { lambda: multipliers, z: multipliers },
        ...run.options,
      },
    );
    await run.settle(result);
    if (result.warning !== null) note(result.warning);
    const after = await judged(result.x);
    const commonCost = problem.costs(start.x).data()[0];
    report([
      ["loss of the rows to judge by, all costs 1", before.loss.toPrecision(4)],
      [`with one cost for all, ${commonCost.toPrecision(3)}`, start.loss.toPrecision(4)],
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
