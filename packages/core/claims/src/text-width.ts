import { requireText } from "@offprint/tensor-core";

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u;

/** Number of terminal columns that a text takes: combining marks none, East Asian characters two. */
export function displayWidth(text: string): number {
  requireText("displayWidth", "text", text);
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** The text followed by spaces up to `width` columns. */
export function padText(text: string, width: number): string {
  requireText("padText", "text", text);
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** Pieces of a word that may stand on lines of their own: parts joined by no-break spaces, and what follows a sign between letters. */
function piecesOf(word: string): string[] {
  return word.split(/(?<=\u00a0)|(?<=[,;/=_])(?=.)/u);
}

/** Length of the longest piece that a line cannot break. */
export function unbreakableWidth(text: string): number {
  const words = text.split(/[^\S\u00a0]+/).flatMap(piecesOf);
  return Math.max(0, ...words.map((piece) => displayWidth(piece.replace(/\u00a0$/u, ""))));
}

/**
 * Cuts off a beginning that fits, for words longer than a line: as many pieces as fit, and only where a single piece is
 * too long as many characters.
 */
function splitWord(word: string, limit: number, measure: (text: string) => number): [string, string] {
  const pieces = piecesOf(word);
  const trimmed = (count: number) =>
    pieces
      .slice(0, count)
      .join("")
      .replace(/\u00a0$/u, "");
  let count = 0;
  while (count < pieces.length - 1 && measure(trimmed(count + 1)) <= limit) count += 1;
  if (count > 0) return [trimmed(count), pieces.slice(count).join("")];
  const characters = Array.from(word);
  let length = 1;
  while (length < characters.length && measure(characters.slice(0, length + 1).join("")) <= limit) length += 1;
  return [characters.slice(0, length).join(""), characters.slice(length).join("")];
}

/**
 * Breaks a text into lines no wider than `limit`, between words where that is possible; a no-break space joins words.
 *
 * @param measure width of a text in the unit of `limit`; default terminal columns
 */
export function wrapText(text: string, limit: number, measure: (text: string) => number = displayWidth): string[] {
  requireText("wrapText", "text", text);
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (let word of paragraph.split(/[^\S\u00a0]+/).filter((part) => part !== "")) {
      if (line !== "" && measure(`${line} ${word}`) <= limit) {
        line += ` ${word}`;
        continue;
      }
      if (line !== "") lines.push(line);
      while (measure(word) > limit && Array.from(word).length > 1) {
        const [head, tail] = splitWord(word, limit, measure);
        lines.push(head);
        word = tail;
      }
      line = word;
    }
    lines.push(line);
  }
  return lines;
}
