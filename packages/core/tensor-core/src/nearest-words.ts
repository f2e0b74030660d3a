import { requireObject } from "./arguments.js";

/** Least number of insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = rows[row - 1]![column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let least = Math.min(replaced, rows[row - 1]![column]! + 1, current[column - 1]! + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, rows[row - 2]![column - 2]! + 1);
      }
      current.push(least);
    }
    rows.push(current);
  }
  return rows[a.length]![b.length]!;
}

/** Known words that the user may have meant, nearest first: a few letters off, or containing what was typed. */
export function nearestWords(word: string, known: readonly string[], most = 3): string[] {
  requireObject("nearestWords", "known", known, "an array of texts");
  const typed = word.toLowerCase();
  return known
    .map((candidate) => {
      const distance = editDistance(typed, candidate.toLowerCase());
      const contained = typed.length >= 3 && candidate.toLowerCase().includes(typed);
      return { candidate, distance, near: contained || distance <= Math.max(1, Math.floor(candidate.length * 0.4)) };
    })
    .filter(({ near }) => near)
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, most)
    .map(({ candidate }) => candidate);
}
