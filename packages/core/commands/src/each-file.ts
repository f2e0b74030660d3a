import { readdirSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { requireObject } from "@offprint/tensor-core";
import type { CommandInput } from "./command.js";
import { exitCodes, Failure } from "./failure.js";
import type { LongRun, LongRunSettings } from "./long-run.js";
import { requireFolder, requireFolderPlace } from "./places.js";

/** Endings of pictures, as `readImage` of @offprint/data reads them. */
export const pictureEndings: readonly string[] = [".png", ".pgm", ".ppm", ".pbm", ".pnm"];

/** Files to work on: one, or all of a kind in a folder. */
export interface FileSet {
  /** Whether a folder was named. */
  readonly folder: boolean;
  /** Names, in order. */
  readonly names: readonly string[];
  /** Where the file of a name lies. */
  pathOf(name: string): string;
  /**
   * What says where the result of a file goes: the path that the user gave or, for a folder, the file of the same name in the folder that
   * the user gave, which is made where it is missing.
   * @param given value of an option of `option.fileOut(..., { kind: "either" })`
   * @param endings that results may have, as `[".png"]`; those of a folder have the first
   * @throws Failure where a folder was named for one file, a file for a folder, or the folder that is read from.
   */
  resultsIn(given: string | undefined, endings: readonly string[]): (name: string) => string | undefined;
}

/** The name without its ending. */
const stem = (name: string) => basename(name, extname(name));

/**
 * The file of a path, or the files of a folder whose names end so, in the order of their names.
 * @param endings as `[".png", ".pgm"]`, in small letters
 * @throws Failure for a folder without such files, or with two whose names differ in the ending alone.
 */
export function filesOf(path: string, endings: readonly string[]): FileSet {
  requireObject("filesOf", "endings", endings, "an array of texts");
  const folder = statSync(path).isDirectory();
  const names = folder
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory() && endings.includes(extname(entry.name).toLowerCase()))
        .map(({ name }) => name)
        .sort()
    : [path];
  if (names.length === 0) throw new Failure(`${path}: the folder holds no file that ends in ${endings.join(", ")}.`);
  return {
    folder,
    names,
    pathOf: (name) => (folder ? join(path, name) : name),
    resultsIn(given, allowed) {
      if (given === undefined) return () => undefined;
      const isFile = allowed.includes(extname(given).toLowerCase());
      if (!folder && !isFile) throw new Failure(`${given}: the name must end in ${allowed.join(", ")}.`);
      if (!folder) return () => given;
      if (isFile) throw new Failure(`${given}: results of the files in ${path} are many; name a folder for them.`);
      if (resolve(given) === resolve(path)) {
        throw new Failure(`${given}: results would lie among the files that they are of; name another folder.`);
      }
      const twice = names.find((name, i) => names.findIndex((other) => stem(other) === stem(name)) < i);
      if (twice !== undefined) {
        throw new Failure(`${path}: the result of ${twice} would have the name of another's; rename one.`);
      }
      requireFolderPlace(given);
      let made = false;
      return (name) => {
        // For the first result: where none comes, no empty folder is left.
        if (!made) requireFolder(given);
        made = true;
        return join(given, stem(name) + allowed[0]);
      };
    },
  };
}

/** What is kept of a run over many files. */
export interface EachFileState<State> {
  /** Names of files that are done. */
  readonly done: readonly string[];
  /** The file that was being worked on. */
  readonly current?: { readonly name: string; readonly state: State };
}

/** The work on files, one after the other. */
export interface EachFileWork<Record, State, Result extends { readonly status: string; readonly state: State }>
  extends LongRunSettings<Record> {
  /** Works on a file, with options of a long run. */
  work(name: string, options: LongRun<Record, State>["options"]): Promise<Result>;
  /** Reports and writes what came out, where the work was not aborted. */
  finish(name: string, result: Result): Promise<void>;
}

/**
 * Does the same to each of several files as one long run: Ctrl-C keeps which are done and the state of the one at hand, `--resume` goes on
 * from there. In a folder, a file that cannot be worked on is named on standard error and passed over; where `--state` keeps the run, `--resume`
 * tries it again.
 *
 * @returns the exit code: that of bad input where files were passed over
 * @example
 * const files = filesOf(options.image, [".png"]);
 * const output = files.resultsIn(options.output, [".png"]);
 * return eachFile(input, files, {
 *   progress: ({ step }) => ({ fraction: step / steps }),
 *   work: async (name, run) => sharpen(await read(files.pathOf(name)), { steps, ...run }),
 *   finish: (name, { x }) => write(output(name), writePng(x)),
 * });
 */
export async function eachFile<Record, State, Result extends { readonly status: string; readonly state: State }>(
  input: Pick<CommandInput, "explain" | "longRun" | "note" | "print" | "signal">,
  files: FileSet,
  each: EachFileWork<Record, State, Result>,
): Promise<number | undefined> {
  requireObject("eachFile", "input", input, "a CommandInput");
  requireObject("eachFile", "files", files, "a FileSet of filesOf");
  requireObject("eachFile", "each", each, "{ progress, work, finish }");
  const { folder, names } = files;
  const { progress, every, work, finish } = each;
  let at = 0;
  const run = await input.longRun<Record, EachFileState<State>>({
    progress(record) {
      const { fraction, label } = progress(record);
      const place = folder ? `${names[at]}: ` : "";
      return { fraction: (at + fraction) / names.length, ...(label !== undefined && { label: place + label }) };
    },
    ...(every !== undefined && { every }),
  });
  const { resume, checkpoint, ...shared } = run.options;
  const done = [...(resume?.done ?? [])];
  const failed: string[] = [];
  for (; at < names.length; at++) {
    const name = names[at]!;
    if (done.includes(name)) continue;
    const kept = (state: State): EachFileState<State> => ({ done, current: { name, state } });
    const going = resume?.current?.name === name ? { resume: resume.current.state } : {};
    if (folder) input.print(`${name}:`);
    try {
      const result = await work(name, {
        ...shared,
        checkpoint: { every: checkpoint.every, save: (state) => checkpoint.save(kept(state)) },
        ...going,
      });
      if (!folder || result.status === "aborted") {
        await run.settle({ status: result.status, state: kept(result.state) });
      }
      await finish(name, result);
    } catch (error) {
      if (!folder || input.signal.aborted) throw error;
      input.note(`${name} is passed over: ${input.explain(error)}`);
      failed.push(name);
      continue;
    }
    done.push(name);
  }
  if (!folder) return undefined;
  await run.settle({ status: "converged", state: { done } });
  input.print(`${names.length - failed.length} of ${names.length} done`);
  return failed.length === 0 ? undefined : exitCodes.input;
}
