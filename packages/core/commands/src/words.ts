import { didYouMean } from "./did-you-mean.js";
import { type Complaint, Failure } from "./failure.js";
import type { Option, OptionRole } from "./option.js";
import { type NamedPath, requireApart } from "./places.js";

/** Options or arguments by the name that the code uses: `learningRate` is `--learning-rate`. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** What `run` gets for a set of options. */
export type Values<O> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

/** `--learning-rate` for `learningRate`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Words sorted by what they belong to, not yet read. */
interface SortedWords {
  readonly places: readonly string[];
  readonly given: ReadonlyMap<string, readonly string[]>;
}

/** Whether a word names an option: `-` alone, negative numbers and lists of them do not. */
function namesOption(word: string): boolean {
  return /^--?[a-z]/i.test(word);
}

/** The name behind `--learning-rate` or `-o`, and the value behind its equals sign. */
function namedOption(word: string, options: Options): { name: string; value: string | undefined } {
  const equals = word.indexOf("=");
  const flag = equals < 0 ? word : word.slice(0, equals);
  const name = Object.keys(options).find((each) => {
    const { short } = options[each]!;
    return flag === flagOf(each) || (short !== undefined && flag === `-${short}`);
  });
  if (name !== undefined) return { name, value: equals < 0 ? undefined : word.slice(equals + 1) };
  throw new Failure(`there is no option "${flag}".${didYouMean(flag, Object.keys(options).map(flagOf))}`);
}

function sorted(words: readonly string[], options: Options): SortedWords {
  const places: string[] = [];
  const given = new Map<string, readonly string[]>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") {
      places.push(...words.slice(at + 1));
      break;
    }
    if (!namesOption(word)) {
      places.push(word);
      continue;
    }
    const { name, value } = namedOption(word, options);
    const { placeholder, many } = options[name]!;
    if (given.has(name)) throw new Failure(`${flagOf(name)} is given twice; give it once.`);
    if (placeholder === undefined) {
      if (value !== undefined) throw new Failure(`${flagOf(name)} takes no value, got "${value}".`);
      given.set(name, []);
    } else if (value !== undefined) {
      given.set(name, [value]);
    } else {
      const first = at + 1;
      while (at + 1 < words.length && !namesOption(words[at + 1]!) && (many || at + 1 === first)) at += 1;
      if (at < first) throw new Failure(`${flagOf(name)} needs a value: <${placeholder}>.`);
      given.set(name, words.slice(first, at + 1));
    }
  }
  return { places, given };
}

/** The value of one option; its reader's complaints get its name in front. */
function valueOf(shown: string, option: Option<unknown>, words: readonly string[] | undefined): unknown {
  if (words === undefined && option.required) {
    const { description } = option;
    throw new Failure(`${shown} is missing: ${description}${description.endsWith(".") ? "" : "."}`);
  }
  try {
    return words === undefined ? option.initial : option.read(words);
  } catch (error) {
    const { message, endsSentence } = error as Partial<Complaint> & Error;
    throw new Failure(endsSentence ? `${shown} ${message}` : `${shown}: ${message}`);
  }
}

/** Gives the places on the command line to the arguments in order; one that takes many takes all that are left over. */
function argumentWords(places: readonly string[], named: Options): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  let at = 0;
  for (const [name, { many }] of Object.entries(named)) {
    const end = many ? places.length : at + 1;
    if (at < places.length) found.set(name, places.slice(at, end));
    at = Math.min(end, places.length);
  }
  if (at < places.length) throw new Failure(`there is one word too many: "${places[at]}".`);
  return found;
}

/** The paths that were given to options of a role. */
function pathsOf(
  set: Options,
  values: Record<string, unknown>,
  role: OptionRole,
  shown: (name: string) => string,
): NamedPath[] {
  const own = Object.entries(set).filter(([, option]) => option.role === role);
  return own.flatMap(([name]) =>
    [values[name] ?? []].flat().map((path) => ({ shown: shown(name), path: String(path) })),
  );
}

/** What the words behind a command's name say. */
interface ReadWords<A, O> {
  readonly arguments: Values<A>;
  readonly options: Values<O>;
  /** Names of the options that were given, whose values are not the defaults of the others. */
  readonly given: ReadonlySet<string>;
}

/** The values of the words behind a command's name, all checked. */
export function readWords<A extends Options, O extends Options>(
  words: readonly string[],
  named: A,
  options: O,
): ReadWords<A, O> {
  const { places, given } = sorted(words, options);
  const placed = argumentWords(places, named);
  const read = (set: Options, words: ReadonlyMap<string, readonly string[]>, shown: (name: string) => string) =>
    Object.fromEntries(Object.entries(set).map(([name, each]) => [name, valueOf(shown(name), each, words.get(name))]));
  const found = { arguments: read(named, placed, (name) => `<${name}>`), options: read(options, given, flagOf) };
  for (const [set, values] of [
    [named, found.arguments],
    [options, found.options],
  ] as const) {
    for (const [name, each] of Object.entries(set)) if (values[name] !== undefined) each.check(values[name]);
  }
  const paths = (role: OptionRole) => [
    ...pathsOf(named, found.arguments, role, (name) => `<${name}>`),
    ...pathsOf(options, found.options, role, flagOf),
  ];
  requireApart(paths("input"), paths("output"));
  // The keys and kinds of the values are those of the options that they were read by.
  return { ...(found as { arguments: Values<A>; options: Values<O> }), given: new Set(given.keys()) };
}
