import { type LoadedFile, loadedFile } from "@offprint/onnx-format/messages";
import { MissingDependencyError } from "@offprint/tensor-core";
import type * as ort from "onnxruntime-common";

/** The ONNX Runtime binding of this platform. */
export type Binding = typeof ort;

/**
 * Loads onnxruntime-web, which the page's package must install: for the CPU the build that has every operator in
 * float64 and is half as large, for GPUs the build with the engine that Node has too.
 */
export async function loadBinding(device: string): Promise<Binding> {
  try {
    const binding = await (device === "cpu" ? import("onnxruntime-web/wasm") : import("onnxruntime-web/webgpu"));
    return binding as unknown as Binding;
  } catch (cause) {
    throw new MissingDependencyError(
      'onnxRuntime: onnxruntime-web is not installed or does not load here. Add it to your page with "npm install onnxruntime-web", ' +
        `or run without a backend. ${cause instanceof Error ? cause.message.split("\n")[0] : ""}`,
      { cause },
    );
  }
}

/** Name and version for reports. */
export function bindingName(binding: Binding): string {
  return `onnxruntime-web ${binding.env.versions.web ?? binding.env.versions.common}`;
}

/** Devices that this platform's binding may have, best first. */
export const candidateDevices: readonly string[] = ["webgpu", "cpu"];

/** A GPU session in a page suspends the one WebAssembly program, which nobody else may enter meanwhile. */
export const takesTurns = true;

/** Fetches a model from an address. */
export async function readModel(address: string): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Fetches a file beside a model, which the engine does not do in a page. Nothing where there is no such file. */
export async function fileBeside(address: string, name: string): Promise<LoadedFile | undefined> {
  const model = new URL(address, globalThis.location?.href);
  const response = await fetch(new URL(name.split("/").map(encodeURIComponent).join("/"), model));
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return loadedFile(new Uint8Array(await response.arrayBuffer()));
}
