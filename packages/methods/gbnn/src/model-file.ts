import { readSafetensors, writeSafetensors } from "@offprint/data";
import { FormatError, type Tensor, tensor } from "@offprint/tensor-core";
import { activations } from "./hidden-layer.js";
import { type Block, type GbnnModel, requireModel } from "./model.js";

const FORMAT = "offprint gbnn 1";
const parts = ["hiddenWeight", "hiddenBias", "outputWeight", "outputBias"] as const;

/** The bytes of a safetensors file with a model: its numbers as float64 tensors, all else in the header. */
export function saveModel(model: GbnnModel): Uint8Array {
  requireModel("saveModel", model);
  const { mean, std, initial, blocks } = model;
  const stacked = Object.fromEntries(
    parts.map((part) => {
      const width = blocks[0]?.[part].length ?? 0;
      const all = new Float64Array(blocks.length * width);
      blocks.forEach((block, t) => {
        all.set(block[part], t * width);
      });
      return [part, tensor(all, { shape: [blocks.length, width] })];
    }),
  );
  const steps = tensor(Float64Array.from(blocks, ({ step }) => step));
  const tensors = { mean: tensor(mean), std: tensor(std), initial: tensor(initial), steps, ...stacked };
  return writeSafetensors(tensors, { metadata: { format: FORMAT, model: JSON.stringify(inOrder(model)) } });
}

type Description = Omit<GbnnModel, "blocks" | "initial" | "mean" | "std">;

/** What a model is, without its numbers; always in this order, so that equal models make equal files. */
function inOrder({ task, classes, features, units, outputs, activation, link, margin }: Description): Description {
  return { task, ...(classes && { classes }), features, units, outputs, activation, link, margin };
}

/** @throws FormatError unless the text describes a model. */
function description(text: string | undefined): Description {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch (cause) {
    throw new FormatError("loadModel: the description in the file's header is damaged; save the model again", {
      cause,
    });
  }
  const described = (value ?? {}) as Description;
  const { task, classes, features, units, outputs, activation: name, link, margin } = described;
  const known =
    ["classification", "regression"].includes(task) &&
    ["identity", "sigmoid", "softmax"].includes(link) &&
    Object.hasOwn(activations, name) &&
    [features, units, outputs].every((count) => Number.isSafeInteger(count) && count >= 1) &&
    Number.isFinite(margin) &&
    (task === "regression" ? classes === undefined : isListOfClasses(classes));
  if (!known) {
    throw new FormatError("loadModel: the description in the file's header is of no model; save the model again");
  }
  return inOrder(described);
}

function isListOfClasses(classes: unknown): boolean {
  return (
    Array.isArray(classes) &&
    classes.length >= 2 &&
    new Set(classes).size === classes.length &&
    classes.every((c) => typeof c === "number" || typeof c === "string")
  );
}

/**
 * The model of a file that `saveModel` wrote.
 * @throws FormatError for other files, and for tensors that do not fit each other.
 */
export function loadModel(bytes: Uint8Array): GbnnModel {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata?.format !== FORMAT) {
    throw new FormatError(`loadModel: the file is not marked "${FORMAT}"; give a file that saveModel wrote`);
  }
  const described = description(metadata.model);
  const { features: d, units: J, outputs: K } = described;
  const values = (name: string, length?: number): Float64Array => {
    const found: Tensor | undefined = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (found?.dtype !== "float64" || (length !== undefined && found.size !== length)) {
      throw new FormatError(
        `loadModel: ${name} is ${found ? `${found.dtype} [${found.shape}]` : "missing"}; the model needs ${length ?? "float64"} numbers`,
      );
    }
    const numbers = found.data() as Float64Array;
    const wrong = numbers.findIndex((value) => !(Number.isFinite(value) && (name !== "std" || value > 0)));
    if (wrong >= 0) throw new FormatError(`loadModel: ${name} holds ${numbers[wrong]}, which no model has`);
    return numbers;
  };
  const steps = values("steps");
  const widths = { hiddenWeight: J * d, hiddenBias: J, outputWeight: J * K, outputBias: K };
  const stacked = parts.map((part) => values(part, steps.length * widths[part]));
  const blocks = Array.from(steps, (step, t): Block => {
    const [hiddenWeight, hiddenBias, outputWeight, outputBias] = parts.map((part, i) =>
      stacked[i].slice(t * widths[part], (t + 1) * widths[part]),
    );
    return { hiddenWeight, hiddenBias, outputWeight, outputBias, step };
  });
  return { ...described, mean: values("mean", d), std: values("std", d), initial: values("initial", K), blocks };
}
