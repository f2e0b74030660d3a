import { type ChildProcess, fork } from "node:child_process";
import type { ClaimRecord } from "@offprint/claims";
import { type DeviceChoice, describeError, exitCodes, Failure } from "@offprint/commands";
import type { FromWorker, ToWorker } from "./claims-messages.js";
import type { ClaimsOutcome, ClaimsRunner, TimedRun } from "./claims-runner.js";
import type { ClaimsTask } from "./claims-task.js";
import type { UsedDevice } from "./environment-facts.js";
import { roleVariable } from "./roles.js";

/** Told what happens while claims run. */
export interface ClaimsEvents {
  onProgress(progress: { readonly fraction: number; readonly claim: string; readonly note: string }): void;
  onFinished(record: ClaimRecord): void;
}

/** Longest part of a worker's standard error that is shown when it crashes. */
const shownOutput = 2000;

/** A process that runs claims, so that work without a pause can be ended, and a crash takes nothing else with it. */
class ClaimsWorker {
  private readonly child: ChildProcess;
  private output = "";
  private settle: { resolve(message: FromWorker): void; reject(error: unknown): void } | undefined;
  private events: ClaimsEvents | undefined;

  constructor(note: (line: string) => void) {
    this.child = fork(process.argv[1]!, [], {
      // Drivers print to standard error as they like; what matters comes as messages.
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, [roleVariable]: "claims" },
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.output = (this.output + text).slice(-shownOutput);
    });
    this.child.on("message", (message: FromWorker) => {
      if (message.kind === "note") note(message.line);
      else if (message.kind === "progress") this.events?.onProgress(message);
      else if (message.kind === "record") this.events?.onFinished(message.record);
      else if (message.kind === "failure") this.settle?.reject(new Failure(message.message, message.exitCode));
      else this.settle?.resolve(message);
    });
    this.child.on("exit", (code, signal) => {
      const why = signal ? `ended with ${signal}` : `ended with code ${code}`;
      this.settle?.reject(new Failure(`the process of the claims ${why}. ${this.output}`.trim(), exitCodes.negative));
    });
  }

  private ask(message: ToWorker): Promise<FromWorker> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.child.send(message, (error) => error && reject(error));
    });
  }

  async open(choice: DeviceChoice): Promise<UsedDevice> {
    const answer = await this.ask({ kind: "open", choice });
    if (answer.kind === "ready") return answer.used;
    throw new Failure(`the process of the claims answered ${answer.kind}`, exitCodes.negative);
  }

  async run(task: ClaimsTask, events: ClaimsEvents): Promise<TimedRun> {
    this.events = events;
    const answer = await this.ask({ kind: "run", task });
    if (answer.kind === "done") return answer.run;
    throw new Failure(`the process of the claims answered ${answer.kind}`, exitCodes.negative);
  }

  /** Whether there is no process any more that could take a task. */
  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Lets the process end by itself, as one that has done its work. */
  close(): Promise<void> {
    this.settle = undefined;
    const ended = new Promise<void>((resolve) => this.child.once("exit", () => resolve()));
    if (!this.child.connected) return Promise.resolve();
    this.child.disconnect();
    return ended;
  }

  /** Ends the process, in whatever it does. */
  end(): void {
    this.settle = undefined;
    this.child.kill("SIGKILL");
  }
}

/**
 * Several processes that run claims side by side. They are no threads of a cluster, as a driver that crashes would take
 * its threads' process, and this command, with it.
 */
export class ClaimsPool implements ClaimsRunner {
  private readonly workers: ClaimsWorker[];
  private readonly choice: DeviceChoice;
  /** Where all of them run. */
  readonly used: UsedDevice;

  private constructor(workers: ClaimsWorker[], choice: DeviceChoice, used: UsedDevice) {
    this.workers = workers;
    this.choice = choice;
    this.used = used;
  }

  /** @throws Failure when the device cannot be used */
  static async open(count: number, choice: DeviceChoice, note: (line: string) => void): Promise<ClaimsPool> {
    const first = new ClaimsWorker(note);
    // What the first one reports of a device holds for all.
    const workers = [first, ...Array.from({ length: count - 1 }, () => new ClaimsWorker(() => undefined))];
    try {
      const [used] = await Promise.all(workers.map((worker) => worker.open(choice)));
      return new ClaimsPool(workers, choice, used!);
    } catch (error) {
      for (const worker of workers) worker.end();
      throw error;
    }
  }

  /**
   * Runs tasks in their order, each as soon as a process is free. Where a process ends, what it had not finished is run in
   * another one, once: memory may have been short. A task that fails is told as such, and those after it run.
   */
  async run(
    tasks: readonly ClaimsTask[],
    events: (place: number) => ClaimsEvents,
    signal: AbortSignal,
  ): Promise<ClaimsOutcome[]> {
    const outcomes: ClaimsOutcome[] = new Array(tasks.length);
    let next = 0;
    const work = Promise.all(
      this.workers.map(async (_, k) => {
        while (next < tasks.length && !signal.aborted) {
          const place = next++;
          outcomes[place] = await this.runIn(k, tasks[place]!, events(place));
        }
      }),
    );
    const interrupted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    // An interruption leaves the work behind as it is.
    work.catch(() => undefined);
    interrupted.catch(() => undefined);
    await Promise.race([work, interrupted]);
    await Promise.all(this.workers.map((worker) => worker.close()));
    return outcomes;
  }

  private async runIn(k: number, task: ClaimsTask, events: ClaimsEvents): Promise<ClaimsOutcome> {
    const finished = [...task.finished];
    const heard: ClaimsEvents = {
      onProgress: (progress) => events.onProgress(progress),
      onFinished(record) {
        finished.push(record);
        events.onFinished(record);
      },
    };
    for (let attempt = 1; ; attempt++) {
      try {
        if (this.workers[k]!.ended) {
          this.workers[k] = new ClaimsWorker(() => undefined);
          await this.workers[k].open(this.choice);
        }
        return await this.workers[k]!.run({ ...task, finished }, heard);
      } catch (error) {
        if (attempt === 1 && this.workers[k]!.ended) continue;
        const { message, exitCode } = describeError(error);
        return new Failure(message.startsWith(`${task.method}: `) ? message : `${task.method}: ${message}`, exitCode);
      }
    }
  }

  /** Ends all processes, in whatever they do. */
  end(): void {
    for (const worker of this.workers) worker.end();
  }
}
