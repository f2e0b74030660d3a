import { standardization } from "@offprint/data";
import { asTensor, isTensor, random, ShapeError, type Tensor, type TensorLike, tensor } from "@offprint/tensor-core";
import { type Boosted, boost } from "./boost.js";
import { classIndices, codeClasses, sortedClasses } from "./classes.js";
import { type BoostLoss, losses } from "./loss.js";
import { type GbnnModel, readFeatures, standardizeRows } from "./model.js";
import { type GbnnOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { requireThat } from "./requirements.js";

/** Options of a fit that goes on from an earlier one. */
export interface FitOptions extends GbnnOptions {
  /** The model of an earlier run on the same samples with the same options, to add the remaining blocks to. */
  resume?: GbnnModel;
}

/**
 * Learns to predict numbers.
 *
 * @param x `[samples, features]`, at least two samples.
 * @param y `[samples]` or `[samples, outputs]`.
 * @throws ShapeError, ValueError for options, or for values that are not finite.
 * @see https://arxiv.org/abs/1909.12098
 */
export async function fitRegressor(x: TensorLike, y: TensorLike, options: FitOptions = {}): Promise<Boosted> {
  const caller = "fitRegressor";
  const settings = resolveOptions(caller, options);
  const { data, rows, features } = readFeatures(caller, x);
  const given = asTensor(y);
  if (given.rank < 1 || given.rank > 2 || given.shape[0] !== rows) {
    throw new ShapeError(
      `${caller}: y has shape [${given.shape}]; it must be [${rows}] or [${rows}, outputs], as x has ${rows} rows`,
    );
  }
  const targets = Float64Array.from(given.data());
  const bad = targets.findIndex((value) => !Number.isFinite(value));
  requireThat(bad < 0, `${caller}: y is ${targets[bad]} at ${bad}; remove such samples`);
  const outputs = given.shape[1] ?? 1;
  const loss = lossOf(caller, options.loss ?? losses.squared(outputs), outputs);
  return run(caller, { task: "regression" }, { data, rows, features, targets }, loss, settings, options);
}

/**
 * Learns to tell classes apart.
 *
 * @param x `[samples, features]`, at least two samples.
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
  const settings = resolveOptions(caller, options);
  const { data, rows, features } = readFeatures(caller, x);
  const labels = isTensor(y) ? y.data() : y;
  if (labels.length !== rows) {
    throw new ShapeError(`${caller}: y has ${labels.length} classes for ${rows} samples; give one for each row of x`);
  }
  const classes = options.resume?.classes ?? sortedClasses(caller, labels);
  const outputs = classes.length === 2 ? 1 : classes.length;
  const loss = lossOf(
    caller,
    options.loss ?? (outputs === 1 ? losses.logExponential() : losses.softmax(outputs)),
    outputs,
  );
  const targets = codeClasses(classIndices(caller, labels, classes), classes.length);
  return run(caller, { task: "classification", classes }, { data, rows, features, targets }, loss, settings, options);
}

function lossOf(caller: string, loss: BoostLoss, outputs: number): BoostLoss {
  requireThat(
    loss.outputs === outputs,
    `${caller}: the loss has ${loss.outputs} outputs and the task ${outputs}; give a loss with ${outputs}`,
  );
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
  const fresh = (): GbnnModel => ({
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
  });
  const start = options.resume ? resumable(caller, options.resume, fresh()) : fresh();
  standardizeRows(data, start);
  return boost(start, { x: data, targets, rows }, loss, settings, random.rng(settings.seed), options);
}

function scaleOf(data: Float64Array, rows: number, features: number, standardize: boolean) {
  if (!standardize) return { mean: new Float64Array(features), std: new Float64Array(features).fill(1) };
  const { mean, std } = standardization(tensor(data, { shape: [rows, features] }));
  return { mean: mean.data() as Float64Array, std: std.data() as Float64Array };
}

/** An earlier model, if it belongs to the same samples and options. */
function resumable(caller: string, model: GbnnModel, fresh: GbnnModel): GbnnModel {
  for (const key of ["task", "features", "units", "outputs", "activation", "link", "margin"] as const) {
    requireThat(
      model[key] === fresh[key],
      `${caller}: resume has ${key} ${model[key]}, this run ${fresh[key]}; give the samples and options of the earlier run`,
    );
  }
  for (const key of ["mean", "std", "initial"] as const) {
    requireThat(
      model[key].every((value, i) => value === fresh[key][i]),
      `${caller}: resume was fitted to other samples (its ${key} differs); give those of the earlier run`,
    );
  }
  return model;
}
