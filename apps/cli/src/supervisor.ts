import { fork } from "node:child_process";
import { constants } from "node:os";
import { exitCodes, type Stream } from "@offprint/commands";
import { roleVariable } from "./roles.js";

/** What the process that computes is told. */
export type ToWork = "interrupt";

/** What it tells. */
export type FromWork =
  | { readonly kind: "interrupting" }
  | { readonly kind: "saved"; readonly path: string }
  | { readonly kind: "text"; readonly stream: "out" | "err"; readonly text: string };

/** Longest time in which work must notice that it is to end, in milliseconds; then it is ended. */
const noticed = 900;
/** Longest time in which work that has noticed must be over: it may have much to save. */
const over = 10_000;
/** Longest part of the standard error that is shown when the work crashes. */
const shownOutput = 4000;

/** Facts of a terminal that a process without one of its own needs. */
function terminalFacts(): Record<string, string> {
  const { stdout, stderr } = process;
  const columns = stdout.columns ?? stderr.columns;
  return {
    ...(stdout.isTTY && { OFFPRINT_OUT_TTY: "1" }),
    ...(stderr.isTTY && { OFFPRINT_ERR_TTY: "1" }),
    ...(columns !== undefined && { COLUMNS: String(columns) }),
  };
}

/**
 * Runs the program in a process of its own, so that Ctrl-C and SIGTERM end it also in the middle of work that makes no
 * pause. What drivers print to standard error is shown only if the process crashes.
 *
 * @returns the exit code
 */
export function supervise(words: readonly string[]): Promise<number> {
  const child = fork(process.argv[1]!, words, {
    stdio: ["inherit", "inherit", "pipe", "ipc"],
    env: { ...process.env, ...terminalFacts(), [roleVariable]: "work" },
  });
  let output = "";
  let saved: string | undefined;
  let interrupted = false;
  let timer: NodeJS.Timeout | undefined;
  /** Two halves: where the machine stands still in one, the other is left for what the work has to say. */
  const endAfter = (milliseconds: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = setTimeout(() => child.kill("SIGKILL"), milliseconds / 2);
    }, milliseconds / 2);
  };
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-shownOutput);
  });
  child.on("message", (message: FromWork) => {
    if (message.kind === "text") process[message.stream === "out" ? "stdout" : "stderr"].write(message.text);
    else if (message.kind === "saved") saved = message.path;
    else endAfter(over);
  });
  const end = () => {
    if (interrupted || !child.connected) {
      child.kill("SIGKILL");
      return;
    }
    interrupted = true;
    child.send("interrupt" satisfies ToWork);
    endAfter(noticed);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, end);
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      for (const each of signals) process.off(each, end);
      if (code !== null) {
        if (code !== exitCodes.success && output !== "" && !interrupted) process.stderr.write(output);
        return resolve(code);
      }
      if (interrupted) {
        const kept =
          saved === undefined ? "" : ` The run as it was last saved is in ${saved}; --resume goes on with it.`;
        process.stderr.write(`Interrupted.${kept}\n`);
        return resolve(exitCodes.interrupted);
      }
      process.stderr.write(`${output}offprint: the process that computed ended with ${signal}.\n`);
      resolve(128 + constants.signals[signal!]);
    });
  });
}

/** The process that computes: its signal, its streams, and what it tells the one that started it. */
export function supervised(): {
  readonly signal: AbortSignal;
  readonly out: Stream;
  readonly err: Stream;
  onSaved(path: string): void;
} {
  const tell = (message: FromWork) => process.send?.(message);
  const controller = new AbortController();
  // The terminal sends Ctrl-C to both processes; the other one tells this one.
  process.on("SIGINT", () => undefined);
  const interrupt = () => {
    tell({ kind: "interrupting" });
    controller.abort();
  };
  process.on("message", (message: ToWork) => message === "interrupt" && interrupt());
  process.on("disconnect", () => controller.abort());
  process.channel?.unref();
  const columns = Number(process.env["COLUMNS"]) || undefined;
  const through = (stream: "out" | "err", isTTY: boolean): Stream => ({
    isTTY,
    ...(columns !== undefined && isTTY && { columns }),
    write: (text) => tell({ kind: "text", stream, text }),
  });
  const shownOut = process.env["OFFPRINT_OUT_TTY"] === "1";
  return {
    signal: controller.signal,
    // In a pipe results go straight there; on a terminal they must not overtake the progress bar.
    out: shownOut ? through("out", true) : process.stdout,
    err: through("err", process.env["OFFPRINT_ERR_TTY"] === "1"),
    onSaved: (path) => tell({ kind: "saved", path }),
  };
}
