import { DeviceError } from "@offprint/tensor-core";
import { type Binding, candidateDevices } from "../binding/node.js";
import { encodeModel } from "../model/encode.js";
import { OnnxGraph } from "../model/onnx-graph.js";
import { Session } from "./session.js";

/** Whether a device really runs here. */
export interface DeviceReport {
  readonly device: string;
  readonly runs: boolean;
  /** Milliseconds of a 256 x 256 matrix product, where it runs. */
  readonly milliseconds?: number;
  /** Why it does not run. */
  readonly reason?: string;
}

const PROBE_SIZE = 256;
const PROBE_RUNS = 5;

function probeModel(): Uint8Array {
  const graph = new OnnxGraph();
  const x = graph.input("float32", [PROBE_SIZE, PROBE_SIZE], "x");
  const y = graph.node("MatMul", [x, x], { shape: x.shape, type: "float32" });
  graph.outputs.push(y);
  return encodeModel(graph, "probe");
}

/** Runs a small matrix product on a device and says how that went. */
export async function probeDevice(binding: Binding, device: string): Promise<DeviceReport> {
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
    return { device, runs: false, reason: (error as Error).message };
  }
}

/** The devices of this platform and whether each really runs. */
export async function probeDevices(binding: Binding): Promise<DeviceReport[]> {
  const reports: DeviceReport[] = [];
  for (const device of candidateDevices) reports.push(await probeDevice(binding, device));
  return reports;
}

/**
 * The device to use: the one asked for, or for "auto" the fastest one that runs, so that a GPU that is only emulated
 * does not win over the CPU.
 * @throws DeviceError where the device asked for does not run.
 */
export async function chooseDevice(binding: Binding, wanted: string): Promise<{ device: string; note?: string }> {
  if (wanted === "auto") {
    const reports = await probeDevices(binding);
    const running = reports
      .filter((r) => r.runs)
      .sort((a, b) => (a.milliseconds as number) - (b.milliseconds as number));
    if (running.length === 0)
      throw new DeviceError(`onnxRuntime: no device runs here: ${reports.map((r) => r.reason).join("; ")}`);
    return { device: running[0].device };
  }
  const report = await probeDevice(binding, wanted);
  if (!report.runs) throw new DeviceError(`onnxRuntime: device "${wanted}" does not run here. ${report.reason}`);
  return { device: wanted };
}
