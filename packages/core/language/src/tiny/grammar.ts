import { type Rng, requireObject } from "@offprint/tensor-core";

/** A sentence of the small language, whose last word is decided by one earlier word. */
export interface CauseSentence {
  /** Words, without the beginning-of-sentence token; the last one is the target. */
  readonly words: readonly string[];
  /** Place in `words` of the word that decides the last one. */
  readonly cause: number;
}

const countries = [
  ["japan", "tokyo", "yen"],
  ["china", "beijing", "yuan"],
  ["india", "delhi", "rupee"],
  ["russia", "moscow", "ruble"],
  ["peru", "lima", "sol"],
  ["brazil", "brasilia", "real"],
  ["sweden", "stockholm", "krona"],
  ["norway", "oslo", "krone"],
  ["poland", "warsaw", "zloty"],
  ["hungary", "budapest", "forint"],
  ["thailand", "bangkok", "baht"],
  ["vietnam", "hanoi", "dong"],
  ["korea", "seoul", "won"],
  ["turkey", "ankara", "lira"],
  ["kenya", "nairobi", "shilling"],
  ["egypt", "cairo", "pound"],
  ["france", "paris", "euro"],
  ["canada", "ottawa", "dollar"],
  ["switzerland", "bern", "franc"],
  ["ghana", "accra", "cedi"],
] as const;

const relatives = [
  ["father", "mother"],
  ["brother", "sister"],
  ["uncle", "aunt"],
  ["nephew", "niece"],
  ["son", "daughter"],
  ["grandfather", "grandmother"],
  ["husband", "wife"],
  ["grandson", "granddaughter"],
] as const;

const adjectives = [
  ["big", "bigger"],
  ["small", "smaller"],
  ["tall", "taller"],
  ["short", "shorter"],
  ["old", "older"],
  ["young", "younger"],
  ["fast", "faster"],
  ["slow", "slower"],
  ["warm", "warmer"],
  ["cold", "colder"],
  ["loud", "louder"],
  ["quiet", "quieter"],
] as const;

const verbs = ["found", "helped", "moved", "painted", "followed", "touched"] as const;
const names = ["anna", "ben", "carl", "dora", "emil", "fred", "gina", "hugo"] as const;
const things = ["lamp", "train", "table", "garden", "letter", "bridge", "window", "concert"] as const;
const adverbs = ["today", "yesterday", "again", "slowly", "quickly", "twice"] as const;

/** The four frames; `X` is the deciding word, `Y` the decided one, `D` the distraction. */
const frames = [
  "when my flight landed in X , i fell asleep . D . i stayed in the capital , Y",
  "soon after i arrived in X , i took a nap . D . the local money is called the Y",
  "i invited my X , who said yes . D . then i also invited my Y",
  "i knew it was X before i saw it . D . in person it was even Y",
].map((frame) => frame.split(" "));

const distraction = "( ) was late for the";

/** The words of one kind, for samplers that keep the part of speech. */
export const wordClasses: readonly (readonly string[])[] = [
  countries.map(([country]) => country),
  countries.map(([, capital]) => capital),
  countries.map(([, , currency]) => currency),
  relatives.flat(),
  adjectives.map(([adjective]) => adjective),
  adjectives.map(([, comparative]) => comparative),
  verbs,
  names,
  things,
  adverbs,
];

/** Tokens that are no words: padding, beginning of a sentence, mask, unknown word. */
export const specialTokens = ["<pad>", "<bos>", "<mask>", "<unk>"] as const;

/** All tokens in the order of their ids, special ones first. */
export const vocabulary: readonly string[] = [
  ...new Set([
    ...specialTokens,
    ...wordClasses.flat(),
    ...frames.flat().filter((word) => !/^[XYD]$/.test(word)),
    ...distraction.split(" "),
  ]),
];

function pick<T>(rng: Rng, from: readonly T[]): T {
  return from[rng.choice(from.length).item()];
}

function clause(rng: Rng): string[] {
  const kind = rng.choice(4).item();
  const inner =
    kind === 0
      ? ["i", pick(rng, verbs), pick(rng, names), pick(rng, adverbs)]
      : kind === 1
        ? ["the", pick(rng, things), "was", pick(rng, adjectives)[0], pick(rng, adverbs)]
        : kind === 2
          ? [pick(rng, names), pick(rng, verbs), "the", pick(rng, things), pick(rng, adverbs)]
          : ["i", "was", "late", "for", "the", pick(rng, things)];
  return ["(", ...inner, ")"];
}

function decidingPair(rng: Rng, frame: number): readonly [string, string] {
  if (frame === 2) return pick(rng, relatives);
  if (frame === 3) return pick(rng, adjectives);
  const [country, capital, currency] = pick(rng, countries);
  return [country, frame === 0 ? capital : currency];
}

/** Draws a sentence: a frame, its deciding word, and one or two clauses that distract. */
export function drawSentence(rng: Rng): CauseSentence {
  requireObject("drawSentence", "rng", rng, "a generator of random.rng(seed)");
  const frame = rng.choice(frames.length).item();
  const [first, second] = decidingPair(rng, frame);
  const clauses = rng.choice(2).item() === 0 ? clause(rng) : [...clause(rng), ...clause(rng)];
  const cause = frames[frame].indexOf("X");
  const words = frames[frame].flatMap((word) =>
    word === "X" ? [first] : word === "Y" ? [second] : word === "D" ? clauses : [word],
  );
  return { words, cause };
}
