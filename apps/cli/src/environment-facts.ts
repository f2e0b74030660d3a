import { availableParallelism, cpus, platform, release } from "node:os";
import type { Environment } from "@offprint/claims";
import type { Backend } from "@offprint/tensor-core";
import { deviceOf, runtimePackage } from "./backend.js";
import type { Method, Registry } from "./registry.js";

/** What the results of a run may depend on. */
export function environmentFacts(
  registry: Registry,
  methods: readonly Method[],
  backend: Backend | undefined,
  threads: number | undefined,
): Environment {
  const core = ["@offprint/tensor-core", ...(backend ? [runtimePackage] : [])].flatMap((name) => {
    const version = registry.versionOf(name);
    return version ? [`${name} ${version}`] : [];
  });
  const versions = [...core, ...methods.map(({ packageName, version }) => `${packageName} ${version}`)];
  const device = backend ? `${deviceOf(backend)} (${backend.name})` : "host (tensor-core's own kernels)";
  const date = new Date();
  return {
    date: `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    facts: {
      Offprint: registry.version,
      Packages: versions.join(", "),
      Device: threads === undefined ? device : `${device}, ${threads === 1 ? "1 thread" : `${threads} threads`}`,
      Node: `${process.versions.node} (${process.platform} ${process.arch})`,
      Processor: `${cpus()[0]?.model.trim() || "unknown"}, ${availableParallelism()} available`,
      System: `${platform()} ${release()}`,
    },
  };
}
