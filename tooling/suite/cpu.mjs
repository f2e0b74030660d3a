// Loaded into every Node process of a job (`--import`): adds the processor time it took to the job's file.
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const path = process.env.OFFPRINT_CPU_TIME;
if (path && isMainThread) {
  const write = () => {
    const { user, system } = process.cpuUsage();
    appendFileSync(path, `${user + system}\n`);
  };
  process.once("exit", write);
  // A worker of vitest is ended by a signal, which would leave no time for "exit".
  if (process.env.VITEST_POOL_ID !== undefined) process.once("SIGTERM", () => process.exit());
}
