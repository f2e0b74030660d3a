// The picture of a playground program: what it displays under the key "picture", or else last, drawn in a file beside it.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { filesBelow } from "../checks/repository.mjs";

/**
 * @typedef {object} Program
 * @property {string} path absolute
 * @property {string} shown path from the root
 * @property {string} picture absolute path of its picture, whether it is there or not
 */

/**
 * The playground's programs of a package.
 *
 * @param {import("../checks/repository.mjs").Package} pkg
 * @returns {Program[]}
 */
export function programsOf({ directory, folder }) {
  return ["playground", "examples"].flatMap((name) =>
    filesBelow(join(directory, name), /\.js$/).map((path) => ({
      path,
      shown: `${folder}/${name}/${basename(path)}`,
      picture: path.replace(/\.js$/, ".svg"),
    })),
  );
}

/**
 * What a picture says about the program that it was drawn by: the comments and spaces of a program do not change it.
 *
 * @param {string} code
 */
export function markOf(code) {
  const bare = code.replace(/^\s*\/\/.*$/gm, "").replace(/\s+/g, "");
  return `<!-- drawn by the program ${createHash("sha256").update(bare).digest("hex").slice(0, 16)} -->`;
}

/** @param {Program} program */
export function draws({ path }) {
  return /\bdisplay\(/.test(readFileSync(path, "utf8"));
}

/**
 * Whether the picture of a program is there, and of the program as it is now.
 *
 * @param {Program} program
 * @returns {"missing" | "old" | "current"}
 */
export function stateOf({ path, picture }) {
  if (!existsSync(picture)) return "missing";
  return readFileSync(picture, "utf8").includes(markOf(readFileSync(path, "utf8"))) ? "current" : "old";
}

/**
 * A README with the picture of a program above its first section; as it is where it shows it.
 *
 * @param {string} readme
 * @param {Program} program
 * @param {string} code of the program, whose first line is its title
 */
export function withPicture(readme, { picture }, code) {
  const [head, ...sections] = readme.split(/^(?=## )/m);
  const address = `(playground/${basename(picture)})`;
  if (head.includes(address)) return readme;
  const title = /^\/\/\s*(.*)$/m.exec(code)?.[1] ?? "";
  return [`${head.trimEnd()}\n\n![${title}]${address}\n\n`, ...sections].join("");
}
