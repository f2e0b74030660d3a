import {
  type Command,
  type CommandHost,
  describedNames,
  describeError,
  didYouMean,
  exitCodes,
  Failure,
  runCommand,
  type Terminal,
} from "@offprint/commands";
import { openBackend, openModel } from "./backend.js";
import { benchCommand } from "./commands/bench.js";
import { doctorCommand } from "./commands/doctor.js";
import { infoCommand } from "./commands/info.js";
import { listCommand } from "./commands/list.js";
import { reproduceCommand } from "./commands/reproduce.js";
import { workerCommand } from "./commands/worker.js";
import { loadCommand, type Method, type Registry } from "./registry.js";

/** Where a call of the program happens. */
export interface Surroundings {
  readonly terminal: Terminal;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Told where the state of a long run was saved. */
  onSaved?(path: string): void;
}

const helpWords = ["-h", "--help"];
const purpose =
  "Machine-learning papers as npm packages: lists them, reproduces their claims, runs them on your files.";

function ownCommands(registry: Registry): Command[] {
  return [
    listCommand(registry),
    infoCommand(registry),
    reproduceCommand(registry),
    benchCommand(registry),
    workerCommand(registry),
    doctorCommand(registry),
  ];
}

/** Methods with the name and the summary of each command that they add. */
function methodCommands({ methods }: Registry): (readonly [Method, string, string])[] {
  return methods.flatMap((method) =>
    Object.entries(method.commands).map(([name, summary]) => [method, name, summary] as const),
  );
}

/** Whether the words mean work that may take long; `reproduce` has processes of its own. */
export function computes(words: readonly string[], registry: Registry): boolean {
  const [name, ...rest] = words;
  if (name === undefined || rest.some((word) => helpWords.includes(word))) return false;
  return name === "bench" || methodCommands(registry).some(([, command]) => command === name);
}

function programHelp(registry: Registry, width: number): string {
  const own = ownCommands(registry).map(({ name, summary }) => [name, summary] as const);
  const added = methodCommands(registry).map(([, name, summary]) => [name, summary] as const);
  return [
    "Usage: offprint <command> [options]",
    "",
    purpose,
    "",
    "Commands:",
    ...describedNames(own, width),
    ...(added.length === 0 ? [] : ["", "Commands of methods:", ...describedNames(added, width)]),
    "",
    "Options:",
    ...describedNames(
      [
        ["-h, --help", "print help; behind a command, its own"],
        ["-V, --version", "print the version"],
      ],
      width,
    ),
  ].join("\n");
}

async function named(name: string, registry: Registry): Promise<Command> {
  const own = ownCommands(registry).find((command) => command.name === name);
  if (own !== undefined) return own;
  const added = methodCommands(registry);
  const found = added.find(([, command]) => command === name);
  // Only the command that was asked for is loaded, so that the others cost nothing.
  if (found !== undefined) return loadCommand(registry, found[0], name);
  const known = [...ownCommands(registry).map((command) => command.name), ...added.map(([, command]) => command)];
  const kind = name.startsWith("-") ? "option" : "command";
  throw new Failure(`there is no ${kind} "${name}".${didYouMean(name, known)} "offprint --help" lists the commands.`);
}

/**
 * Runs the program.
 *
 * @param words the command line after `offprint`
 * @returns the exit code
 */
export async function runProgram(
  words: readonly string[],
  registry: Registry,
  { terminal, signal, onSaved }: Surroundings,
): Promise<number> {
  const [name, ...rest] = words[0] === "help" && words.length > 1 ? [words[1]!, "--help"] : words;
  if (name === undefined || name === "help" || helpWords.includes(name)) {
    terminal.print(programHelp(registry, terminal.width));
    return exitCodes.success;
  }
  if (name === "-V" || name === "--version") {
    terminal.print(registry.version);
    return exitCodes.success;
  }
  const host: CommandHost = {
    program: "offprint",
    terminal,
    signal,
    openBackend: (choice) => openBackend(registry, choice, (line) => terminal.note(line)),
    openModel: (choice, model) => openModel(registry, choice, model),
    ...(onSaved && { onSaved }),
  };
  try {
    return await runCommand(await named(name, registry), rest, host);
  } catch (error) {
    const { message, exitCode } = describeError(error);
    terminal.note(`offprint: ${message}`);
    return exitCode;
  }
}
