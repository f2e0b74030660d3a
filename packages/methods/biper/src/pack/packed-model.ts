import {
  asTensor,
  cast,
  checkOptions,
  requireChoice,
  requireFinite,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import { convolutionEngine, type KernelChoice, kernelChoices } from "./engine.js";
import type { PackedLayer, PackedPart } from "./packed-part.js";
import { runParts } from "./run-parts.js";

/** Options of `PackedModel.run`. */
export interface PackedRunOptions {
  /** Which implementation of the binary convolutions. Default `auto`. */
  kernels?: KernelChoice;
}

function binaryLayers(parts: readonly PackedPart[]): PackedLayer[] {
  return parts.flatMap((part) => {
    if (part.kind === "binary") return [part];
    return part.kind === "residual" ? [...binaryLayers(part.body), ...binaryLayers(part.shortcut)] : [];
  });
}

/** A network for inference with weights of one bit. Made by `packNetwork` or `loadPacked`. */
export class PackedModel {
  /**
   * The steps, in order.
   * @internal
   */
  readonly parts: readonly PackedPart[];
  /** Free texts that are kept in the file. */
  readonly metadata: Readonly<Record<string, string>>;

  /** @internal Use `packNetwork` or `loadPacked`. */
  constructor(parts: readonly PackedPart[], metadata: Readonly<Record<string, string>> = {}) {
    this.parts = parts;
    this.metadata = metadata;
  }

  /** The binary layers, in order. */
  get layers(): PackedLayer[] {
    return binaryLayers(this.parts);
  }

  /** Bytes of the packed weights of all binary layers. */
  get byteLength(): number {
    return this.layers.reduce((total, layer) => total + layer.weights.words.byteLength, 0);
  }

  /**
   * The network's output, such as logits `[batch, classes]`, computed on the host.
   * @param x `[batch, channels, height, width]`, or `[batch, features]`
   * @throws ValueError for values that are not finite; ShapeError where the input does not fit.
   */
  run(x: TensorLike, options: PackedRunOptions = {}): Tensor {
    checkOptions("PackedModel.run", options, ["kernels"]);
    requireChoice("PackedModel.run", "kernels", options.kernels, kernelChoices);
    const input = cast(asTensor(x), "float32");
    requireFinite("PackedModel.run", "x", input);
    return runParts(this.parts, input, convolutionEngine(options.kernels));
  }
}
