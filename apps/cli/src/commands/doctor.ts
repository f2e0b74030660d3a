import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { formatSeconds } from "@offprint/claims";
import { alignedRows, type DeviceName, defineCommand, exitCodes } from "@offprint/commands";
import { hostCompilerObstacle, jit, kernelMode, mul, tensor } from "@offprint/tensor-core";
import { openBackend, parseDevice, runtimePackage } from "../backend.js";
import { loadClaims, type Registry } from "../registry.js";
import { roleVariable } from "../roles.js";
import { runtimeName } from "../runtime-name.js";

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
    const env = { ...process.env, [roleVariable]: `probe:${device}` };
    const settings = { timeout: probeTimeout, env };
    execFile(process.execPath, [...process.execArgv, script], settings, (error, stdout, stderr) => {
      const line = stdout.trim().split("\n").at(-1) ?? "";
      if (line.startsWith("{")) resolve(JSON.parse(line) as Probe);
      else if (error?.killed) resolve({ runs: false, detail: `no answer within ${probeTimeout / 1000} s` });
      else if (error?.signal) resolve({ runs: false, detail: `the process ended with ${error.signal}` });
      else resolve({ runs: false, detail: stderr.trim().split("\n")[0] || "the process ended without an answer" });
    });
  });
}

/** Prints a probe's result as one line of JSON, for the process that asked. */
export async function answerProbe(registry: Registry, device: string): Promise<number> {
  const result = await probe(registry, parseDevice(device)).catch((error: unknown): Probe => {
    const message = error instanceof Error ? error.message : String(error);
    return { runs: false, detail: message.split("\n")[0]!.replace(`device ${device}: `, "") };
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
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

/** What is installed or runs, and whether something that is needed is missing. */
interface Finding {
  readonly name: string;
  readonly value: string;
  readonly good: boolean;
}

function found(name: string, value: string, good = true): Finding {
  return { name, value, good };
}

async function systemFindings(): Promise<Finding[]> {
  const [runtime, version] = runtimeName();
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const recent = major > 20 || (major === 20 && minor >= 19);
  const asNode = runtime === "Node" ? "" : ` (as Node ${process.versions.node})`;
  const old = recent ? "" : " (too old: Offprint needs Node 20.19)";
  const obstacle = await hostCompilerObstacle();
  return [
    found(runtime.toLowerCase(), `${version}${asNode}${old}`, recent),
    found("platform", `${process.platform} ${process.arch}`),
    found("processor", cpus()[0]?.model.trim() || "unknown"),
    found("threads", `${availableParallelism()} available`),
    found("host kernels", kernelMode() === "wasm" ? "WebAssembly" : "JavaScript only (WebAssembly SIMD does not load)"),
    // Without it everything runs, operation by operation.
    found("compiler", obstacle === undefined ? "works: WebAssembly with vectors" : `does not work: ${obstacle}`),
  ];
}

async function packageFindings(registry: Registry): Promise<Finding[]> {
  const runtime = registry.versionOf(runtimePackage);
  const core = ["@offprint/tensor-core", "@offprint/claims", "@offprint/commands"];
  const methods = registry.methods.map((method) =>
    loadClaims(registry, method).then(
      ({ claims }) => {
        const count = claims.length === 1 ? "1 claim" : `${claims.length} claims`;
        return found(method.packageName, `${method.version}, ${count}`);
      },
      (error: Error) => found(method.packageName, error.message, false),
    ),
  );
  return [
    found("offprint", registry.version),
    ...core.map((name) => found(name, registry.versionOf(name) ?? "bundled")),
    found(runtimePackage, runtime ?? `not installed (npm install ${runtimePackage})`),
    ...(runtime ? [found("onnxruntime-node", bindingVersion(registry.require) ?? "not installed")] : []),
    ...(await Promise.all(methods)),
  ];
}

/** `offprint doctor`: exit code 1 when something that is needed does not run. */
export function doctorCommand(registry: Registry) {
  return defineCommand({
    name: "doctor",
    summary: "show versions, the binding, and the devices that really run",
    async run({ print, progress }) {
      let healthy = true;
      const section = (title: string, findings: readonly Finding[]) => {
        healthy &&= findings.every(({ good }) => good);
        print(title);
        for (const line of alignedRows(findings.map(({ name, value }) => [name, value]))) print(`  ${line}`);
      };
      section("System", await systemFindings());
      section("\nPackages", await packageFindings(registry));
      const host = await probe(registry, "host").catch(
        (error: Error): Probe => ({ runs: false, detail: error.message }),
      );
      const said = ({ runs, detail }: Probe) => (runs ? `runs, ${detail}` : `does not run: ${detail}`);
      const devices = [found("host", said(host), host.runs)];
      if (registry.versionOf(runtimePackage)) {
        for (const [place, device] of candidates().entries()) {
          progress(place / candidates().length, `probing ${device}`);
          devices.push(found(device, said(await probeApart(device))));
        }
      } else devices.push(found("others", `need ${runtimePackage}`));
      section("\nDevices", devices);
      return healthy ? exitCodes.success : exitCodes.negative;
    },
  });
}
