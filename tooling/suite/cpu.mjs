// Loaded into every Node process of a job (`--import`): keeps the processor time it has taken in the job's folder.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

const folder = process.env.OFFPRINT_CPU_TIME;
if (folder && isMainThread) {
  const path = join(folder, `cpu-${process.pid}`);
  const unfinished = join(folder, `unfinished-${process.pid}`);
  const write = () => {
    const { user, system } = process.cpuUsage();
    try {
      // In one step: what is killed while it writes would leave an empty file.
      writeFileSync(unfinished, String(user + system));
      renameSync(unfinished, path);
    } catch {
      // The job has ended, and its folder is gone.
    }
  };
  process.once("exit", write);
  // Workers of test runners are killed, which leaves no time for "exit".
  setInterval(write, 250).unref();
}
