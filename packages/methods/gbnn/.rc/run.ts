import { onnxRuntime } from "@offprint/onnx-runtime";
import { runClaims } from "@offprint/claims";
import { claims } from "../claims/index.js";
const backend = await onnxRuntime({ device: "cpu", threads: 1 });
import { random } from "@offprint/tensor-core";
for (const seed of process.argv.slice(2).map(Number)) {
  let total = 0;
  for (const c of claims.claims) {
    const t = process.cpuUsage();
    let r: any;
    try { r = await c.run({ rng: random.rng(seed + "/" + claims.method + "/" + c.id), seed, backend, scale: (process.env.SCALE as any) ?? "quick", signal: new AbortController().signal, onProgress: async () => {} }); } catch (e) { r = { holds: "THROWS", detail: String(e), measured: "" }; }
    const u = process.cpuUsage(t); const cpu = (u.user + u.system) / 1e6; total += cpu;
    console.log(seed, r.holds, c.id, cpu.toFixed(1) + "s", JSON.stringify(r.measured), process.env.V ? r.detail : "");
    if (process.env.VV) for (const tb of r.tables ?? []) { console.log(tb.title, tb.columns.join(" | ")); for (const row of tb.rows) console.log("   ", row.map((x: any) => typeof x === "number" ? +x.toPrecision(4) : x).join(" | ")); }
  }
  console.log("seed", seed, "total cpu", total.toFixed(1));
}
await backend.release();
