import { type ChildProcess, spawn } from "node:child_process";

/** A worker of `@offprint/cluster` in a process of its own, which can be killed. */
export class WorkerProcess {
  /** The process. */
  readonly child: ChildProcess;
  /** Its name, once it has joined. */
  readonly joined: Promise<string>;

  /**
   * @param agent its program: that of `installJobs`
   * @param options of `joinCluster`, as plain data
   */
  constructor(agent: string, options: object) {
    this.child = spawn(process.execPath, [agent, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
    this.joined = new Promise((resolve, reject) => {
      let said = "";
      this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const found = /joined (\S+)/.exec(said);
        if (found) resolve(found[1]!);
      });
      this.child.on("close", (code) => reject(new Error(`the worker ended with ${code}: ${said}`)));
    });
    this.joined.catch(() => undefined);
  }

  /** Ends it, and waits until it has ended. */
  async end(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.child.on("close", resolve));
    this.child.kill(signal);
    await closed;
  }
}
