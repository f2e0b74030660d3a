// Runs in a page whose bundle holds no WebAssembly: says where it lies, then compiles.
import { jit, tensor } from "@offprint/tensor-core";
import { env } from "onnxruntime-web/wasm";
import { onnxRuntime } from "../src/index.js";

env.wasm.wasmPaths = "/engine/";
const doubled = await jit((x) => x.mul(2), { backend: await onnxRuntime() })(tensor(21));
await fetch("/result", { method: "POST", body: JSON.stringify({ item: doubled.item() }) });
