import { standardization } from "@offprint/data";
import { runOptionNames } from "@offprint/solvers";
import {
  asTensor,
  isTensor,
  random,
  requireFunction,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import { type Boosted, boost } from "./boost.js";
import { classIndices, codeClasses, sortedClasses } from "./classes.js";
import { columnsOf } from "./hidden-layer.js";
import { type BoostLoss, losses } from "./loss.js";
import { type GbnnModel, readFeatures, standardizeRows } from "./model.js";
import { type FitOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { requireThat } from "./requirements.js";

/**
 * Learns to predict numbers.
 *
 * @param x `[samples, features]`, at least two samples; plain arrays are read as float64.
 * @param y `[samples]` or `[samples, outputs]`.
 * @throws ShapeError, ValueError for options, or for values that are not finite; NonFiniteError, with the last good
 * state, where the loss overflows.
 * @see https://arxiv.org/abs/1909.12098
 * @example
 * const { model } = await fitRegressor([[0], [1], [2], [3]], [0, 1, 4, 9], { totalUnits: 6, unitsPerStep: 2 });
 */
export async function fitRegressor(x: TensorLike, y: TensorLike, options: FitOptions = {}): Promise<Boosted> {
  const caller = "fitRegressor";
  const settings = resolveOptions(caller, options, runOptionNames);
  const { data, rows, features } = readFeatures(caller, x);
  const { targets, outputs } = readNumbers(caller, y, rows);
  const loss = lossOf(caller, options.loss ?? losses.squared(outputs), outputs);
  return run(caller, { task: "regression" }, { data, rows, features, targets }, loss, settings, options);
}

/**
 * Learns to tell classes apart.
 *
 * @param x `[samples, features]`, at least two samples; plain arrays are read as float64.
 * @param y the class of every sample, numbers or texts; two classes at least.
 * @throws ShapeError, ValueError for options, values that are not finite, or a single class.
 * @see https://arxiv.org/abs/1909.12098
 */
export async function fitClassifier(
  x: TensorLike,
  y: Tensor | ArrayLike<number | string>,
  options: FitOptions = {},
): Promise<Boosted> {
  const caller = "fitClassifier";
  const settings = resolveOptions(caller, options, runOptionNames);
  const { data, rows, features } = readFeatures(caller, x);
  const labels = readLabels(caller, y, rows);
  const classes = sortedClasses(caller, labels);
  const outputs = classes.length === 2 ? 1 : classes.length;
  const loss = lossOf(
    caller,
    options.loss ?? (outputs === 1 ? losses.logExponential() : losses.softmax(outputs)),
    outputs,
  );
  const targets = codeClasses(classIndices(caller, labels, classes), classes.length);
  return run(caller, { task: "classification", classes }, { data, rows, features, targets }, loss, settings, options);
}

/** Numbers to be predicted, row-major. @throws ShapeError, ValueError for values that are not finite. */
export function readNumbers(
  caller: string,
  y: TensorLike,
  rows: number,
  outputs?: number,
): { readonly targets: Float64Array; readonly outputs: number } {
  if (y === undefined || y === null) throw new ShapeError(`${caller}: y is missing; give a number for each row of x`);
  const given = asTensor(y, "float64");
  const width = given.shape[1] ?? 1;
  if (given.rank < 1 || given.rank > 2 || given.shape[0] !== rows || (outputs ?? width) !== width) {
    const several = `[${rows}, ${outputs ?? "outputs"}]`;
    const wanted = (outputs ?? 1) === 1 ? `[${rows}] or ${several}` : several;
    throw new ShapeError(`${caller}: y has shape [${given.shape}]; it must be ${wanted}, as x has ${rows} rows`);
  }
  const targets = Float64Array.from(given.data());
  const bad = targets.findIndex((value) => !Number.isFinite(value));
  requireThat(bad < 0, `${caller}: y is ${targets[bad]} at ${bad}; remove such samples`);
  return { targets, outputs: width };
}

/** The class of every sample. @throws ShapeError */
export function readLabels(
  caller: string,
  y: Tensor | ArrayLike<number | string>,
  rows: number,
): ArrayLike<number | string> {
  const labels = isTensor(y) ? y.data() : y;
  if (typeof labels !== "object" || labels?.length !== rows) {
    throw new ShapeError(
      `${caller}: y has ${labels?.length ?? "no"} classes for ${rows} samples; give one for each row of x`,
    );
  }
  return labels;
}

function lossOf(caller: string, loss: BoostLoss, outputs: number): BoostLoss {
  requireThat(
    loss.outputs === outputs,
    `${caller}: the loss has ${loss.outputs} outputs and the task ${outputs}; give a loss with ${outputs}`,
  );
  for (const name of ["initial", "residuals", "step", "value"] as const)
    requireFunction(caller, `loss.${name}`, loss[name]);
  return loss;
}

interface Samples {
  readonly data: Float64Array;
  readonly rows: number;
  readonly features: number;
  readonly targets: Float64Array;
}

async function run(
  caller: string,
  described: Pick<GbnnModel, "task" | "classes">,
  { data, rows, features, targets }: Samples,
  loss: BoostLoss,
  settings: ResolvedOptions,
  options: FitOptions,
): Promise<Boosted> {
  requireThat(rows >= 2, `${caller}: x has ${rows} samples; give at least 2`);
  const empty: GbnnModel = {
    ...described,
    features,
    units: settings.unitsPerStep,
    outputs: loss.outputs,
    activation: settings.activation,
    link: loss.link,
    margin: loss.margin,
    ...scaleOf(data, rows, features, settings.standardize),
    initial: loss.initial(targets),
    blocks: [],
  };
  standardizeRows(data, empty);
  const samples = { x: columnsOf(data, features), targets, rows };
  return boost({ owner: caller, samples, loss, options: settings, rng: random.rng(settings.seed) }, empty, options);
}

function scaleOf(data: Float64Array, rows: number, features: number, standardize: boolean) {
  if (!standardize) return { mean: new Float64Array(features), std: new Float64Array(features).fill(1) };
  const { mean, std } = standardization(tensor(data, { shape: [rows, features] }));
  return { mean: mean.data() as Float64Array, std: std.data() as Float64Array };
}
