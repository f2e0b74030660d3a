import { type Backend, requireObject, type Tensor, type TensorLike } from "@offprint/tensor-core";
import type { Cell } from "./aligned.js";
import type { LongRun, LongRunSettings } from "./long-run.js";
import type { Options, Values } from "./words.js";

/** An input or output of an .onnx model. */
export interface CommandModelValue {
  /** Name in the file. */
  readonly name: string;
  /** ONNX element type, such as "float32" or "int64". */
  readonly type: string;
  /** Extents; a text where any extent is allowed. */
  readonly shape: readonly (number | string)[];
}

/** An .onnx model as a function of tensors. */
export interface CommandModel {
  /** What `run` must be given. */
  readonly inputs: readonly CommandModelValue[];
  /** What `run` gives. */
  readonly outputs: readonly CommandModelValue[];
  /** Runs the model. */
  run(feeds: Readonly<Record<string, TensorLike>>): Promise<Record<string, Tensor>>;
  /** Frees the model. */
  release(): Promise<void>;
}

/** What a command is run with. */
export interface CommandInput<A extends Options = Options, O extends Options = Options> {
  /** Values of the words that are known by their place. */
  readonly arguments: Values<A>;
  /** Values of the options. */
  readonly options: Values<O>;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether results may be coloured. */
  readonly colour: boolean;
  /** Prints a line to standard output. */
  print(line?: string): void;
  /** Prints a line to standard error: a warning, what happens. */
  note(line: string): void;
  /** What the user is told about an error: options as they are typed, no names of functions. */
  explain(error: unknown): string;
  /** Prints labels and values, the values in one column. */
  report(rows: readonly (readonly [label: string, value: Cell])[]): void;
  /** Shows progress, a fraction in [0, 1], in a bar on the terminal; nothing in a pipe. */
  progress(fraction: number, label?: string): void;
  /**
   * Refuses options that were given and would do nothing in what was chosen.
   *
   * @param names of options
   * @param reason why they would do nothing, as the end of a sentence: "with --model nothing is fitted"
   * @throws Failure that names those that were given
   */
  refuse(names: readonly (keyof O & string)[], reason: string): void;
  /** Writes a file whole or not at all, and says so; nothing where there is no path. */
  write(path: string | undefined, content: string | Uint8Array): Promise<void>;
  /** The backend of `--device`, created when it is asked for; `undefined` means the host kernels. */
  backend(): Promise<Backend | undefined>;
  /** Loads somebody's .onnx model, by path or bytes, on the device of `--device`. */
  loadModel(model: string | Uint8Array): Promise<CommandModel>;
  /** A run that Ctrl-C ends with its state kept and `--resume` goes on with; the command has `stateOptions`. */
  longRun<Record, State>(settings: LongRunSettings<Record>): Promise<LongRun<Record, State>>;
}

/** A command that is defined: `A` and `O` are its arguments and options by name. */
export interface Command<A extends Options = Options, O extends Options = Options> {
  /** The word after `offprint`: verb-noun. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What is known by its place, in order; the last one may take many words. */
  readonly arguments: A;
  /** What is known by its name. */
  readonly options: O;
  /** Further paragraphs of the help. */
  readonly details?: string;
  /** Does the work; see `defineCommand`. */
  run(input: CommandInput<A, O>): Promise<number | undefined> | Promise<void>;
}

/**
 * Defines a command that a package adds to `offprint`. The package's `./cli` entry exports an array of them as
 * `commands`, and its package.json lists their names with a summary under `"offprint": { "commands": { ... } }`.
 *
 * `run` returns the exit code, nothing for 0, `exitCodes.negative` where the result is negative. A typed error
 * (`FormatError`, `ValueError`, ...) becomes one line and exit code 2; a fired `signal` exit code 130.
 *
 * @example
 * export const halve = defineCommand({
 *   name: "halve-numbers",
 *   summary: "divide the numbers of a table by two",
 *   options: { ...tableOptions, times: option.integer("how often", { default: 1, least: 0 }) },
 *   async run({ options, report }) {
 *     const table = await readTable(options.table, options);
 *     report([["mean", table.inputs.mean().item() / 2 ** options.times]]); // `times` is a number
 *   },
 * });
 */
export function defineCommand<const A extends Options, const O extends Options>(
  definition: Omit<Command<A, O>, "arguments" | "options"> & { readonly arguments?: A; readonly options?: O },
): Command<A, O> {
  requireObject("defineCommand", "definition", definition, "{ name, summary, run }");
  const { arguments: named = {} as A, options = {} as O } = definition;
  return { ...definition, arguments: named, options };
}
