// Loaded into every Node process of a job (`--import`): keeps the processor time it has taken in the job's folder, and
// spares some of it.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { isMainThread } from "node:worker_threads";

const folder = process.env.OFFPRINT_CPU_TIME;
if (folder && isMainThread) {
  // Of a job of ten seconds, four went into optimising functions that hardly ran again. Later, and with less inlined,
  // that is one and a half, and what runs long is optimised still (docs/decisions/0014). Names that a version of V8
  // does not know are passed over.
  setFlagsFromString("--interrupt-budget=500000");
  setFlagsFromString("--max-inlined-bytecode-size-cumulative=200");

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
