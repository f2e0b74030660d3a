import { oneHot, requireObject, requireText, type Tensor, tensor, ValueError } from "@offprint/tensor-core";

/** Letters of DNA. */
export const dna: readonly string[] = ["A", "C", "G", "T"];

/** Letters of the twenty amino acids. */
export const protein: readonly string[] = [..."ACDEFGHIKLMNPQRSTVWY"];

/** Numbers of a sequence's letters. @throws ValueError for a letter that the alphabet has not. */
export function encodeSequence(owner: string, sequence: string, alphabet: readonly string[]): Int32Array {
  if (typeof sequence !== "string")
    throw new ValueError(`${owner}: a sequence is ${typeof sequence}; give texts of letters`);
  return Int32Array.from(sequence, (letter, place) => {
    const number = alphabet.indexOf(letter);
    if (number >= 0) return number;
    const remedy = alphabet.includes(letter.toUpperCase()) ? "; write capitals" : "";
    throw new ValueError(
      `${owner}: ${JSON.stringify(sequence.slice(0, 40))} has ${JSON.stringify(letter)} at place ${place + 1}; the alphabet is ${alphabet.join("")}${remedy}`,
    );
  });
}

/** Numbers of the letters of sequences of one length, one after the other. @throws ValueError where lengths differ. */
export function encodeLetters(
  owner: string,
  sequences: readonly string[],
  alphabet: readonly string[],
): { letters: Int32Array; length: number } {
  const length = [...(sequences[0] ?? "")].length;
  if (length === 0) throw new ValueError(`${owner}: there are no sequences, or empty ones; give at least one letter`);
  const letters = new Int32Array(sequences.length * length);
  for (const [i, sequence] of sequences.entries()) {
    const own = encodeSequence(owner, sequence, alphabet);
    if (own.length !== length) {
      throw new ValueError(
        `${owner}: sequence ${i + 1} has ${own.length} letters and the first ${length}; all must have equally many`,
      );
    }
    letters.set(own, i * length);
  }
  return { letters, length };
}

/** Sequences of one length as one-hot rows, float64 `[n, L, V]`. @throws ValueError where lengths differ. */
export function encodeSequences(owner: string, sequences: readonly string[], alphabet: readonly string[]): Tensor {
  requireObject(owner, "sequences", sequences, "an array of texts");
  requireObject(owner, "alphabet", alphabet, "an array of texts");
  const { letters, length } = encodeLetters(owner, sequences, alphabet);
  return oneHot(tensor(letters), alphabet.length, { dtype: "float64" }).reshape([
    sequences.length,
    length,
    alphabet.length,
  ]);
}

/** The letters with the largest logits, `[n, L, V]`. */
export function decodeSequences(logits: Tensor, alphabet: readonly string[]): string[] {
  const [n, length] = logits.shape;
  const letters = logits.argMax(-1).data();
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length }, (__, l) => alphabet[letters[i * length + l]]).join(""),
  );
}

/** How many places of two sequences of one length differ. @throws ValueError where lengths differ. */
export function hammingDistance(a: string, b: string): number {
  requireText("hammingDistance", "a", a);
  requireText("hammingDistance", "b", b);
  const [first, second] = [[...a], [...b]];
  if (first.length !== second.length) {
    throw new ValueError(
      `hammingDistance: the sequences have ${first.length} and ${second.length} letters; give two of one length`,
    );
  }
  return first.filter((letter, i) => letter !== second[i]).length;
}
