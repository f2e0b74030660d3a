import { FormatError, OffprintError, type Tensor } from "@offprint/tensor-core";
import { type Geometry, resolveGeometry } from "../geometry.js";
import { type PackedWeights, requireWords } from "./bits.js";
import type { PackedLayer, PackedPart } from "./packed-part.js";

type Tensors = Readonly<Record<string, Tensor>>;
type Fields = Readonly<Record<string, unknown>>;

function fail(what: string): never {
  throw new FormatError(`loadPacked: ${what}; the file is damaged`);
}

function fields(node: unknown): Fields {
  if (typeof node !== "object" || node === null || Array.isArray(node)) fail("a step is no object");
  return node as Fields;
}

function tensorAt(node: unknown, tensors: Tensors, dtype: "float32" | "int32"): Tensor {
  const { tensor: name } = fields(node);
  if (typeof name !== "string" || !Object.hasOwn(tensors, name)) fail(`there is no tensor ${String(name)}`);
  const found = tensors[name as string];
  if (found.dtype !== dtype) fail(`${name} is ${found.dtype}, not ${dtype}`);
  return found;
}

function channelValues(node: unknown, tensors: Tensors, count?: number): Float32Array {
  const values = tensorAt(node, tensors, "float32").data() as Float32Array;
  if (count !== undefined && values.length !== count)
    fail(`a channel vector has ${values.length} values, not ${count}`);
  return values;
}

function counts(value: unknown, length: number): number[] {
  const valid =
    Array.isArray(value) && value.length === length && value.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!valid) fail(`${JSON.stringify(value)} are not ${length} counts`);
  return value as number[];
}

function geometryFrom(node: unknown, kernel: readonly number[], inputs: number, outputs: number): Geometry {
  const { kernel: own, strides, padding, dilation, groups } = fields(node);
  if (counts(own, 2).join() !== kernel.join()) fail(`the window is ${String(own)}, the weights are for ${kernel}`);
  const options = { strides, padding, dilation, groups } as Parameters<typeof resolveGeometry>[2];
  return resolveGeometry("loadPacked", counts(own, 2) as [number, number], options, { inputs, outputs });
}

function binaryFrom(f: Fields, tensors: Tensors): PackedLayer {
  const { shape, words } = fields(f["weights"]);
  const [outputs, channels, height, width] = counts(shape, 4);
  const bits = tensorAt(words, tensors, "int32").data() as Int32Array;
  const weights: PackedWeights = {
    shape: [outputs, channels, height, width],
    words: new Uint32Array(bits.buffer.slice(bits.byteOffset, bits.byteOffset + bits.byteLength)),
  };
  requireWords("loadPacked", "the weights", weights.words.length, weights.shape, 1);
  const groups = Number(fields(f["geometry"])["groups"]);
  const { name, binaryActivations, omega, clamp, padValue } = f;
  if (![-1, 0, 1].includes(padValue as number)) fail(`the padding is ${String(padValue)}`);
  return {
    kind: "binary",
    name: String(name),
    weights,
    geometry: geometryFrom(f["geometry"], [height, width], channels * groups, outputs),
    binaryActivations: binaryActivations === true,
    omega: typeof omega === "number" ? omega : null,
    scale: channelValues(f["scale"], tensors, outputs),
    shift: channelValues(f["shift"], tensors, outputs),
    clamp: clamp === true,
    padValue: padValue as PackedLayer["padValue"],
  };
}

/** Branches of branches: networks of this package have one level. */
const MOST_DEPTH = 100;

function list(value: unknown, tensors: Tensors, depth: number): PackedPart[] {
  if (!Array.isArray(value)) fail("the steps of a branch are no list");
  if (depth > MOST_DEPTH) fail(`branches are nested more than ${MOST_DEPTH} deep`);
  return (value as unknown[]).map((node) => read(node, tensors, depth));
}

function optional(node: unknown, tensors: Tensors): Tensor | null {
  return node === null ? null : tensorAt(node, tensors, "float32");
}

function read(node: unknown, tensors: Tensors, depth = 0): PackedPart {
  const f = fields(node);
  switch (f["kind"]) {
    case "binary":
      return binaryFrom(f, tensors);
    case "affine": {
      const scale = channelValues(f["scale"], tensors);
      return { kind: "affine", scale, shift: channelValues(f["shift"], tensors, scale.length) };
    }
    case "conv": {
      const weight = tensorAt(f["weight"], tensors, "float32");
      if (weight.rank !== 4) fail(`the weight of a convolution is [${weight.shape}]`);
      const groups = Number(fields(f["geometry"])["groups"]);
      const geometry = geometryFrom(f["geometry"], weight.shape.slice(2), weight.shape[1] * groups, weight.shape[0]);
      return { kind: "conv", weight, bias: optional(f["bias"], tensors), geometry };
    }
    case "linear":
      return { kind: "linear", weight: tensorAt(f["weight"], tensors, "float32"), bias: optional(f["bias"], tensors) };
    case "maxPool":
    case "averagePool": {
      const [kernel, strides, padding] = counts([f["kernel"], f["strides"], f["padding"]], 3);
      return { kind: f["kind"], kernel, strides, padding };
    }
    case "hardtanh":
    case "relu":
    case "globalAveragePool":
    case "flatten":
      return { kind: f["kind"] };
    case "padChannels":
      return { kind: "padChannels", channels: counts([f["channels"]], 1)[0] };
    case "residual":
      return {
        kind: "residual",
        body: list(f["body"], tensors, depth + 1),
        shortcut: list(f["shortcut"], tensors, depth + 1),
        clamp: f["clamp"] === true,
      };
    default:
      return fail(`there is no step "${String(f["kind"])}"`);
  }
}

/**
 * A step from the JSON and the tensors of a file.
 * @throws FormatError for what is no step.
 */
export function partFrom(node: unknown, tensors: Tensors): PackedPart {
  try {
    return read(node, tensors);
  } catch (error) {
    if (error instanceof FormatError || !(error instanceof OffprintError)) throw error;
    throw new FormatError(`loadPacked: ${error.message}; the file is damaged`, { cause: error });
  }
}
