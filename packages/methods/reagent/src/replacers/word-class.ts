import { requireText } from "@offprint/tensor-core";

/** Words of closed classes, by class. */
const closed: Readonly<Record<string, string>> = {
  determiner: "a an the this that these those each every some any no another either neither both all",
  pronoun:
    "i you he she it we they me him her us them my your his its our their mine yours hers ours theirs myself yourself himself herself itself who whom whose which what something someone nothing",
  preposition:
    "in on at by for with from to of into onto over under between among through during before after above below about against within without near across behind beyond since until",
  conjunction: "and or but nor so yet because although though while when where if unless whereas than as that",
  auxiliary:
    "am is are was were be been being have has had having do does did will would shall should can could may might must",
  adverb: "not very too also then now here there never always often again soon just only even still",
};

const byWord = new Map(
  Object.entries(closed).flatMap(([name, words]) => words.split(" ").map((word) => [word, name] as const)),
);

/** Endings that tell the class of most English words that have them, tried in this order. */
const endings: readonly (readonly [RegExp, string])[] = [
  [/.{2}ly$/, "adverb"],
  [/.{2}ing$/, "gerund"],
  [/.{2}ed$/, "past"],
  [/.{2}(tion|sion|ment|ness|ity|ship|hood|ism|ist|ance|ence|er|or)s?$/, "noun"],
  [/.{2}(ous|ful|less|able|ible|ive|ic|al|ish|est|ary)$/, "adjective"],
  [/.{2}(ize|ise|ify|ate)$/, "verb"],
  [/.{2}[^su]s$/, "plural"],
];

/**
 * A coarse part of speech of an English piece of text, by word lists and endings: a stand-in for a real tagger, for
 * `replacers.posTag`. Pieces that continue a word, without a blank in front, are a class of their own.
 * @param piece decoded text of one token, blanks kept
 */
export function coarseWordClass(piece: string): string {
  requireText("coarseWordClass", "piece", piece);
  const text = piece.trim();
  if (text === "") return "blank";
  if (/^\p{N}+$/u.test(text)) return "number";
  if (!/\p{L}/u.test(text)) return `sign ${/^[.!?]+$/.test(text) ? "." : "other"}`;
  const start = piece === text ? "continued " : "";
  if (!/^[\p{L}'’-]+$/u.test(text)) return `${start}mixed`;
  const word = text.toLowerCase();
  const known = byWord.get(word);
  if (known !== undefined) return start + known;
  if (/^\p{Lu}/u.test(text)) return `${start}name`;
  return start + (endings.find(([ending]) => ending.test(word))?.[1] ?? "word");
}
