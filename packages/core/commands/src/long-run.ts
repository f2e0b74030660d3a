import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync } from "node:fs";
import { loadFile, saveFile } from "@offprint/data/node";
import { makeBreather, type RunOptions } from "@offprint/solvers";
import { FormatError } from "@offprint/tensor-core";
import { decodeFrame, encodeFrame } from "@offprint/tensor-core/internal";
import { exitCodes, Failure } from "./failure.js";
import { flagOf, type Options } from "./words.js";

/** How a long run is shown. */
export interface LongRunSettings<Record> {
  /** How far a record says that the run is, in [0, 1], and what to show beside the bar. */
  progress(record: Record): { readonly fraction: number; readonly label?: string };
  /** Steps between two looks at whether the state is due to be saved; default 1. */
  readonly every?: number;
}

/** A run under the contract of `@offprint/solvers`, wired to the terminal and to a file. */
export interface LongRun<Record, State> {
  /** To be spread into the options of whatever runs long; with `--resume`, where there is a state, `resume` too. */
  readonly options: Required<Pick<RunOptions<Record, State>, "signal" | "onProgress">> & {
    /** Keeps states to go on from, at intervals of time. */
    readonly checkpoint: { readonly every: number; readonly save: (state: State) => Promise<void> };
    /** What the run goes on from. */
    readonly resume?: State;
  };
  /**
   * Ends the run: one that was aborted keeps its state, and the command ends with exit code 130; of any other the state
   * is kept only where the user named a file for it.
   */
  settle(result: { readonly status: string; readonly state: State }): Promise<void>;
}

/** What a state file holds. */
interface StateFile {
  readonly format: typeof FORMAT;
  readonly command: string;
  /** Options that a resumed run must have as they were. */
  readonly settings: Readonly<Record<string, string>>;
  /** Fingerprints of the files that were read. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly state: unknown;
}

const FORMAT = "offprint-run-1";

/** What a run is known by, and what it is shown on. */
export interface LongRunContext {
  /** Name of the command. */
  readonly command: string;
  /** Definitions and values of arguments and options, by the names that the user sees. */
  readonly given: readonly (readonly [definitions: Options, values: Readonly<Record<string, unknown>>])[];
  /** `--state`, `--resume`, `--checkpoint`. */
  readonly state: { readonly path: string | undefined; readonly resume: boolean; readonly seconds: number };
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Shows how far the run is. */
  progress(fraction: number, label: string): void;
  /** Tells the user something that is not a result. */
  note(line: string): void;
  /** Told where the state was saved. */
  onSaved(path: string): void;
}

/** A file's content, or the name of what is no file, in few letters. */
function fingerprint(value: unknown): string {
  const paths = Array.isArray(value) ? value.map(String) : [String(value)];
  const hash = createHash("sha256");
  for (const path of paths) {
    hash.update(statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : path);
  }
  return hash.digest("hex");
}

function described({ command, given }: LongRunContext): Omit<StateFile, "state"> {
  const of = (role: string, text: (value: unknown) => string) =>
    Object.fromEntries(
      given.flatMap(([definitions, values]) =>
        Object.entries(definitions)
          .filter(([name, option]) => option.role === role && values[name] !== undefined)
          .map(([name]) => [flagOf(name), text(values[name])]),
      ),
    );
  return { format: FORMAT, command, settings: of("setting", JSON.stringify), inputs: of("input", fingerprint) };
}

function parsedState(path: string, bytes: Uint8Array): StateFile {
  let file: Partial<StateFile> | undefined;
  try {
    file = decodeFrame<Partial<StateFile>>(bytes);
  } catch {
    // Said below, as for another kind of file.
  }
  if (file?.format === FORMAT && file.settings && file.inputs && file.state !== undefined) return file as StateFile;
  throw new FormatError(`it does not hold the state of a run; remove it, or name another file with --state`, {
    cause: path,
  });
}

/** Bytes at a file's beginning within which a state says what it is: behind the name of its command, before all that is long. */
const HEAD = 1024;

/**
 * Checks that what a new run's state would replace, and the end of the run remove, is an earlier state or empty: the picture
 * that a mistaken `--state` names, or somebody's file of the default name, must not be lost.
 * @throws Failure
 */
function requireReplaceable(path: string): void {
  const found = statSync(path);
  // Devices and pipes hold nothing that could be lost.
  if (!found.isFile() || found.size === 0) return;
  const head = Buffer.alloc(HEAD);
  const file = openSync(path, "r");
  try {
    readSync(file, head, 0, HEAD, 0);
  } finally {
    closeSync(file);
  }
  if (head.includes(`"${FORMAT}"`)) return;
  throw new Failure(
    `${path}: the state of the run would replace this file, which keeps no run; name another file with --state, or remove it.`,
  );
}

/** @throws Failure where the run that is resumed is not the one that is asked for. */
function requireSame(path: string, kept: StateFile, now: Omit<StateFile, "state">): void {
  if (kept.command !== now.command) {
    throw new Failure(`--resume: ${path} keeps a run of ${kept.command}, not of ${now.command}.`);
  }
  for (const name of new Set([...Object.keys(kept.settings), ...Object.keys(now.settings)])) {
    const [before, given] = [kept.settings[name], now.settings[name]];
    if (before === given) continue;
    throw new Failure(
      `--resume: the run in ${path} had ${name} ${before ?? "not given"}, now it is ${given ?? "not given"}; give the options that it had.`,
    );
  }
  for (const name of new Set([...Object.keys(kept.inputs), ...Object.keys(now.inputs)])) {
    if (now.inputs[name] === kept.inputs[name]) continue;
    throw new Failure(
      name in kept.inputs
        ? `--resume: what ${name} names is not what the run in ${path} began with.`
        : `--resume: the run in ${path} began without ${name}; leave it out.`,
    );
  }
}

/**
 * Opens a run: reads the state with `--resume`, and says so where an earlier run's is put aside.
 * @throws Failure where the state of a new run would replace what is no state.
 */
export async function openLongRun<Record, State>(
  context: LongRunContext,
  settings: LongRunSettings<Record>,
): Promise<LongRun<Record, State>> {
  const { command, state, signal, note } = context;
  const path = state.path ?? `${command}.state`;
  const header = described(context);
  const there = existsSync(path);
  let resume: { readonly state: State } | undefined;
  if (state.resume && there) {
    const kept = await loadFile(path, (bytes) => parsedState(path, bytes));
    requireSame(path, kept, header);
    resume = { state: kept.state as State };
    note(`Going on with the run in ${path}.`);
  } else if (state.resume) {
    note(`Nothing to resume: there is no ${path}. Starting from the beginning.`);
  } else if (there) {
    requireReplaceable(path);
    note(`Starting anew: ${path} keeps an earlier run, which --resume would go on with.`);
  }

  const write = async (kept: State): Promise<void> => {
    // Bytes, as no text can hold a state of half a gigabyte.
    await saveFile(path, encodeFrame({ ...header, state: kept }));
    context.onSaved(path);
  };
  let last = performance.now();
  let pause = 1000 * state.seconds;
  let complained = false;
  const breather = makeBreather();
  const save = async (kept: State): Promise<void> => {
    const start = performance.now();
    if (start - last < pause) return;
    try {
      await write(kept);
    } catch (error) {
      // A run of hours must not end because a disk is full for a minute.
      if (!complained) note(`Warning: the state of the run is not saved: ${(error as Error).message}`);
      complained = true;
    }
    last = performance.now();
    // Large states take their time: saving stays under a twentieth of the run.
    pause = Math.max(1000 * state.seconds, 20 * (last - start));
  };

  return {
    options: {
      signal,
      onProgress(record) {
        const { fraction, label = command } = settings.progress(record);
        context.progress(fraction, label);
        // Also where nothing else lets Ctrl-C through.
        return breather.due() ? breather.pause() : undefined;
      },
      checkpoint: { every: settings.every ?? 1, save },
      ...(resume && { resume: resume.state }),
    },
    async settle({ status, state: reached }) {
      if (status === "aborted") {
        await write(reached);
        const how = state.path === undefined ? "--resume" : `--state ${path} --resume`;
        throw new Failure(`Interrupted. The run is kept in ${path}; ${how} goes on with it.`, exitCodes.interrupted);
      }
      if (state.path !== undefined) await write(reached);
      else rmSync(path, { force: true });
    },
  };
}
