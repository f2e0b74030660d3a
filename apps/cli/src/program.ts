import { Command, CommanderError } from "commander";
import { type DeviceName, deviceNames, parseDevice } from "./backend.js";
import { bench } from "./commands/bench.js";
import { answerProbe, doctor } from "./commands/doctor.js";
import { info } from "./commands/info.js";
import { list } from "./commands/list.js";
import { declare, runMethodCommand } from "./commands/method-command.js";
import { type ReproduceOptions, reproduce } from "./commands/reproduce.js";
import { describeError, exitCodes } from "./failure.js";
import { parseInteger } from "./option-values.js";
import { findMethod, loadCommand, type Method, type Registry } from "./registry.js";
import type { Terminal } from "./terminal.js";

const anyInteger = Number.MIN_SAFE_INTEGER;
const deviceHelp = `where compiled functions run: ${deviceNames.join(", ")}`;

/** Adds `--device` and `--threads`. */
function withDevice(command: Command): Command {
  return command
    .option("--device <device>", deviceHelp, parseDevice, "auto" as const)
    .option("--threads <n>", "threads of the cpu device", parseInteger("threads", 1));
}

function addMethodCommands(
  program: Command,
  registry: Registry,
  words: readonly string[],
  terminal: Terminal,
  finish: Finish,
) {
  const wanted = words.find((word) => !word.startsWith("-"));
  const added = registry.methods.flatMap((method) =>
    Object.entries(method.commands).map((entry) => [method, ...entry] as const),
  );
  return Promise.all(
    added.map(async ([method, name, summary]: readonly [Method, string, string]) => {
      const command = program.command(name).description(summary).helpGroup("Commands of methods:");
      const asked = wanted === name || (wanted === "help" && words.includes(name));
      // Only the command that was asked for is loaded, so that the others cost nothing.
      if (!asked) return;
      const definition = await loadCommand(registry, method, name);
      declare(command, definition);
      withDevice(command).action(() => finish(runMethodCommand(registry, definition, command, terminal)));
    }),
  );
}

type Finish = (work: number | Promise<number>) => Promise<void>;

async function buildProgram(
  registry: Registry,
  words: readonly string[],
  terminal: Terminal,
  finish: Finish,
): Promise<Command> {
  const program = new Command("offprint")
    .description(
      "Machine-learning papers as npm packages: lists them, reproduces their claims, runs them on your files.",
    )
    .version(registry.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .commandsGroup("Commands:")
    .showHelpAfterError('("offprint --help" lists the commands, "offprint <command> --help" their options)')
    .configureOutput({
      writeOut: (text) => terminal.raw(text, "out"),
      writeErr: (text) => terminal.raw(text, "err"),
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
    })
    .exitOverride();
  program
    .command("list")
    .description("list the methods by area")
    .action(() => finish(list(registry, terminal)));
  program
    .command("info")
    .description("show a method's paper, claims and usage")
    .argument("<method>", "name from the list")
    .action((word: string) => finish(info(registry, findMethod(registry, word), terminal)));
  withDevice(program.command("reproduce"))
    .description("run the claims of papers and print what was measured beside what they say")
    .argument("[methods...]", "names from the list; all when left out")
    .option("--full", "as near to the papers' settings as one machine allows; may take hours")
    .option("--seed <n>", "seed of all random numbers", parseInteger("seed", anyInteger), 0)
    .option("--json <file>", "write the results to a JSON file")
    .option("--report <folder>", "write a self-contained HTML report with plots to <folder>/index.html")
    .option("--resume", "continue an interrupted run with the same seed, scale and device")
    .option("--state <file>", "file that keeps finished claims while a run is not complete", "offprint-state.json")
    .addHelpText("after", "\nExit codes: 0 all claims hold, 1 a claim does not hold, 2 wrong usage, 130 interrupted.")
    .action((words: string[], options: ReproduceOptions) => {
      const named = [...new Set(words.map((word) => findMethod(registry, word)))];
      return finish(reproduce(registry, named.length > 0 ? named : registry.methods, options, terminal));
    });
  program
    .command("bench")
    .description("time the claims of a method on one or several devices")
    .argument("<method>", "name from the list")
    .option("--device <devices>", `${deviceHelp}; several with commas are compared`, "auto")
    .option("--threads <n>", "threads of the cpu device", parseInteger("threads", 1))
    .option(
      "--rounds <n>",
      "rounds, in each of which every claim runs once on every device",
      parseInteger("rounds", 1),
      3,
    )
    .option("--seed <n>", "seed of all random numbers", parseInteger("seed", anyInteger), 0)
    .option("--full", "at the papers' scale")
    .action(
      (word: string, options: { device: string; threads?: number; rounds: number; seed: number; full?: boolean }) => {
        const devices = options.device.split(",").map((name) => parseDevice(name.trim()));
        return finish(bench(registry, findMethod(registry, word), { ...options, devices }, terminal));
      },
    );
  const probed = program.command("doctor").description("show versions, the binding, and the devices that really run");
  probed.addOption(probed.createOption("--probe <device>").argParser(parseDevice).hideHelp());
  probed.action(({ probe }: { probe?: DeviceName }) =>
    finish(probe ? answerProbe(registry, probe, terminal) : doctor(registry, terminal)),
  );
  await addMethodCommands(program, registry, words, terminal, finish);
  return program;
}

/**
 * Runs the command.
 *
 * @param words the command line after `offprint`
 * @returns the exit code
 */
export async function runProgram(words: readonly string[], registry: Registry, terminal: Terminal): Promise<number> {
  let exitCode: number = exitCodes.success;
  const finish: Finish = async (work) => {
    exitCode = await work;
  };
  try {
    const program = await buildProgram(registry, words, terminal, finish);
    if (words.length === 0) program.outputHelp();
    else await program.parseAsync([...words], { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has printed what is wrong, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    const { message, exitCode: code } = describeError(error);
    terminal.note(`offprint: ${message}`);
    return code;
  }
}
