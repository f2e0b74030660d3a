import { MissingDependencyError } from "@offprint/tensor-core";
import type * as ort from "onnxruntime-common";

/** The ONNX Runtime binding of this platform. */
export type Binding = typeof ort;

/** Loads onnxruntime-web, which the page's package must install. */
export async function loadBinding(): Promise<Binding> {
  try {
    return (await import("onnxruntime-web")) as unknown as Binding;
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

/** Fetches a model from an address. */
export async function readModel(address: string): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
