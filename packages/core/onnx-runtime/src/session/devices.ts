import { DeviceError, ValueError } from "@offprint/tensor-core";
import { type Binding, candidateDevices, loadBinding } from "#binding";
import { encodeModel, GraphBuilder } from "../model/graph-builder.js";
import { deviceRemedy } from "./errors.js";
import { Session } from "./session.js";

/** Whether a device really runs here, for reports such as a command's `doctor`. */
export interface DeviceReport {
  /** "cpu", "webgpu" or "cuda". */
  readonly device: string;
  /** Whether a matrix product came out right. */
  readonly runs: boolean;
  /** Milliseconds of a 256 x 256 matrix product, where it runs. */
  readonly milliseconds?: number;
  /** Why it does not run. */
  readonly reason?: string;
}

const PROBE_SIZE = 256;
const PROBE_RUNS = 5;

function probeModel(): Uint8Array {
  const graph = new GraphBuilder();
  const x = graph.input("float32", [PROBE_SIZE, PROBE_SIZE], "x");
  const y = graph.node("MatMul", [x, x], { shape: x.shape, type: "float32" });
  graph.outputs.push(y);
  return encodeModel(graph, "probe");
}

/** Runs a small matrix product on a device and says how that went. */
async function probeDevice(binding: Binding, device: string): Promise<DeviceReport> {
  try {
    const session = await Session.create(binding, probeModel(), { device, threads: 1, strict: true }, "onnxRuntime");
    try {
      const x = new binding.Tensor("float32", new Float32Array(PROBE_SIZE * PROBE_SIZE).fill(1), [
        PROBE_SIZE,
        PROBE_SIZE,
      ]);
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i < PROBE_RUNS; i++) {
        const start = performance.now();
        const result = Object.values(await session.run({ x }))[0] as { data: Float32Array };
        if (result.data[0] !== PROBE_SIZE) throw new DeviceError(`onnxRuntime: ${device} computes wrong products`);
        best = Math.min(best, performance.now() - start);
      }
      return { device, runs: true, milliseconds: best };
    } finally {
      await session.release();
    }
  } catch (error) {
    const { cause, message } = error as Error;
    return { device, runs: false, reason: deviceRemedy(device, candidateDevices, cause ?? message) };
  }
}

/** The devices of this platform and whether each really runs. */
export async function probeDevices(): Promise<DeviceReport[]> {
  const reports: DeviceReport[] = [];
  for (const device of candidateDevices) reports.push(await probeDevice(await loadBinding(device), device));
  return reports;
}

/** A device that runs, and one line about better ones that do not. */
export interface DeviceChoice {
  readonly device: string;
  readonly binding: Binding;
  readonly note?: string;
}

/**
 * The device to use: the one asked for, or for "auto" the fastest one that runs, so that a GPU that is only emulated
 * does not win over the CPU.
 * @throws DeviceError where the device asked for does not run.
 */
export async function chooseDevice(wanted: string): Promise<DeviceChoice> {
  if (typeof wanted !== "string") {
    throw new ValueError(`onnxRuntime: device is ${String(wanted)}; give "cpu", "webgpu", "cuda" or "auto"`);
  }
  if (wanted !== "auto") {
    const binding = await loadBinding(wanted);
    const { runs, reason } = await probeDevice(binding, wanted);
    if (!runs) throw new DeviceError(`onnxRuntime: device "${wanted}" does not run here: ${reason}`);
    return { device: wanted, binding };
  }
  const reports = await probeDevices();
  const running = reports.filter((r) => r.runs).sort((a, b) => Number(a.milliseconds) - Number(b.milliseconds));
  const absent = reports.filter((r) => !r.runs);
  if (running.length === 0) {
    throw new DeviceError(
      `onnxRuntime: no device runs here: ${absent.map((r) => `${r.device}: ${r.reason}`).join("; ")}`,
    );
  }
  const { device } = running[0];
  const binding = await loadBinding(device);
  if (absent.length === 0) return { device, binding };
  return {
    device,
    binding,
    note: `${absent.map((r) => r.device).join(" and ")} not available here: running on ${device}`,
  };
}
