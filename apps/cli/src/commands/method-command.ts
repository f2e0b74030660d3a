import type { CommandOption, MethodCommand } from "@offprint/claims";
import { type Command, Option } from "commander";
import { type DeviceOptions, openBackend, openModel } from "../backend.js";
import { exitCodes } from "../failure.js";
import { interruptible } from "../interruption.js";
import { parseNumber } from "../option-values.js";
import type { Registry } from "../registry.js";
import type { Terminal } from "../terminal.js";

function commanderOption({ name, short, description, type, default: value }: CommandOption): Option {
  const flags = short === undefined ? `--${name}` : `-${short}, --${name}`;
  const option = new Option(type === "boolean" ? flags : `${flags} <${type}>`, description);
  if (type === "number") option.argParser(parseNumber(name));
  if (value !== undefined) option.default(value);
  return option;
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Declares the arguments and options of a method's command. */
export function declare(command: Command, definition: MethodCommand): void {
  for (const { name, description, optional, variadic } of definition.arguments) {
    const word = variadic ? `${name}...` : name;
    command.argument(optional ? `[${word}]` : `<${word}>`, description);
  }
  for (const option of definition.options ?? []) command.addOption(commanderOption(option));
}

/** Runs a method's command with what commander has read. */
export function runMethodCommand(
  registry: Registry,
  definition: MethodCommand,
  command: Command,
  terminal: Terminal,
): Promise<number> {
  const values = command.opts<Record<string, boolean | number | string | undefined> & DeviceOptions>();
  const given = command.processedArgs as (string | string[] | undefined)[];
  const { device, threads } = values;
  return interruptible(async (signal) => {
    try {
      const code = await definition.run({
        arguments: Object.fromEntries(definition.arguments.map(({ name }, place) => [name, given[place]])),
        options: Object.fromEntries((definition.options ?? []).map(({ name }) => [name, values[camelCase(name)]])),
        print: (line) => terminal.print(line),
        onProgress: (fraction, note = "") => terminal.progress(fraction, note || definition.name),
        signal,
        backend: () =>
          openBackend(registry, { device, ...(threads === undefined ? {} : { threads }) }, (line) =>
            terminal.note(line),
          ),
        loadModel: (model) => openModel(registry, { device, ...(threads === undefined ? {} : { threads }) }, model),
      });
      return code ?? exitCodes.success;
    } catch (error) {
      if (!signal.aborted) throw error;
      terminal.note("Interrupted.");
      return exitCodes.interrupted;
    } finally {
      terminal.clearBar();
    }
  });
}
