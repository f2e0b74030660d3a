import { readSafetensors, writeSafetensors } from "@offprint/data";
import { FormatError, type Tensor, tensor } from "@offprint/tensor-core";
import type { Block, GbnnModel } from "./model.js";

const FORMAT = "offprint gbnn 1";
const parts = ["hiddenWeight", "hiddenBias", "outputWeight", "outputBias"] as const;

/** The bytes of a safetensors file with a model: its numbers as float64 tensors, all else in the header. */
export function saveModel(model: GbnnModel): Uint8Array {
  const { mean, std, initial, blocks, ...described } = model;
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
  return writeSafetensors(tensors, { metadata: { format: FORMAT, model: JSON.stringify(described) } });
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
  const described = JSON.parse(metadata.model) as Omit<GbnnModel, "blocks" | "initial" | "mean" | "std">;
  const { features: d, units: J, outputs: K } = described;
  const values = (name: string, length?: number): Float64Array => {
    const found: Tensor | undefined = tensors[name];
    if (found?.dtype !== "float64" || (length !== undefined && found.size !== length)) {
      throw new FormatError(
        `loadModel: ${name} is ${found ? `${found.dtype} [${found.shape}]` : "missing"}; the model needs ${length ?? "float64"} numbers`,
      );
    }
    return found.data() as Float64Array;
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
