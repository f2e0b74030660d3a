import { loadDescribed, mlp, saveDescribed } from "@offprint/nn";
import { concatenate, FormatError, ones, type Rng, random, type Tensor, tensor } from "@offprint/tensor-core";
import { linearModel, type TargetModel } from "../src/index.js";

const FORMAT = "offprint target-surrogates 1";

/** What a model predicts: numbers, or one of several classes. */
export type Task = "classification" | "regression";

/** Everything that a file says beside the parameters. */
export interface TableDescription {
  /** Columns to predict from, in order. */
  readonly inputs: readonly string[];
  /** The column that is predicted. */
  readonly target: string;
  /** What it holds. */
  readonly task: Task;
  /** Classes in the order of the outputs; two classes have one output, that of the second. */
  readonly classes: readonly string[];
  /** Outputs of the model. */
  readonly outputs: number;
  /** Widths of hidden layers; none for a linear model. */
  readonly hidden: readonly number[];
  /** Of numbers: means and standard deviations, in whose units the model predicts. */
  readonly units?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** A model with the scaling of its features. */
export interface TableModel {
  /** What it is. */
  readonly description: TableDescription;
  /** Parameters of the model that `modelOf` makes. */
  readonly params: any;
  /** Means of the features. */
  readonly mean: Tensor;
  /** Standard deviations of the features. */
  readonly std: Tensor;
}

/** A linear model with a bias, or a network, for standardised features. */
export function modelOf({ inputs, outputs, hidden }: TableDescription, seed: number): TargetModel<any, Tensor> {
  if (hidden.length === 0) return linearModel(inputs.length + 1, outputs);
  const network = mlp({ sizes: [inputs.length, ...hidden, outputs] });
  return {
    params: network.init(random.rng(`${seed}/parameters`)),
    forward: (params: any, x) => network.apply(params, x),
  };
}

/** What the model sees of standardised features: a column of ones beside them where it is linear. */
export function seenBy({ hidden }: TableDescription, x: Tensor): Tensor {
  if (hidden.length > 0) return x.cast("float32");
  return concatenate([x.cast("float64"), ones([x.shape[0], 1], "float64")], 1);
}

/** Outputs `[samples, outputs]` for features of a table; of numbers, in the table's units. */
export function outputsOf({ description, params, mean, std }: TableModel, x: Tensor): Tensor {
  const scaled = x.sub(mean).div(std);
  const z = modelOf(description, 0).forward(params, seenBy(description, scaled)).cast("float64");
  const { units } = description;
  if (units === undefined) return z;
  const [scale, middle] = [units.std, units.mean].map((values) => tensor(values, { dtype: "float64" }));
  return z.mul(scale).add(middle);
}

/** The bytes of a safetensors file with a model, whose header describes it. */
export function writeTableModel({ description, params, mean, std }: TableModel): Uint8Array {
  return saveDescribed(FORMAT, description, { model: params, features: { mean, std } });
}

/** @throws FormatError for a file that `fit-targets` did not write. */
export function readTableModel(bytes: Uint8Array): TableModel {
  const { description, params } = loadDescribed(bytes, FORMAT, likeTheSaved);
  return { description, params: params.model, mean: params.features.mean, std: params.features.std };
}

/** What was saved, for a reader to compare with; all of it is drawn, so that a file that lies of its sizes is found out. */
function likeTheSaved(description: TableDescription) {
  const { inputs, target, classes, outputs, hidden } = description;
  const texts = [inputs, classes].every((list) => Array.isArray(list) && list.every((x) => typeof x === "string"));
  if (!texts || typeof target !== "string" || !Array.isArray(hidden)) {
    throw new FormatError("the description in the file is of no table; the file is damaged");
  }
  if (classes.length > 0 && outputs !== (classes.length === 2 ? 1 : classes.length)) {
    throw new FormatError(`the file has ${classes.length} classes and ${outputs} outputs; it is damaged`);
  }
  const n = inputs.length;
  const network = hidden.length === 0 ? undefined : mlp({ sizes: [n, ...hidden, outputs] });
  return {
    init(rng: Rng) {
      const drawn = (shape: number[]) => rng.uniform(shape, { dtype: "float64" });
      const model: any = network?.init(rng) ?? drawn([n + 1, outputs]);
      return { model, features: { mean: drawn([n]), std: drawn([n]) } };
    },
  };
}
