import { type DeviceChoice, describeError } from "@offprint/commands";
import type { Backend } from "@offprint/tensor-core";
import { deviceOf, openBackend } from "./backend.js";
import type { FromWorker, ToWorker } from "./claims-messages.js";
import { type ClaimsTask, runTask } from "./claims-task.js";
import type { Registry } from "./registry.js";

function tell(message: FromWorker): void {
  process.send?.(message);
}

async function open(registry: Registry, choice: DeviceChoice): Promise<Backend | undefined> {
  const backend = await openBackend(registry, choice, (line) => tell({ kind: "note", line }));
  tell({ kind: "ready", used: { device: deviceOf(backend), ...(backend && { backend: backend.name }) } });
  return backend;
}

async function run(registry: Registry, backend: Backend | undefined, task: ClaimsTask): Promise<void> {
  const before = process.cpuUsage();
  const run = await runTask(registry, backend, task, tell);
  const { user, system } = process.cpuUsage(before);
  tell({ kind: "done", run: { ...run, processorSeconds: (user + system) / 1e6 } });
}

/**
 * Runs claims for another process, which asks one thing after the other; that process ends this one. It has its own
 * terminal: Ctrl-C there reaches this process too, and means nothing here.
 */
export function serveClaims(registry: Registry): void {
  process.on("SIGINT", () => undefined);
  // Nobody is left who would read the results.
  process.on("disconnect", () => process.exit());
  let backend: Promise<Backend | undefined> = Promise.resolve(undefined);
  process.on("message", (message: ToWorker) => {
    const done =
      message.kind === "open"
        ? (backend = open(registry, message.choice))
        : backend.then((opened) => run(registry, opened, message.task));
    done.catch((error: unknown) => tell({ kind: "failure", ...describeError(error) }));
  });
}
