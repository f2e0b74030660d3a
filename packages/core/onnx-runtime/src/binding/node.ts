import type { ExternalFile } from "@offprint/onnx-format/messages";
import { MissingDependencyError } from "@offprint/tensor-core";
import type * as ort from "onnxruntime-common";

/** The ONNX Runtime binding of this platform. */
export type Binding = typeof ort;

/** Loads onnxruntime-node, which is optional: its own install script may have failed. It has all devices. */
export async function loadBinding(_device: string): Promise<Binding> {
  try {
    const binding = (await import("onnxruntime-node")) as unknown as Binding & { default?: Binding };
    return quiet(binding.default ?? binding);
  } catch (cause) {
    throw new MissingDependencyError(
      "onnxRuntime: onnxruntime-node is not installed or does not load here. Install it with " +
        '"ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node" (the variable skips a download of CUDA libraries that ' +
        `CPU and WebGPU do not need), or run without a backend. ${cause instanceof Error ? cause.message.split("\n")[0] : ""}`,
      { cause },
    );
  }
}

/** Errors are thrown; ONNX Runtime need not print them too. */
function quiet(binding: Binding): Binding {
  binding.env.logLevel = "fatal";
  return binding;
}

/** Name and version for reports. */
export function bindingName(binding: Binding): string {
  return `onnxruntime-node ${binding.env.versions.node ?? binding.env.versions.common}`;
}

/** Devices that this platform's binding may have, best first. */
export const candidateDevices: readonly string[] = ["cuda", "webgpu", "cpu"];

/** Whether sessions on GPUs must wait for each other. */
export const takesTurns = false;

/** Reads a model file. */
export async function readModel(path: string): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  return readFile(path);
}

/** Looks for a file beside a model, which the engine reads itself; here it is read for its digest only. Nothing where there is no such file. */
export async function fileBeside(path: string, name: string): Promise<ExternalFile | undefined> {
  const [{ closeSync, openSync, readSync, statSync }, { createHash }, { dirname, join }] = await Promise.all([
    import("node:fs"),
    import("node:crypto"),
    import("node:path"),
  ]);
  const place = join(dirname(path), name);
  const found = statSync(place, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isFile()) throw new Error(`${place} is no file`);
  let digest: string | undefined;
  const digested = () => {
    const hash = createHash("sha1");
    const file = openSync(place, "r");
    try {
      // In parts: such files have gigabytes.
      const part = new Uint8Array(2 ** 20);
      for (let read = readSync(file, part); read > 0; read = readSync(file, part)) hash.update(part.subarray(0, read));
    } finally {
      closeSync(file);
    }
    return hash.digest("hex");
  };
  return {
    size: found.size,
    digest() {
      digest ??= digested();
      return digest;
    },
  };
}
