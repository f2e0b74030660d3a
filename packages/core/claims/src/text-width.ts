const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u;

/** Number of terminal columns that a text takes: combining marks none, East Asian characters two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** The text followed by spaces up to `width` columns. */
export function padText(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** Cuts off the longest beginning that fits, for words longer than a line. */
function splitWord(word: string, limit: number, measure: (text: string) => number): [string, string] {
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
