// Loaded into every Node process of a job (`--import`): keeps the processor time it has taken in the job's folder.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

const folder = process.env.OFFPRINT_CPU_TIME;
if (folder && isMainThread) {
  const path = join(folder, `cpu-${process.pid}`);
  const write = () => {
    const { user, system } = process.cpuUsage();
    try {
      writeFileSync(path, String(user + system));
    } catch {
      // The job has ended, and its folder is gone.
    }
  };
  process.once("exit", write);
  // Workers of test runners are killed, which leaves no time for "exit".
  setInterval(write, 250).unref();
}
