import { type DType, FormatError, isTensor, tensor, tree, ValueError } from "@offprint/tensor-core";

const MARK = "$tensor";

interface EncodedTensor {
  readonly [MARK]: DType;
  readonly shape: readonly number[];
  /** Little-endian bytes in base64. */
  readonly data: string;
}

function encodeBytes(data: ArrayBufferView): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

/**
 * A tree of host tensors, numbers, booleans and texts as JSON text that keeps every bit: states, checkpoints.
 * @throws ValueError for a number that JSON cannot hold; UnsupportedError for a device tensor.
 */
export function treeToJson(value: unknown): string {
  return JSON.stringify(
    tree.map((leaf) => {
      if (isTensor(leaf)) {
        return { [MARK]: leaf.dtype, shape: leaf.shape, data: encodeBytes(leaf.data()) } satisfies EncodedTensor;
      }
      if (typeof leaf === "number" && Number.isFinite(leaf)) return leaf;
      if (typeof leaf === "boolean" || typeof leaf === "string") return leaf;
      throw new ValueError(`treeToJson: cannot keep the leaf ${String(leaf)}; make it a tensor`);
    }, value),
  );
}

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

function decodeTensor({ [MARK]: dtype, shape, data }: EncodedTensor) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const Values = arrays[dtype];
  const size = shape.reduce((a, b) => a * b, 1);
  if (Values === undefined || bytes.byteLength !== size * Values.BYTES_PER_ELEMENT) {
    throw new FormatError(`treeFromJson: ${bytes.byteLength} bytes do not fill a ${dtype} tensor of shape [${shape}]`);
  }
  return tensor(new Values(bytes.buffer), { shape, dtype });
}

/**
 * The tree that `treeToJson` wrote.
 * @throws FormatError where the text is not JSON or a tensor in it is cut short.
 */
export function treeFromJson<T = any>(text: string): T {
  try {
    return JSON.parse(text, (_, value) =>
      typeof value === "object" && value !== null && MARK in value ? decodeTensor(value) : value,
    );
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError("treeFromJson: the text is damaged or was not written by treeToJson", { cause });
  }
}
