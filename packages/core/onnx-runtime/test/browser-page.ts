// Runs in a page: compiles every export case, compares with what it gives eagerly, and sends what it found.
import { DeviceError, jit, tensor } from "@offprint/tensor-core";
import { devices, loadModel, onnxRuntime, toOnnx } from "../src/index.js";
import { disagreement, TOLERANCE } from "./agreement/agreement.js";
import { exportCases } from "./export-cases.js";
import { tensorsOf } from "./tree-tensors.js";

async function compared(device: "cpu" | "webgpu"): Promise<Record<string, string>> {
  const backend = await onnxRuntime({ device });
  const found: Record<string, string> = { description: backend.description };
  for (const [name, { f, args }] of Object.entries(exportCases)) {
    const wide = tensorsOf(args).some((x) => x.dtype === "float64");
    if (wide && device === "webgpu") continue;
    found[name] = await agreement(name, device === "cpu" ? 10 : 100, () => jit(f, { backend })(...args));
  }
  await backend.release();
  return found;
}

async function agreement(name: string, slack: number, run: () => Promise<unknown>): Promise<string> {
  const { f, args } = exportCases[name];
  try {
    const results = await Promise.all(tensorsOf(await run()).map((x) => x.host()));
    const reasons = tensorsOf(f(...args)).flatMap((x, i) => {
      const { relative, absolute } = TOLERANCE[x.dtype];
      return disagreement(results[i], x, { relative: slack * relative, absolute: slack * absolute }) ?? [];
    });
    return reasons.length === 0 ? "agrees" : reasons.join("; ");
  } catch (error) {
    return String(error);
  }
}

async function fromBytes(): Promise<unknown> {
  const { f, args } = exportCases.fourier;
  const model = await loadModel(toOnnx(f, ...args));
  const { output0 } = await model.run({ input0: args[0] as number[] });
  await model.release();
  return output0.shape;
}

async function fromAddress(address: string): Promise<unknown> {
  const model = await loadModel(address);
  const { y } = await model.run({ x: [1, 1] });
  await model.release();
  return y.toArray();
}

const describe = (error: unknown) => `${error instanceof DeviceError} ${error}`;

const reports = await devices();
const result = {
  cpu: await compared("cpu"),
  devices: reports,
  webgpu: reports.some(({ device, runs }) => device === "webgpu" && runs)
    ? await compared("webgpu")
    : await onnxRuntime({ device: "webgpu" }).catch(describe),
  auto: (await onnxRuntime({ device: "auto" })).device,
  unknown: await onnxRuntime({ device: "abacus" }).catch(describe),
  model: await fromBytes(),
  beside: await fromAddress("whole/m.onnx"),
  truncated: await loadModel("truncated/m.onnx").catch(String),
  absent: await loadModel("absent/m.onnx").catch(String),
  item: (await jit((x) => x.mul(2), { backend: await onnxRuntime() })(tensor(21))).item(),
};
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
