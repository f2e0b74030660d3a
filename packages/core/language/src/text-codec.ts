/** What is needed of a tokeniser: pieces of a text without special tokens, and the text of pieces. */
export interface TextCodec {
  /** Ids of the pieces of a text; no beginning- or end-of-text tokens. */
  encode(text: string): ArrayLike<number>;
  /** Text of some ids, blanks at its ends kept. */
  decode(ids: readonly number[]): string;
}
