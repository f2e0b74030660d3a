import type { Backend } from "@offprint/tensor-core";
import type { Command } from "./command.js";
import { Failure } from "./failure.js";
import { runCommand } from "./run-command.js";
import { Terminal } from "./terminal.js";

/** Surroundings of a command under test. */
export interface WordsSettings {
  /** Fires on Ctrl-C; default never. */
  readonly signal?: AbortSignal;
  /** Where compiled functions run; default the host kernels. */
  readonly backend?: Backend;
  /** Columns of the terminal; default 100. */
  readonly width?: number;
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

/**
 * Runs a command as `offprint` does with the words behind its name, and collects what it prints.
 *
 * @param name which of a package's commands
 * @example const { code, out } = await runWords(commands, "boost-network", ["--table", path, "--units", "12"]);
 */
export async function runWords(
  commands: readonly Command[],
  name: string,
  words: readonly (number | string)[],
  { signal = new AbortController().signal, backend, width = 100 }: WordsSettings = {},
): Promise<WordsResult> {
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new Failure(`there is no command ${name}`);
  const [out, err] = [[], []] as [string[], string[]];
  const stream = (to: string[]) => ({ columns: width, write: (text: string) => to.push(text) });
  const code = await runCommand(command, words.map(String), {
    program: "offprint",
    terminal: new Terminal(stream(out), stream(err)),
    signal,
    openBackend: async () => backend,
    openModel: async () => {
      throw new Failure(".onnx models cannot be run in this test");
    },
  });
  return { code, out: out.join(""), err: err.join("") };
}
