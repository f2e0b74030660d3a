import { expect, it } from "vitest";
import { openModel } from "../src/backend.js";
import type { Registry } from "../src/registry.js";

const registry = (load: () => Promise<Record<string, unknown> | undefined>) => ({ load }) as unknown as Registry;

it("opens .onnx files on the device of the command line, and on the CPU where that is the host", async () => {
  const asked: unknown[] = [];
  const runtime = registry(async () => ({ loadModel: async (...given: unknown[]) => asked.push(given) }));
  await openModel(runtime, { device: "host" }, "model.onnx");
  await openModel(runtime, { device: "webgpu", threads: 2 }, new Uint8Array(1));
  expect(asked).toEqual([
    ["model.onnx", { device: "cpu" }],
    [new Uint8Array(1), { device: "webgpu", threads: 2 }],
  ]);
});

it("says what .onnx files need where it is missing, or cannot be loaded", async () => {
  const missing = openModel(
    registry(async () => undefined),
    { device: "auto" },
    "model.onnx",
  );
  await expect(missing).rejects.toThrow("npm install @offprint/onnx-runtime");
  const failing = registry(async () => Promise.reject(new Error("no binding\nat all")));
  await expect(openModel(failing, { device: "auto" }, "model.onnx")).rejects.toThrow(/no binding\), and .onnx files/);
});
