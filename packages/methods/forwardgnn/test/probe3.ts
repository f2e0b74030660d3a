import { runClaims } from "@offprint/claims";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { random } from "@offprint/tensor-core";
import { claims } from "../claims/index.js";

const backend = process.argv[2] ? await onnxRuntime({ device: "cpu", threads: 1 }) : undefined;
for (const c of claims.claims) {
  const t = performance.now(),
    u = process.cpuUsage();
  const r = await c.run({
    rng: random.rng(c.id),
    seed: Number(process.argv[3] ?? 0),
    scale: "quick",
    signal: new AbortController().signal,
    onProgress: async () => {},
    ...(backend && { backend }),
  });
  console.log(
    c.id,
    r.holds,
    JSON.stringify(r.measured),
    ((performance.now() - t) / 1000).toFixed(1),
    "s wall",
    (process.cpuUsage(u).user / 1e6).toFixed(1),
    "s cpu\n  ",
    r.detail,
  );
}
process.exit();
