import { availableParallelism, cpus, platform, release } from "node:os";
import type { Environment } from "@offprint/claims";
import { runtimePackage } from "./backend.js";
import type { Method, Registry } from "./registry.js";
import { runtimeName } from "./runtime-name.js";

/** Where claims ran: the word of the device, and the name of the backend unless it was the host. */
export interface UsedDevice {
  readonly device: string;
  readonly backend?: string;
}

/** What the results of a run may depend on. */
export function environmentFacts(
  registry: Registry,
  methods: readonly Method[],
  { device, backend }: UsedDevice,
  threads: number | undefined,
): Environment {
  const core = ["@offprint/tensor-core", ...(backend ? [runtimePackage] : [])].flatMap((name) => {
    const version = registry.versionOf(name);
    return version ? [`${name} ${version}`] : [];
  });
  const versions = [...core, ...methods.map(({ packageName, version }) => `${packageName} ${version}`)];
  const where = backend ? `${device} (${backend})` : "host (tensor-core's own kernels)";
  const [runtime, runtimeVersion] = runtimeName();
  const date = new Date();
  return {
    date: `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    facts: {
      Offprint: registry.version,
      Packages: versions.join(", "),
      Device: threads === undefined ? where : `${where}, ${threads === 1 ? "1 thread" : `${threads} threads`}`,
      [runtime]: `${runtimeVersion} (${process.platform} ${process.arch})`,
      Processor: `${cpus()[0]?.model.trim() || "unknown"}, ${availableParallelism()} available`,
      System: `${platform()} ${release()}`,
    },
  };
}
