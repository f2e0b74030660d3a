import { statSync } from "node:fs";
import { extname } from "node:path";
import { requireObject } from "@offprint/tensor-core";
import { didYouMean } from "./did-you-mean.js";
import { Complaint, Failure } from "./failure.js";
import { requireFolderPlace, requireReadable, requireWritable } from "./places.js";

/**
 * What an option means for a run that is resumed: a `setting` must be as it was, an `input` must hold what it held; what
 * is `free`, a limit or a device, may be another, and so may an `output`.
 */
export type OptionRole = "setting" | "free" | "input" | "output";

/** An option or an argument of a command; `run` gets a `T`. Made by the functions of `option`. */
export interface Option<T> {
  /** What it is, with its unit and its range. */
  readonly description: string;
  /** What the help shows in the place of a value: `number`. A flag has none. */
  readonly placeholder: string | undefined;
  /** One letter behind a single hyphen. */
  readonly short: string | undefined;
  /** Whether it must be given. */
  readonly required: boolean;
  /** Whether it takes all words up to the next option. */
  readonly many: boolean;
  /** Value where it is not given. */
  readonly initial: T | undefined;
  /** What it does to a run that is resumed. */
  readonly role: OptionRole;
  /** The value of the words that were given. */
  read(words: readonly string[]): T;
  /** Looks at files and folders before anything is computed. */
  check(value: T): void;
}

/** What all kinds of options have. */
export interface OptionSettings<T> {
  /** Value where it is not given; without one, `run` gets `undefined`. */
  readonly default?: T;
  /** Whether it must be given; default false. */
  readonly required?: boolean;
  /** One letter behind a single hyphen. */
  readonly short?: string;
  /** Whether a run that is resumed may have another value, as of a limit; default false. */
  readonly free?: boolean;
}

/** What `run` gets: `T`, and `undefined` where the option may be missing. */
export type Outcome<T, S> = S extends { readonly required: true } | { readonly default: unknown } ? T : T | undefined;

/** Bounds of a number. */
export interface NumberSettings extends OptionSettings<number> {
  /** Least value. */
  readonly least?: number;
  /** Greatest value. */
  readonly most?: number;
  /** The value must be greater. */
  readonly above?: number;
  /** The value must be less. */
  readonly below?: number;
}

/** Settings of an option that names a file. */
export interface FileSettings extends OptionSettings<string> {
  /** Endings that the name may have, as in `[".obj", ".ply"]`; default any. */
  readonly endings?: readonly string[];
}

/** Settings of an option that names something to write. */
export interface OutputFileSettings extends FileSettings {
  /** What is written; default a file. With `"either"` a name that has none of the endings is that of a folder. */
  readonly kind?: "file" | "either";
}

/** Settings of an option that names something to read. */
export interface InputFileSettings extends FileSettings {
  /** What may be there; default a file. */
  readonly kind?: "file" | "folder" | "either";
  /** Words that stand for something that is always there, as `digits` for the digits that ship. */
  readonly words?: readonly string[];
}

/** Settings of a list. */
export interface ListSettings<T> extends OptionSettings<readonly T[]> {
  /** Least number of entries; default 1. */
  readonly least?: number;
  /** Greatest number of entries; default any. */
  readonly most?: number;
  /** A word for the empty list, which makes it allowed. */
  readonly none?: string;
  /** Whether entries may be there once only and none be empty, as names of columns; default false. */
  readonly distinct?: boolean;
}

interface Kind<T> {
  readonly placeholder?: string;
  readonly role?: OptionRole;
  readonly read: (words: readonly string[]) => T;
  readonly check?: (value: T) => void;
}

/** The one place where an option is put together: what is missing is `undefined` in `T` exactly when `S` allows it. */
function make<T, S extends OptionSettings<unknown>>(
  description: string,
  settings: S | undefined,
  kind: Kind<T>,
): Option<Outcome<T, S>> {
  const option: Option<T> = {
    description,
    placeholder: kind.placeholder,
    short: settings?.short,
    required: settings?.required === true,
    many: false,
    initial: settings?.default as T | undefined,
    role: kind.role ?? (settings?.free ? "free" : "setting"),
    read: kind.read,
    check: kind.check ?? (() => undefined),
  };
  return option as Option<Outcome<T, S>>;
}

function rangeOf({ least, most, above, below }: NumberSettings): string {
  const bounds = [
    least === undefined ? "" : `of at least ${least}`,
    above === undefined ? "" : `above ${above}`,
    most === undefined ? "" : `of at most ${most}`,
    below === undefined ? "" : `below ${below}`,
  ];
  return bounds
    .filter((text) => text !== "")
    .map((text) => ` ${text}`)
    .join(" and");
}

function numberReader(kind: "a number" | "an integer", settings: NumberSettings): (text: string) => number {
  const { least = -Infinity, most = Infinity, above = -Infinity, below = Infinity } = settings;
  return (text) => {
    const value = Number(text);
    const right = kind === "an integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
    const within = value >= least && value <= most && value > above && value < below;
    if (text.trim() !== "" && right && within) return value;
    throw new Complaint(`must be ${kind}${rangeOf(settings)}, got "${text}".`);
  };
}

/** Any text. */
function text<const S extends OptionSettings<string>>(description: string, settings?: S) {
  return make<string, S>(description, settings, { placeholder: "text", read: ([word]) => word! });
}

/** A finite number. */
function number<const S extends NumberSettings>(description: string, settings?: S) {
  const read = numberReader("a number", settings ?? {});
  return make<number, S>(description, settings, { placeholder: "number", read: ([word]) => read(word!) });
}

/** A whole number. */
function integer<const S extends NumberSettings>(description: string, settings?: S) {
  const read = numberReader("an integer", settings ?? {});
  return make<number, S>(description, settings, { placeholder: "integer", read: ([word]) => read(word!) });
}

/** On when it is given. */
function flag(
  description: string,
  settings: { readonly short?: string; readonly free?: boolean } = {},
): Option<boolean> {
  return make<boolean, { readonly default: boolean }>(
    description,
    { default: false, ...settings },
    { read: () => true },
  );
}

/** One of several words. */
function choice<const C extends readonly string[], const S extends OptionSettings<C[number]>>(
  choices: C,
  description: string,
  settings?: S,
) {
  requireObject("option.choice", "choices", choices, "an array of texts");
  return make<C[number], S>(`${description}: ${choices.join(", ")}`, settings, {
    placeholder: "word",
    read([word]) {
      const found = choices.find((each) => each === word);
      if (found !== undefined) return found;
      throw new Complaint(`cannot be "${word}".${didYouMean(word!, choices)} Choices: ${choices.join(", ")}.`);
    },
  });
}

/** Entries between commas; what is between double quotes may hold commas, and doubled quotes for quotes. */
function entriesOf(word: string): string[] {
  const entries = `${word},`.matchAll(/\s*"((?:[^"]|"")*)"\s*,|([^,]*),/gy);
  return Array.from(entries, ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!.trim());
}

/**
 * Several values in one word with commas between them, each read as the option `item` is; `"a, b",c` are two, of which one
 * holds a comma.
 */
function list<T, const S extends ListSettings<T>>(item: Option<T>, settings?: S) {
  requireObject("option.list", "item", item, "an Option");
  const { least = 1, most = Infinity, none, distinct = false } = settings ?? {};
  return make<readonly NonNullable<T>[], S>(item.description, settings, {
    placeholder: `${item.placeholder},...`,
    role: item.role,
    read([word]) {
      const parts = word === none ? [] : entriesOf(word!);
      const enough = word === none || (parts.length >= least && parts.length <= most);
      if (!enough) throw new Complaint(`must have ${counted(least, most)}, got "${word}".`);
      if (distinct && parts.includes("")) throw new Complaint(`must have no empty entry, got "${word}".`);
      const twice = distinct ? parts.find((part, i) => parts.indexOf(part) !== i) : undefined;
      if (twice !== undefined) throw new Complaint(`must name "${twice}" once only, got "${word}".`);
      return parts.map((part) => item.read([part])!);
    },
    check: (values) => values.forEach((value) => item.check(value)),
  });
}

/** All words up to the next option, each read as the option `item` is; none where it is not given. */
function many<T>(
  item: Option<T>,
  settings: { readonly required?: boolean; readonly least?: number; readonly most?: number } = {},
): Option<readonly NonNullable<T>[]> {
  const { least = 1, most = Infinity, required = false } = settings;
  return {
    ...item,
    required,
    many: true,
    initial: [],
    read(words) {
      if (words.length < least || words.length > most) {
        throw new Complaint(`must have ${counted(least, most)}, got ${words.length}.`);
      }
      return words.map((word) => item.read([word])!);
    },
    check: (values) => values.forEach((value) => item.check(value)),
  };
}

function counted(least: number, most: number): string {
  if (least === most) return least === 1 ? "one entry" : `${least} entries`;
  return most === Infinity ? `at least ${least} ${least === 1 ? "entry" : "entries"}` : `${least} to ${most} entries`;
}

function checkEnding(path: string, endings: readonly string[] | undefined): void {
  if (endings === undefined || endings.includes(extname(path).toLowerCase())) return;
  throw new Failure(`${path}: the name must end in ${endings.join(", ")}.`);
}

/** A path as it was given; an empty one, as of a variable of the shell that is not set, would be found out only after the run. */
function readPath([word]: readonly string[]): string {
  if (word!.trim() !== "") return word!;
  throw new Complaint(`must be the path of a file or folder, got "${word}".`);
}

/** The path of a file, or a folder, that is there and can be read. */
function fileIn<const S extends InputFileSettings>(description: string, settings?: S) {
  const { endings, kind = "file", words = [] } = settings ?? {};
  return make<string, S>(description, settings, {
    placeholder: kind === "folder" ? "folder" : "file",
    role: "input",
    read: readPath,
    check(path) {
      if (words.includes(path)) return;
      requireReadable(path, kind, words);
      if (statSync(path).isFile()) checkEnding(path, endings);
    },
  });
}

/** The path of a file to write, in a folder that is there and can be written to; or of a folder for many. */
function fileOut<const S extends OutputFileSettings>(description: string, settings?: S) {
  const { endings = [], kind = "file" } = settings ?? {};
  return make<string, S>(description, settings, {
    placeholder: "file",
    role: "output",
    read: readPath,
    check(path) {
      if (kind === "either" && !endings.includes(extname(path).toLowerCase())) return requireFolderPlace(path);
      checkEnding(path, settings?.endings);
      requireWritable(path);
    },
  });
}

/** The path of a folder to write into, which can be made where it is missing: by `requireFolder`. */
function folderOut<const S extends OptionSettings<string>>(description: string, settings?: S) {
  return make<string, S>(description, settings, {
    placeholder: "folder",
    role: "output",
    read: readPath,
    check: requireFolderPlace,
  });
}

/** A value in a notation of its own; `read` throws a `ValueError` for what is wrong. */
function parsed<T, const S extends OptionSettings<NoInfer<T>> = OptionSettings<T>>(
  description: string,
  placeholder: string,
  read: (text: string) => T,
  settings?: S,
) {
  return make<T, S>(description, settings, { placeholder, read: ([word]) => read(word!) });
}

/**
 * The kinds of options. Each takes a description, and settings with a default, with `required`, with a range.
 *
 * @example
 * const options = {
 *   steps: option.integer("steps of the fit", { default: 100, least: 1, free: true }), // run gets a number
 *   norm: option.choice(["l1", "l2"], "norm of the gradient", { default: "l2" }), // "l1" | "l2"
 *   weights: option.fileIn("weights of the samples (CSV)"), // string | undefined
 * };
 */
export const option = {
  text,
  number,
  integer,
  flag,
  choice,
  list,
  many,
  fileIn,
  fileOut,
  folderOut,
  parsed,
};
