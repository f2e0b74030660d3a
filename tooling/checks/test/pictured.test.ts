import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { markOf, withPicture } from "../../pictures/pictures.mjs";
import { check } from "../pictured.mjs";
import { lines, repositoryOf } from "./sandbox.js";

const folder = "packages/methods/a";
const program = "// A title\n// and more\n\ndisplay({ kind: 'line' });\n";
const readme = "# a\n\n![A title](playground/1-x.svg)\n\n## Install\n";

function found(files: Record<string, string>): string[] {
  const own = Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]);
  return lines(
    check(repositoryOf({ [`${folder}/package.json`]: { name: "@offprint/a" }, ...Object.fromEntries(own) })),
  );
}

describe("pictured", () => {
  const picture = `<svg></svg>\n${markOf(program)}\n`;

  it("accepts a picture that the program has drawn", () => {
    const files = { "playground/1-x.js": program, "playground/1-x.svg": picture, "README.md": readme };
    expect(found(files)).toEqual([]);
    const reworded = program.replace("and more", "and something else").replace("({", "({\n ");
    expect(found({ ...files, "playground/1-x.js": reworded })).toEqual([]);
  });

  it("has a picture that the tool puts above the first section, once", () => {
    const drawn = { path: "/p/1-x.js", shown: "", picture: "/p/1-x.svg" };
    const bare = "# a\n\nWords.\n\n## Install\n\n## Usage\n";
    const shown = "# a\n\nWords.\n\n![A title](playground/1-x.svg)\n\n## Install\n\n## Usage\n";
    expect(withPicture(bare, drawn, program)).toBe(shown);
    expect(withPicture(shown, drawn, program)).toBe(shown);
  });

  it("finds what is missing, old, or not shown", () => {
    expect(found({ "README.md": readme })).toEqual([expect.stringContaining("needs a program")]);
    expect(found({ "playground/1-x.js": "console.log(1);", "README.md": readme })).toEqual([
      expect.stringContaining("needs a program"),
    ]);
    const files = { "playground/1-x.js": program, "README.md": readme };
    expect(found(files)).toEqual([expect.stringContaining("1-x.svg is missing: pnpm pictures a")]);
    const changed = program.replace("line", "bar");
    expect(found({ ...files, "playground/1-x.js": changed, "playground/1-x.svg": picture })).toEqual([
      expect.stringContaining("1-x.svg is old"),
    ]);
    const below = "# a\n\n## Usage\n\n![A title](playground/1-x.svg)\n";
    expect(found({ ...files, "playground/1-x.svg": picture, "README.md": below })).toEqual([
      expect.stringContaining("must show ![...](playground/1-x.svg)"),
    ]);
  });

  it("reads the playground of the site too", () => {
    const repository = repositoryOf({
      "apps/docs/package.json": { name: "@offprint/docs", private: true },
      "apps/docs/examples/1-x.js": program,
    });
    expect(lines(check(repository))).toEqual([expect.stringContaining("pnpm pictures docs")]);
    writeFileSync(join(repository.root, "apps/docs/examples/1-x.svg"), picture);
    expect(lines(check(repository))).toEqual([]);
  });
});
