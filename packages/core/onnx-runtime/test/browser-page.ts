// Runs in a page: compiles every export case, compares with what it gives eagerly, and sends what it found.
import { DeviceError, jit, tensor } from "@offprint/tensor-core";
import { devices, loadModel, onnxRuntime, toOnnx } from "../src/index.js";
import { disagreement, TOLERANCE } from "./agreement/agreement.js";
import { exportCases } from "./export-cases.js";
import { tensorsOf } from "./tree-tensors.js";

async function compared(): Promise<Record<string, string>> {
  const backend = await onnxRuntime();
  const found: Record<string, string> = { description: backend.description };
  for (const [name, { f, args }] of Object.entries(exportCases)) {
    found[name] = await agreement(name, () => jit(f, { backend })(...args));
  }
  await backend.release();
  return found;
}

async function agreement(name: string, run: () => Promise<unknown>): Promise<string> {
  const { f, args } = exportCases[name];
  try {
    const results = await Promise.all(tensorsOf(await run()).map((x) => x.host()));
    const reasons = tensorsOf(f(...args)).flatMap((x, i) => {
      const { relative, absolute } = TOLERANCE[x.dtype];
      return disagreement(results[i], x, { relative: 10 * relative, absolute: 10 * absolute }) ?? [];
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

const describe = (error: unknown) => `${error instanceof DeviceError} ${error}`;

const result = {
  cpu: await compared(),
  devices: await devices(),
  auto: (await onnxRuntime({ device: "auto" })).device,
  unknown: await onnxRuntime({ device: "abacus" }).catch(describe),
  webgpu: await onnxRuntime({ device: "webgpu" }).catch(describe),
  model: await fromBytes(),
  item: (await jit((x) => x.mul(2), { backend: await onnxRuntime() })(tensor(21))).item(),
};
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
