// What a README says to install.

/**
 * The words after each `npm install` of a README: in its section on installing where it has one. The first line is
 * what everybody needs; the others are for parts of the package.
 *
 * @param {string} readme
 * @returns {string[][]}
 */
export function installLines(readme) {
  const section = /^## .*install.*$([\s\S]*?)(?=^## |(?![\s\S]))/im.exec(readme)?.[1] ?? readme;
  const lines = [...section.matchAll(/^(?:[A-Z_]+=\S+ )*npm (?:i|install) (.+)$/gm)];
  return lines.map(([, words = ""]) =>
    words
      .replace(/\s#.*$/, "")
      .split(/\s+/)
      .filter(Boolean),
  );
}
