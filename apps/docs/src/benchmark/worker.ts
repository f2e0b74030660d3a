// Measures apart from the page, which stays alive. The other libraries are loaded when a measurement is asked for.

import { versions } from "virtual:versions";
import { measure } from "./measure.js";
import type { BenchmarkMessage, BenchmarkRequest } from "./messages.js";
import { type Library, workloads } from "./workloads.js";

function tell(message: BenchmarkMessage): void {
  (globalThis as unknown as { postMessage(message: BenchmarkMessage): void }).postMessage(message);
}

const version = (name: string) => versions[name] ?? "";

async function load(): Promise<Library[]> {
  const { offprint } = await import("./offprint.js");
  const { jaxJs } = await import("./jax-js.js");
  const { tensorFlow } = await import("./tfjs.js");
  const { onnxRuntimeWeb } = await import("./onnxruntime-web.js");
  return [
    offprint(version("@offprint/tensor-core")),
    await jaxJs(version("@jax-js/jax")),
    await tensorFlow(version("@tensorflow/tfjs-core")),
    onnxRuntimeWeb(version("onnxruntime-web")),
  ];
}

let loaded: Promise<Library[]> | undefined;

async function run(effort: BenchmarkRequest): Promise<void> {
  try {
    loaded ??= load();
    const libraries = await loaded;
    tell({ kind: "libraries", libraries: libraries.map(({ name, version }) => ({ name, version })) });
    for (const { id } of workloads) {
      tell({ kind: "begins", id });
      tell({ kind: "row", row: await measure(id, libraries, effort) });
    }
    tell({ kind: "finished" });
  } catch (error) {
    tell({ kind: "failed", message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

addEventListener("message", ({ data }: MessageEvent<BenchmarkRequest>) => {
  void run(data);
});
