import {
  type CommandModel,
  type DeviceChoice,
  type DeviceName,
  deviceNames,
  didYouMean,
  Failure,
} from "@offprint/commands";
import { type Backend, fastest, hostBackend } from "@offprint/tensor-core";
import type { Registry } from "./registry.js";

/** Package that runs compiled functions on devices; optional, as its binding does not exist for every platform. */
export const runtimePackage = "@offprint/onnx-runtime";

type CreateBackend = (options: { device: string; threads?: number }) => Promise<Backend>;

/** The device that a word means. */
export function parseDevice(word: string): DeviceName {
  const found = deviceNames.find((name) => name === word);
  if (found !== undefined) return found;
  throw new Failure(
    `there is no device "${word}".${didYouMean(word, deviceNames)} Devices are ${deviceNames.join(", ")}.`,
  );
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0]!.replace(/\.$/, "");
}

/**
 * Opens the backend of a device; `undefined` means the host kernels. With `auto`, whatever is missing is reported once
 * and the host is used.
 *
 * @throws Failure when a device that was asked for by name cannot be used
 */
export async function openBackend(
  registry: Registry,
  { device, threads }: DeviceChoice,
  note: (line: string) => void,
): Promise<Backend | undefined> {
  if (device === "host") return undefined;
  const fallBack = (reason: string): undefined => {
    if (device !== "auto") throw new Failure(`device ${device}: ${reason}.`);
    note(`${reason}: running on the host.`);
    return undefined;
  };
  let runtime: Record<string, unknown> | undefined;
  try {
    runtime = await registry.load(runtimePackage);
  } catch (error) {
    return fallBack(`${runtimePackage} could not be loaded (${firstLine(error)})`);
  }
  if (!runtime) return fallBack(`${runtimePackage} is not installed (npm install ${runtimePackage})`);
  try {
    const create = runtime["onnxRuntime"] as CreateBackend;
    const settings = threads === undefined ? {} : { threads };
    if (device === "fastest") return fastest([hostBackend, await create({ device: "auto", ...settings })]);
    return await create({ device, ...settings });
  } catch (error) {
    return fallBack(firstLine(error));
  }
}

type LoadModel = (model: string | Uint8Array, options: { device: string; threads?: number }) => Promise<CommandModel>;

/**
 * Loads an .onnx model on a device; the host kernels cannot run one, so that `host` means the CPU here and `fastest`
 * what `auto` means.
 *
 * @throws Failure when the package that runs models is missing
 */
export async function openModel(
  registry: Registry,
  { device, threads }: DeviceChoice,
  model: string | Uint8Array,
): Promise<CommandModel> {
  let runtime: Record<string, unknown> | undefined;
  try {
    runtime = await registry.load(runtimePackage);
  } catch (error) {
    throw new Failure(`${runtimePackage} could not be loaded (${firstLine(error)}), and .onnx files need it.`);
  }
  if (!runtime) throw new Failure(`.onnx files need ${runtimePackage}: npm install ${runtimePackage}.`);
  const load = runtime["loadModel"] as LoadModel;
  const runs = device === "host" ? "cpu" : device === "fastest" ? "auto" : device;
  return load(model, { device: runs, ...(threads === undefined ? {} : { threads }) });
}

/** Name of a device for tables and reports. */
export function deviceOf(backend: Backend | undefined): string {
  return backend?.device ?? "host";
}
