import type { Backend, Tensor, TensorLike } from "@offprint/tensor-core";

/** An argument that is known by its place on the command line. */
export interface CommandArgument {
  /** Name shown in the help. */
  readonly name: string;
  /** What it is. */
  readonly description: string;
  /** Whether it may be left out; default `false`. */
  readonly optional?: boolean;
  /** Whether it takes all words that follow; only the last argument can; default `false`. */
  readonly variadic?: boolean;
}

/** An argument that is known by its name, `--name value`, or `--name` for a boolean. */
export interface CommandOption {
  /** Without the hyphens in front: `bits`, `step-size`. */
  readonly name: string;
  /** One letter that stands for the name behind a single hyphen: `o`. */
  readonly short?: string;
  /** What it is, with its unit. */
  readonly description: string;
  /** Kind of value. */
  readonly type: "boolean" | "number" | "string";
  /** Value when it is left out. */
  readonly default?: boolean | number | string;
}

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
export interface CommandInput {
  /** Positional arguments by name; a variadic one is an array. */
  readonly arguments: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Options by name. */
  readonly options: Readonly<Record<string, boolean | number | string | undefined>>;
  /** Prints a line to standard output. */
  print(line: string): void;
  /** Reports progress as a fraction in [0, 1] on standard error. */
  onProgress(fraction: number, note?: string): void;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  /** The backend of `--device`, created when it is asked for; `undefined` means the host kernels. */
  backend(): Promise<Backend | undefined>;
  /** Loads somebody's .onnx model, by path or bytes, on the device of `--device`; absent where nothing can run one. */
  loadModel?(model: string | Uint8Array): Promise<CommandModel>;
}

/**
 * A command that a method adds to `offprint`. The package's `./cli` entry exports an array of them as `commands`, and
 * its package.json lists their names with a summary under `"offprint": { "commands": { ... } }`.
 */
export interface MethodCommand {
  /** The word after `offprint`. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Arguments known by their place. */
  readonly arguments: readonly CommandArgument[];
  /** Arguments known by their name; `--device` and `--threads` are always there. */
  readonly options?: readonly CommandOption[];
  /**
   * Does the work. A typed error (`FormatError`, `ValueError`, ...) becomes one line and exit code 2.
   *
   * @returns the exit code; nothing means 0
   */
  run(input: CommandInput): Promise<number | undefined> | Promise<void>;
}
