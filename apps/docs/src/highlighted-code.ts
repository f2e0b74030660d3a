import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { hashOf } from "./hash-of.js";

type Highlight = (code: string, language: string, attributes: string) => string;

/**
 * Code with its colours, kept from one build to the next: finding them is a quarter of a build's work, every page is
 * rendered once for itself and once for the search, and an edit changes few of the blocks.
 */
export class HighlightedCode {
  readonly #path: string;
  readonly #stamp: string;
  readonly #before: ReadonlyMap<string, string>;
  readonly #used = new Map<string, string>();

  /**
   * @param path file that keeps the blocks of the last build
   * @param settings all that decides how code is coloured: what was made with others is not used
   */
  constructor(path: string, settings: readonly string[]) {
    this.#path = path;
    this.#stamp = hashOf(settings);
    this.#before = readBlocks(path, this.#stamp);
  }

  /** The function that colours code, asked only for what is not known. */
  remembering(highlight: Highlight): Highlight {
    return (code, language, attributes) => {
      const key = hashOf([language, attributes, code]);
      const html = this.#used.get(key) ?? this.#before.get(key) ?? highlight(code, language, attributes);
      this.#used.set(key, html);
      return html;
    };
  }

  /**
   * Keeps the blocks of this build, and no others where it was of all pages.
   *
   * @param all whether every page was built
   */
  save(all: boolean): void {
    const blocks = all ? this.#used : new Map([...this.#before, ...this.#used]);
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, JSON.stringify({ stamp: this.#stamp, blocks: [...blocks] }));
  }
}

/** The blocks of a file; none where it is absent, damaged, or of other settings. */
function readBlocks(path: string, stamp: string): Map<string, string> {
  try {
    const kept = JSON.parse(readFileSync(path, "utf8"));
    return new Map(kept.stamp === stamp ? kept.blocks : []);
  } catch {
    return new Map();
  }
}
