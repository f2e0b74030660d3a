// Nothing unfinished and nothing of one person's machine gets into the repository.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { filesBelow, shown } from "./repository.mjs";

export const title = "no unfinished marks, machine paths or shapeless file names";

/** @type {Array<[RegExp, string]>} */
const patterns = [
  [/\b(?:TODO|FIXME|XXX)\b/, "finish it, or file an issue"],
  [/(?<![\w.$}/])\/(?:home|Users)\/[a-z][\w-]*\//, "a path of one person's machine"],
  [/(?<![\w.$}/])\/(?:root|work)\/\w/, "a path of one person's machine"],
  [/\b[A-Z]:\\\\?Users\\/, "a path of one person's machine"],
  [/https?:\/\/(?:localhost|127\.0\.0\.1):4873/, "a registry of one person's machine"],
  [/\b(?:it|test|describe)\.only\(/, "the other tests would not run"],
];
const shapeless = /^(?:utils?|helpers?|misc|common)\.[cm]?[jt]s$/;
const text = /\.(?:[cm]?[jt]s|json|md|ya?ml|py|html|css|txt)$|^(?:run|LICENSE)$/;

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {import("./repository.mjs").Package[]} [selected] all files when left out
 * @returns {import("./repository.mjs").CheckResult}
 */
export function check(repository, selected) {
  const roots = selected ? selected.map(({ directory }) => directory) : [repository.root];
  // This file and its test spell the marks out.
  const files = roots
    .flatMap((root) => filesBelow(root, text))
    .filter((path) => !basename(path).startsWith("unfinished."));
  const violations = files.flatMap((path) => {
    const subject = shown(repository, path);
    const named = shapeless.test(basename(path)) ? [{ subject, message: "name the file after what it is" }] : [];
    if (/fixtures\/.*\.json$|pnpm-lock\.yaml$/.test(subject)) return named;
    const lines = readFileSync(path, "utf8").split("\n");
    const found = patterns.flatMap(([pattern, message]) => {
      const line = lines.findIndex((content) => pattern.test(content));
      return line < 0
        ? []
        : [{ subject: `${subject}:${line + 1}`, message: `${pattern.exec(lines[line])?.[0]}: ${message}` }];
    });
    return [...named, ...found];
  });
  return { subjects: files.length, violations };
}
