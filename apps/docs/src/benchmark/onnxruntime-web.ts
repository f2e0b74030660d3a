import { toOnnx } from "@offprint/onnx-runtime";
import { add, matmul, maximum, mul, sqrt, sub, type Tensor } from "@offprint/tensor-core";
import { env, InferenceSession, Tensor as RuntimeTensor } from "onnxruntime-web";
import { data, type Library, type Run, type Workload } from "./workloads.js";

const noGradients = "runs graphs that exist; has no gradients of its own";

type Feed = Readonly<Record<"input0" | "input1", { readonly values: Float32Array; readonly shape: number[] }>>;

/** A function of two tensors, written to a file and run as any .onnx file is. */
async function session(f: (a: Tensor, b: Tensor) => Tensor, { input0, input1 }: Feed): Promise<Run> {
  const described = [input0, input1].map(({ shape }) => ({ shape, dtype: "float32" as const }));
  const made = await InferenceSession.create(toOnnx(f, described[0]!, described[1]!));
  const feeds = {
    input0: new RuntimeTensor("float32", input0.values, input0.shape),
    input1: new RuntimeTensor("float32", input1.values, input1.shape),
  };
  return async () => (await made.run(feeds))["output0"]!.data as Float32Array;
}

async function prepare(id: Workload["id"]): Promise<Run | string> {
  if (id === "chain") {
    const { x, y } = data.chain();
    const chain = (x: Tensor, y: Tensor) => add(mul(sqrt(add(mul(x, x), mul(y, y))), 0.5), maximum(sub(x, y), 0));
    return session(chain, { input0: { values: x, shape: [x.length] }, input1: { values: y, shape: [y.length] } });
  }
  if (id === "product") {
    const { size, a, b } = data.product();
    const shape = [size, size];
    return session(matmul, { input0: { values: a, shape }, input1: { values: b, shape } });
  }
  return noGradients;
}

/** onnxruntime-web on its WebAssembly device, with files that `toOnnx` has written. */
export function onnxRuntimeWeb(version: string): Library {
  // The playground's copy of the binary, which lies a folder above.
  env.wasm.wasmPaths = { wasm: new URL("../ort-wasm-simd-threaded.wasm", import.meta.url).href };
  return { name: "onnxruntime-web", version, prepare };
}
