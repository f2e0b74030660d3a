import { saveFile } from "@offprint/data/node";
import { AbortedError, type Backend, requireObject } from "@offprint/tensor-core";
import { labelled } from "./aligned.js";
import type { Command, CommandInput, CommandModel } from "./command.js";
import { describeError, exitCodes, Failure } from "./failure.js";
import { helpText } from "./help.js";
import { openLongRun } from "./long-run.js";
import { type DeviceName, deviceNames } from "./standard-options.js";
import type { Terminal } from "./terminal.js";
import { flagOf, readWords } from "./words.js";

/** Where compiled functions are to run. */
export interface DeviceChoice {
  /** The word after `--device`; default `auto`. */
  readonly device: DeviceName;
  /** Threads of the cpu device. */
  readonly threads?: number;
}

/** What surrounds a command. */
export interface CommandHost {
  /** The word before the command's: `offprint`. */
  readonly program: string;
  /** What is printed to. */
  readonly terminal: Terminal;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Opens the backend of a device; nothing means the host kernels. */
  openBackend(choice: DeviceChoice): Promise<Backend | undefined>;
  /** Loads an .onnx model on a device. */
  openModel(choice: DeviceChoice, model: string | Uint8Array): Promise<CommandModel>;
  /** Told where the state of a long run was saved. */
  onSaved?(path: string): void;
}

function chosenDevice({ device, threads }: Readonly<Record<string, unknown>>): DeviceChoice {
  return {
    device: deviceNames.find((name) => name === device) ?? "auto",
    ...(typeof threads === "number" && { threads }),
  };
}

function inputOf(command: Command, words: readonly string[], host: CommandHost): CommandInput {
  const { terminal, signal } = host;
  const { arguments: named, options, given } = readWords(words, command.arguments, command.options);
  const note = (line: string) => terminal.note(line);
  return {
    arguments: named,
    options,
    signal,
    width: terminal.width,
    colour: terminal.colour,
    print: (line = "") => terminal.print(line),
    note,
    explain: (error) => toldAt(error, command, words).told,
    report(rows) {
      for (const line of labelled(rows)) terminal.print(line);
    },
    progress: (fraction, label = command.name) => terminal.progress(fraction, label),
    refuse(names, reason) {
      const idle = names.filter((name) => given.has(name)).map(flagOf);
      if (idle.length === 0) return;
      const it = idle.length === 1 ? "it" : "them";
      throw new Failure(`${idle.join(", ")} would do nothing, as ${reason}; leave ${it} out.`);
    },
    async write(path, content) {
      if (path === undefined) return;
      await saveFile(path, content);
      terminal.print(`written: ${path}`);
    },
    backend: () => host.openBackend(chosenDevice(options)),
    loadModel: (model) => host.openModel(chosenDevice(options), model),
    longRun: (settings) =>
      openLongRun(
        {
          command: command.name,
          given: [
            [command.arguments, named],
            [command.options, options],
          ],
          state: {
            path: typeof options["state"] === "string" ? options["state"] : undefined,
            resume: options["resume"] === true,
            seconds: Number(options["checkpoint"] ?? 10),
          },
          signal,
          progress: (fraction, label) => terminal.progress(fraction, label),
          note,
          onSaved: (path) => host.onSaved?.(path),
        },
        settings,
      ),
  };
}

/** Ends a command that has nothing to keep after its signal has fired. */
function interrupted(): AbortedError {
  return new AbortedError("Interrupted.");
}

/**
 * Runs a command with the words behind its name: prints its help, or reads the words, checks the files that they name,
 * and does the work. What goes wrong becomes one line on standard error.
 *
 * @returns the exit code, one of `exitCodes` or what the command returned
 */
export async function runCommand(command: Command, words: readonly string[], host: CommandHost): Promise<number> {
  requireObject("runCommand", "command", command, "a Command");
  requireObject("runCommand", "words", words, "an array of texts");
  requireObject("runCommand", "host", host, "a CommandHost");
  const { terminal, program, signal } = host;
  const ends = words.indexOf("--");
  const before = ends < 0 ? words : words.slice(0, ends);
  if (before.includes("--help") || before.includes("-h")) {
    terminal.print(helpText({ ...command, name: `${program} ${command.name}` }, terminal.width));
    return exitCodes.success;
  }
  try {
    const code = await command.run(inputOf(command, words, host));
    if (signal.aborted && code === undefined) throw interrupted();
    return code ?? exitCodes.success;
  } catch (error) {
    const { told, exitCode } = toldAt(signal.aborted && !isOwnLine(error) ? interrupted() : error, command, words);
    terminal.note(exitCode === exitCodes.interrupted ? told : `${program}: ${told}`);
    return exitCode;
  } finally {
    terminal.clearBar();
  }
}

/** What the user of a command is told about an error, and the exit code. */
function toldAt(error: unknown, command: Command, words: readonly string[]): { told: string; exitCode: number } {
  const { message, exitCode } = describeError(error);
  const told = exitCode === exitCodes.input ? atTerminal(message, Object.keys(command.options), words) : message;
  return { told, exitCode };
}

/**
 * What a function says of its arguments, to somebody who did not call it: without names of functions in front, and with
 * options as they are typed, `--learning-rate` for `learningRate`, and `--steps` where a message begins with `steps is`.
 *
 * @param words of the command line: a file may have a name like a function's
 */
function atTerminal(message: string, options: readonly string[], words: readonly string[]): string {
  const bare = message.replace(/(?<=^|: )([a-z]+[A-Z]\w*): /g, (said, name) => (words.includes(name) ? said : ""));
  const compound = options.filter((name) => flagOf(name) !== `--${name}`);
  const named = bare.replace(/^([a-z]+)(?= is )/, (word) => (options.includes(word) ? flagOf(word) : word));
  return compound.reduce(
    (text, name) => text.replace(new RegExp(`(?<![\\w.-])${name}(?!\\w)`, "g"), flagOf(name)),
    named,
  );
}

/** Whether an error says for itself what an interruption left behind. */
function isOwnLine(error: unknown): boolean {
  const { message, exitCode } = describeError(error);
  return exitCode === exitCodes.interrupted && message.startsWith("Interrupted");
}
