import { writeOnnxGraph } from "@offprint/onnx-format";
import { checkOptions, requireChoice, ValueError } from "@offprint/tensor-core";
import { requireNetwork, type TwoLayerNet } from "./network.js";

/** Options of `networkToOnnx`. */
export interface OnnxFileOptions {
  /** Element type of inputs, weights and outputs. Default float32. */
  dtype?: "float32" | "float64";
}

/**
 * The bytes of an .onnx file of the network, Gemm - Relu - Gemm: input `x` `[batch, features]`, output `score`
 * `[batch, 1]`. Runs in ONNX Runtime from any language.
 * @throws ValueError, ShapeError for what is no network, another dtype, and weights too large for float32.
 */
export function networkToOnnx(net: TwoLayerNet, options: OnnxFileOptions = {}): Uint8Array {
  requireNetwork("networkToOnnx", net);
  checkOptions("networkToOnnx", options, ["dtype"]);
  const { dtype: type = "float32" } = options;
  requireChoice("networkToOnnx", "dtype", type, ["float32", "float64"]);
  const [d, neurons] = net.U.shape;
  const features = d - (net.bias ? 1 : 0);
  // Runtimes do not like empty matrices: the zero network gets one neuron that is 0.
  const m = Math.max(neurons, 1);
  const U = neurons === 0 ? new Float64Array(d) : net.U.data();
  const a = neurons === 0 ? new Float64Array(1) : net.a.data();
  if (type === "float32" && [...U, ...a].some((value) => !Number.isFinite(Math.fround(Number(value))))) {
    throw new ValueError('networkToOnnx: the network holds weights that float32 cannot; take dtype "float64"');
  }
  const weights = (name: string, shape: readonly number[], values: ArrayLike<number>) => ({
    name,
    type,
    shape,
    data: type === "float32" ? Float32Array.from(values) : Float64Array.from(values),
  });
  const graph = {
    inputs: [{ name: "x", type, shape: ["batch", features] }],
    outputs: [{ name: "score", type, shape: ["batch", 1] }],
    constants: [
      weights("hidden.weight", [features, m], U.slice(0, features * m)),
      ...(net.bias ? [weights("hidden.bias", [m], U.slice(features * m))] : []),
      weights("output.weight", [m, 1], a),
    ],
    nodes: [
      { operator: "Gemm", inputs: ["x", "hidden.weight", ...(net.bias ? ["hidden.bias"] : [])], outputs: ["hidden"] },
      { operator: "Relu", inputs: ["hidden"], outputs: ["active"] },
      { operator: "Gemm", inputs: ["active", "output.weight"], outputs: ["score"] },
    ],
  };
  // Old versions, so that old runtimes read the file.
  return writeOnnxGraph(graph, { name: "two-layer ReLU network", opset: 13, irVersion: 8 });
}
