import { readFileSync, rmSync } from "node:fs";
import type { Backend } from "@offprint/tensor-core";
import type { Command, CommandModel } from "./command.js";
import { exitCodes, Failure } from "./failure.js";
import { runCommand } from "./run-command.js";
import { type Stream, Terminal } from "./terminal.js";
import { flagOf } from "./words.js";

/** Surroundings of a command under test. */
export interface WordsSettings {
  /** Fires on Ctrl-C; default never. */
  readonly signal?: AbortSignal;
  /** Ctrl-C as soon as the run has come so far, in [0, 1]; default never. */
  readonly interruptAt?: number;
  /** Where compiled functions run; default the host kernels. */
  readonly backend?: Backend;
  /** Columns of the terminal; default 100. */
  readonly width?: number;
  /** Runs .onnx models. */
  readonly loadModel?: (model: string | Uint8Array) => Promise<CommandModel>;
}

/** What a command left behind. */
export interface WordsResult {
  /** Exit code. */
  readonly code: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly err: string;
}

/** Words as they stand on the command line, or options by name: `{ units: 12, keepAll: true }` for `--units 12 --keep-all`. */
export type GivenWords = readonly (number | string)[] | Readonly<Record<string, boolean | number | string | undefined>>;

function isList(words: GivenWords): words is readonly (number | string)[] {
  return Array.isArray(words);
}

function listed(words: GivenWords): string[] {
  if (isList(words)) return words.map(String);
  return Object.entries(words).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [flagOf(name)] : [flagOf(name), String(value)];
  });
}

/**
 * Runs a command as `offprint` does with the words behind its name, and collects what it prints.
 *
 * @param name which of a package's commands
 * @example const { code, out } = await runWords(commands, "boost-network", { table: path, units: 12 });
 */
export async function runWords(
  commands: readonly Command[],
  name: string,
  words: GivenWords,
  settings: WordsSettings = {},
): Promise<WordsResult> {
  const { signal, interruptAt = Number.POSITIVE_INFINITY, backend, width = 100, loadModel } = settings;
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new Failure(`there is no command ${name}`);
  const [out, err] = [[], []] as [string[], string[]];
  const stream = (to: string[]) => ({ columns: width, write: (text: string) => to.push(text) });
  const terminal = new WatchedTerminal(stream(out), stream(err), interruptAt);
  const code = await runCommand(command, listed(words), {
    program: "offprint",
    terminal,
    signal: signal === undefined ? terminal.reached.signal : AbortSignal.any([signal, terminal.reached.signal]),
    openBackend: async () => backend,
    openModel: async (_, model) => {
      if (loadModel !== undefined) return loadModel(model);
      throw new Failure(".onnx models cannot be run here; install @offprint/onnx-runtime");
    },
  });
  return { code, out: out.join(""), err: err.join("") };
}

/** Fires when a run has come so far. */
class WatchedTerminal extends Terminal {
  readonly reached = new AbortController();
  private readonly at: number;

  constructor(out: Stream, err: Stream, at: number) {
    super(out, err);
    this.at = at;
  }

  override progress(fraction: number, label: string): void {
    if (fraction >= this.at) this.reached.abort();
    super.progress(fraction, label);
  }
}

/** What a run printed, and wrote to `--output`. */
export interface RunOutcome {
  /** Standard output. */
  readonly out: string;
  /** The file, a letter for each byte. */
  readonly file: string;
}

/** Settings of {@link runInTwo}: those of {@link runWords}, and files that are written. */
export interface RunInTwoSettings extends Omit<WordsSettings, "signal"> {
  /** For `--output`. */
  readonly output: string;
  /** For `--state`. */
  readonly state: string;
}

/**
 * Runs a command to its end, and anew in two parts: interrupted (in the middle, where `interruptAt` is not given), then gone
 * on with by `--resume`. Both must come to the same.
 *
 * @param words without `--output`, `--state` and `--resume`
 * @throws Failure where the run was not interrupted, or did not come to its end
 * @example const [whole, parts] = await runInTwo(commands, "fit-targets", { table }, { output, state });
 */
export async function runInTwo(
  commands: readonly Command[],
  name: string,
  words: GivenWords,
  { output, state, interruptAt = 0.5, ...settings }: RunInTwoSettings,
): Promise<readonly [whole: RunOutcome, parts: RunOutcome]> {
  const run = (more: readonly string[], at?: number) =>
    runWords(commands, name, [...listed(words), "--output", output, ...more], { ...settings, interruptAt: at });
  const ended = async (...more: string[]): Promise<RunOutcome> => {
    rmSync(output, { force: true });
    const { code, out, err } = await run(more);
    if (code !== 0) throw new Failure(`${name} ended with ${code}: ${err}`);
    return { out, file: readFileSync(output, "latin1") };
  };
  const whole = await ended();
  const { code, out, err } = await run(["--state", state], interruptAt);
  if (code !== exitCodes.interrupted)
    throw new Failure(`${name} was not interrupted but ended with ${code}: ${err}${out}`);
  return [whole, await ended("--state", state, "--resume")];
}
