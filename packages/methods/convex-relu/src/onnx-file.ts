import type { TwoLayerNet } from "./network.js";

/** Options of `networkToOnnx`. */
export interface OnnxFileOptions {
  /** Element type of inputs, weights and outputs. Default float32. */
  dtype?: "float32" | "float64";
}

const elementTypes = { float32: 1, float64: 11 } as const;

/**
 * The bytes of an .onnx file of the network, Gemm - Relu - Gemm: input `x` `[batch, features]`, output `score`
 * `[batch, 1]`. Runs in ONNX Runtime from any language.
 */
export function networkToOnnx(net: TwoLayerNet, options: OnnxFileOptions = {}): Uint8Array {
  const { dtype = "float32" } = options;
  const element = elementTypes[dtype];
  const [d, neurons] = net.U.shape;
  const features = d - (net.bias ? 1 : 0);
  // Runtimes do not like empty matrices: the zero network gets one neuron that is 0.
  const m = Math.max(neurons, 1);
  const U = neurons === 0 ? new Float64Array(d) : net.U.data();
  const a = neurons === 0 ? new Float64Array(1) : net.a.data();
  const initializers = [
    tensorProto("hidden.weight", [features, m], element, U.slice(0, features * m)),
    ...(net.bias ? [tensorProto("hidden.bias", [m], element, U.slice(features * m))] : []),
    tensorProto("output.weight", [m, 1], element, a),
  ];
  const graph = message(
    [1, node("Gemm", ["x", "hidden.weight", ...(net.bias ? ["hidden.bias"] : [])], "hidden")],
    [1, node("Relu", ["hidden"], "active")],
    [1, node("Gemm", ["active", "output.weight"], "score")],
    [2, text("two-layer ReLU network")],
    ...initializers.map((tensor): Field => [5, tensor]),
    [11, valueInfo("x", element, features)],
    [12, valueInfo("score", element, 1)],
  );
  return message([1, 8], [2, text("offprint")], [7, graph], [8, message([1, text("")], [2, 13])]);
}

/** Number and value of a field: whole numbers become varints, bytes come with their length. */
type Field = readonly [number, number | Uint8Array];

function message(...fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [number, value] of fields) {
    if (typeof value === "number") parts.push(varint(8 * number), varint(value));
    else parts.push(varint(8 * number + 2), varint(value.length), value);
  }
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function node(operator: string, inputs: readonly string[], output: string): Uint8Array {
  return message(
    ...inputs.map((input): Field => [1, text(input)]),
    [2, text(output)],
    [3, text(operator + output)],
    [4, text(operator)],
  );
}

function tensorProto(name: string, shape: readonly number[], element: number, values: ArrayLike<number>): Uint8Array {
  const width = element === elementTypes.float32 ? 4 : 8;
  const raw = new Uint8Array(values.length * width);
  const view = new DataView(raw.buffer);
  for (let p = 0; p < values.length; p++) {
    if (width === 4) view.setFloat32(4 * p, values[p], true);
    else view.setFloat64(8 * p, values[p], true);
  }
  return message(...shape.map((size): Field => [1, size]), [2, element], [8, text(name)], [9, raw]);
}

/** `[batch, columns]` */
function valueInfo(name: string, element: number, columns: number): Uint8Array {
  const shape = message([1, message([2, text("batch")])], [1, message([1, columns])]);
  const tensorType = message([1, element], [2, shape]);
  return message([1, text(name)], [2, message([1, tensorType])]);
}
