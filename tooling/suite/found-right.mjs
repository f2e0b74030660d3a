// Files that a tool has found right, under the hash of their content: only others are looked at again.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative, sep } from "node:path";

/** Files of a repository, in what was found right before and what was not. */
export class FoundRight {
  #path;
  #root;
  #settings;
  /** @type {Map<string, string>} */
  #before;

  /**
   * @param {string} path file that keeps the hashes
   * @param {string} root of the repository
   * @param {string[]} settings all that decides what the tool finds besides a file itself: others, and nothing is known
   */
  constructor(path, root, settings) {
    this.#path = path;
    this.#root = root;
    this.#settings = hashOf(...settings);
    this.#before = this.#read();
  }

  /**
   * Those of the files that were not found right as they are.
   *
   * @param {string[]} files absolute paths
   */
  unknownOf(files) {
    return files.filter((file) => this.#before.get(this.#nameOf(file)) !== hashOf(readFileSync(file)));
  }

  /**
   * Keeps that these files, and no others, are right.
   *
   * @param {string[]} files absolute paths
   */
  keep(files) {
    const hashes = files.map((file) => [this.#nameOf(file), hashOf(readFileSync(file))]);
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, JSON.stringify({ settings: this.#settings, hashes }));
  }

  /** @param {string} file */
  #nameOf(file) {
    return relative(this.#root, file).split(sep).join("/");
  }

  /** @returns {Map<string, string>} */
  #read() {
    try {
      const { settings, hashes } = JSON.parse(readFileSync(this.#path, "utf8"));
      return new Map(settings === this.#settings ? hashes : []);
    } catch {
      return new Map();
    }
  }
}

/** @param {Array<string | Buffer>} parts */
function hashOf(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("base64url");
}
