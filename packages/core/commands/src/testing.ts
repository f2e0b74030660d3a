import type { Backend } from "@offprint/tensor-core";
import type { Command, CommandModel } from "./command.js";
import { Failure } from "./failure.js";
import { runCommand } from "./run-command.js";
import { Terminal } from "./terminal.js";
import { flagOf } from "./words.js";

/** Surroundings of a command under test. */
export interface WordsSettings {
  /** Fires on Ctrl-C; default never. */
  readonly signal?: AbortSignal;
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
  { signal = new AbortController().signal, backend, width = 100, loadModel }: WordsSettings = {},
): Promise<WordsResult> {
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new Failure(`there is no command ${name}`);
  const [out, err] = [[], []] as [string[], string[]];
  const stream = (to: string[]) => ({ columns: width, write: (text: string) => to.push(text) });
  const code = await runCommand(command, listed(words), {
    program: "offprint",
    terminal: new Terminal(stream(out), stream(err)),
    signal,
    openBackend: async () => backend,
    openModel: async (_, model) => {
      if (loadModel !== undefined) return loadModel(model);
      throw new Failure(".onnx models cannot be run here; install @offprint/onnx-runtime");
    },
  });
  return { code, out: out.join(""), err: err.join("") };
}
