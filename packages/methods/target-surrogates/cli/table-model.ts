import { readSafetensors, writeSafetensors } from "@offprint/data";
import { loadParameters, mlp, saveParameters } from "@offprint/nn";
import { concatenate, FormatError, ones, random, type Tensor } from "@offprint/tensor-core";
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

/** Outputs `[samples, outputs]` for features of a table. */
export function outputsOf({ description, params, mean, std }: TableModel, x: Tensor): Tensor {
  const scaled = x.sub(mean).div(std);
  return modelOf(description, 0).forward(params, seenBy(description, scaled));
}

/** The bytes of a safetensors file with a model, whose header describes it. */
export function writeTableModel({ description, params, mean, std }: TableModel): Uint8Array {
  const { tensors } = readSafetensors(saveParameters(params));
  const named = Object.fromEntries(Object.entries(tensors).map(([name, value]) => [`model.${name}`, value]));
  return writeSafetensors(
    { ...named, "features.mean": mean, "features.std": std },
    { metadata: { format: FORMAT, description: JSON.stringify(description) } },
  );
}

/** @throws FormatError for a file that `fit-targets` did not write. */
export function readTableModel(bytes: Uint8Array): TableModel {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata?.format !== FORMAT)
    throw new FormatError(`the file is not marked "${FORMAT}"; give one that fit-targets wrote`);
  const description = JSON.parse(metadata.description) as TableDescription;
  const part = (name: string): Tensor => {
    const found = tensors[name];
    if (found?.size !== description.inputs.length) {
      throw new FormatError(`${name} is missing or has not ${description.inputs.length} numbers; the file is damaged`);
    }
    return found;
  };
  const model = Object.fromEntries(
    Object.entries(tensors).flatMap(([name, value]) =>
      name.startsWith("model.") ? [[name.slice("model.".length), value]] : [],
    ),
  );
  const params = loadParameters(writeSafetensors(model), modelOf(description, 0).params);
  return { description, params, mean: part("features.mean"), std: part("features.std") };
}
