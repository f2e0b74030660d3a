import { type OnnxGraph, readOnnxGraph } from "@offprint/onnx-format";
import {
  cast,
  checkOptions,
  FormatError,
  matmul,
  requireInteger,
  requireObject,
  ShapeError,
  slice,
  type Tensor,
  transpose,
} from "@offprint/tensor-core";

/** Where a head's weights are in a file. */
export interface OnnxHead {
  /** Name of the initialiser W_q, `[D, heads d]`: queries are `x W_q`. */
  readonly query: string;
  /** Name of the initialiser W_k, `[D, heads d]`. */
  readonly key: string;
  /** Number of the head, from 0. Default 0. */
  readonly head?: number;
  /** Heads that the matrices hold side by side. Default 1. */
  readonly heads?: number;
}

/**
 * The combined weights `W = W_k W_q^T / sqrt(d)` of one head of a transformer in an .onnx file, so that scores are `X W z`, X
 * and z being what the layer gets.
 *
 * @param bytes the file, or its graph: `readOnnxGraph` reads one with weights in a file beside it
 * @returns `[D, D]`, float64.
 * @throws FormatError where there is no such initialiser; ShapeError where the heads do not divide it.
 * @example
 * const w = weightsFromOnnx(bytes, { query: "onnx::MatMul_81", key: "onnx::MatMul_82", head: 3, heads: 12 });
 */
export function weightsFromOnnx(bytes: Uint8Array | OnnxGraph, place: OnnxHead): Tensor {
  requireObject("weightsFromOnnx", "bytes", bytes, "a Uint8Array or an OnnxGraph");
  requireObject("weightsFromOnnx", "place", place, "an OnnxHead");
  const owner = "weightsFromOnnx";
  checkOptions(owner, place, ["query", "key", "head", "heads"]);
  const { head = 0, heads = 1 } = place;
  requireInteger(owner, "heads", heads, 1);
  requireInteger(owner, "head", head, 0, heads - 1);
  const { constants } = bytes instanceof Uint8Array ? readOnnxGraph(bytes) : bytes;
  const columns = (name: string): Tensor => {
    const found = Object.hasOwn(constants, name) ? constants[name] : undefined;
    if (found === undefined) {
      throw new FormatError(
        `${owner}: there is no initialiser "${name}"; the file has ${Object.keys(constants).slice(0, 8).join(", ")}`,
      );
    }
    if (found.rank !== 2 || found.shape[1] % heads !== 0) {
      throw new ShapeError(`${owner}: "${name}" has shape [${found.shape}]; give [D, heads d] with ${heads} heads`);
    }
    const width = found.shape[1] / heads;
    return cast(slice(found, [null, { start: head * width, stop: (head + 1) * width }]), "float64");
  };
  const [q, k] = [columns(place.query), columns(place.key)];
  if (q.shape.join() !== k.shape.join()) {
    throw new ShapeError(
      `${owner}: the head has queries [${q.shape}] and keys [${k.shape}]; they must be of one shape`,
    );
  }
  return matmul(k, transpose(q)).div(Math.sqrt(q.shape[1]));
}
