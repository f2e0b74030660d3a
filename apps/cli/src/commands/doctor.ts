import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { formatSeconds, padText } from "@offprint/claims";
import { jit, mul, tensor } from "@offprint/tensor-core";
import { type DeviceName, openBackend, runtimePackage } from "../backend.js";
import { exitCodes } from "../failure.js";
import { loadClaims, type Registry } from "../registry.js";
import type { Terminal } from "../terminal.js";

/** Longest time that a device may take to start and multiply three numbers, in milliseconds. */
const probeTimeout = 30_000;

/** What a probe of a device found. */
export interface Probe {
  readonly runs: boolean;
  /** How long it took, or why it does not run. */
  readonly detail: string;
}

function candidates(): DeviceName[] {
  const own: Partial<Record<NodeJS.Platform, DeviceName>> = { darwin: "coreml", win32: "dml" };
  return ["cpu", "webgpu", "cuda", ...(own[process.platform] ? [own[process.platform]!] : [])];
}

/** Compiles a product on a device, runs it and checks the numbers. */
export async function probe(registry: Registry, device: DeviceName): Promise<Probe> {
  const started = performance.now();
  const backend = await openBackend(registry, { device }, () => {});
  const square = jit((x: ReturnType<typeof tensor>) => mul(x, x), backend ? { backend } : {});
  const result = await (await square(tensor([1, 2, 3]))).host();
  const found = Array.from(result.data());
  if (found.join() !== "1,4,9") return { runs: false, detail: `computes 1, 2, 3 squared as ${found.join(", ")}` };
  if (backend && backend.device !== device) return { runs: false, detail: `runs on ${backend.device} instead` };
  return { runs: true, detail: `first result after ${formatSeconds((performance.now() - started) / 1000)}` };
}

/** Probes in a process of its own: a driver that crashes must not take the others' results with it. */
function probeApart(device: DeviceName): Promise<Probe> {
  const script = process.argv[1]!;
  return new Promise((resolve) => {
    const arguments_ = [...process.execArgv, script, "doctor", "--probe", device];
    execFile(process.execPath, arguments_, { timeout: probeTimeout }, (error, stdout, stderr) => {
      const line = stdout.trim().split("\n").at(-1) ?? "";
      if (line.startsWith("{")) resolve(JSON.parse(line) as Probe);
      else if (error?.killed) resolve({ runs: false, detail: `no answer within ${probeTimeout / 1000} s` });
      else if (error?.signal) resolve({ runs: false, detail: `the process ended with ${error.signal}` });
      else resolve({ runs: false, detail: stderr.trim().split("\n")[0] || "the process ended without an answer" });
    });
  });
}

/** Prints a probe's result as one line of JSON, for the process that asked. */
export async function answerProbe(registry: Registry, device: DeviceName, terminal: Terminal): Promise<number> {
  const result = await probe(registry, device).catch((error: unknown): Probe => {
    const message = error instanceof Error ? error.message : String(error);
    return { runs: false, detail: message.split("\n")[0]!.replace(`device ${device}: `, "") };
  });
  terminal.print(JSON.stringify(result));
  return exitCodes.success;
}

/** Version of ONNX Runtime's own binding, which is a dependency of a dependency. */
function bindingVersion(registryRequire: NodeJS.Require): string | undefined {
  try {
    const runtime = createRequire(registryRequire.resolve(runtimePackage));
    return (runtime("onnxruntime-node/package.json") as { version: string }).version;
  } catch {
    return undefined;
  }
}

/** Prints what is installed and what really runs. Exit code 1 when something that is needed does not. */
export async function doctor(registry: Registry, terminal: Terminal): Promise<number> {
  let healthy = true;
  const line = (name: string, value: string, good = true) => {
    healthy &&= good;
    terminal.print(`  ${padText(name, 24)}${value}`);
  };
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const recent = major > 20 || (major === 20 && minor >= 19);
  terminal.print("System");
  line("node", `${process.versions.node}${recent ? "" : " (too old: Offprint needs 20.19)"}`, recent);
  line("platform", `${process.platform} ${process.arch}`);
  line("processor", cpus()[0]?.model.trim() || "unknown");
  line("threads", `${availableParallelism()} available`);

  terminal.print("\nPackages");
  line("offprint", registry.version);
  for (const name of ["@offprint/tensor-core", "@offprint/claims"]) line(name, registry.versionOf(name) ?? "bundled");
  const runtime = registry.versionOf(runtimePackage);
  line(runtimePackage, runtime ?? `not installed (npm install ${runtimePackage})`);
  if (runtime) line("onnxruntime-node", bindingVersion(registry.require) ?? "not installed");
  for (const method of registry.methods) {
    const loaded = await loadClaims(registry, method).then(
      ({ claims }) => ({
        text: `${method.version}, ${claims.length === 1 ? "1 claim" : `${claims.length} claims`}`,
        good: true,
      }),
      (error: Error) => ({ text: error.message, good: false }),
    );
    line(method.packageName, loaded.text, loaded.good);
  }

  terminal.print("\nDevices");
  const host = await probe(registry, "host").catch((error: Error): Probe => ({ runs: false, detail: error.message }));
  line("host", host.runs ? `runs, ${host.detail}` : `does not run: ${host.detail}`, host.runs);
  if (!runtime) {
    line("others", `need ${runtimePackage}`);
    return healthy ? exitCodes.success : exitCodes.failed;
  }
  for (const device of candidates()) {
    terminal.progress(0, `probing ${device}`);
    const { runs, detail } = await probeApart(device);
    line(device, runs ? `runs, ${detail}` : `does not run: ${detail}`);
  }
  return healthy ? exitCodes.success : exitCodes.failed;
}
