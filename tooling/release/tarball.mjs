// What is inside a published tarball, and what may be.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/**
 * Names of the files in a tarball, without the `package/` in front of them.
 *
 * @param {Uint8Array} tgz
 * @returns {string[]}
 */
export function entriesOf(tgz) {
  const tar = gunzipSync(tgz);
  const names = [];
  const field = (/** @type {number} */ start, /** @type {number} */ length) =>
    tar.toString("utf8", start, start + length).replace(/\0.*$/s, "");
  let long = "";
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(field(at + 124, 12).trim() || "0", 8);
    const type = String.fromCharCode(tar[at + 156]);
    const body = tar.toString("utf8", at + 512, at + 512 + size);
    // Names longer than the header's fields come in a record of their own.
    if (type === "x") long = /\d+ path=(.*)\n/.exec(body)?.[1] ?? "";
    else if (type === "L") long = body.replace(/\0.*$/s, "");
    else if (type === "0" || type === "\0") {
      const prefix = field(at + 345, 155);
      const name = long || (prefix ? `${prefix}/` : "") + field(at, 100);
      names.push(name.replace(/^package\//, ""));
      long = "";
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return names.sort();
}

const needed = ["LICENSE", "README.md", "package.json"];
const built = /^dist\/(?:.*\/)?[\w.-]+\.(?:js|d\.ts)$/;
/** Weights and other files that a package reads at run time, with a module that knows their addresses. */
const assets = /^assets\/[\w.-]+\.(?:safetensors|npz|bin|js|d\.ts)$/;
/** Programs in Python that a README says to run, such as one that exports a model of one's own. */
const programs = /^export\/[\w.-]+\.py$/;
const unwanted = /\/(?:test|tests|fixtures)\/|\.(?:test|bench)\./;

/**
 * What is wrong with a tarball's contents.
 *
 * @param {string[]} names
 * @param {boolean} typed whether it must hold types
 * @returns {string[]}
 */
export function contentProblems(names, typed) {
  const problems = needed.filter((name) => !names.includes(name)).map((name) => `${name} is missing`);
  if (!names.some((name) => built.test(name) && name.endsWith(".js"))) problems.push("dist holds no JavaScript");
  if (typed && !names.some((name) => name.endsWith(".d.ts"))) problems.push("dist holds no types");
  const surplus = names.filter((name) => {
    const expected = needed.includes(name) || [built, assets, programs].some((wanted) => wanted.test(name));
    return !expected || unwanted.test(name);
  });
  return [...problems, ...surplus.map((name) => `${name} is not for users`)];
}

/**
 * @param {string} storage of the registry
 * @param {string} name
 * @param {string} version
 */
export function tarballPath(storage, name, version) {
  return join(storage, ...name.split("/"), `${name.split("/").at(-1)}-${version}.tgz`);
}

/** @param {string} path */
export function readTarball(path) {
  const bytes = readFileSync(path);
  return { bytes: bytes.length, names: entriesOf(bytes) };
}
