import { describe, expect, it } from "vitest";
import { check } from "../installed.mjs";
import { lines, repositoryOf } from "./sandbox.js";

const problems = (install: string, code: string) =>
  lines(
    check(
      repositoryOf({
        "packages/methods/b/package.json": { name: "@offprint/b" },
        "packages/methods/b/README.md": `# b\n\n## Install\n\n\`\`\`sh\n${install}\n\`\`\`\n\n## Usage\n\n\`\`\`ts\n${code}\n\`\`\`\n`,
      }),
    ),
  );

describe("what READMEs install", () => {
  it("is all that their code imports, whichever part of a package that is", () => {
    const code =
      'import { a } from "@offprint/b/node";\nimport c from "c/d";\nimport { e } from "node:fs";\nimport "./f.js";';
    expect(problems("npm install @offprint/b c", code)).toEqual([]);
    expect(problems("npm install @offprint/b", code)).toEqual([expect.stringContaining("imports c,")]);
  });

  it("may have a line for a part, and counts imports on demand", () => {
    const code = 'const { a } = await import("@offprint/a");\nimport { b } from "@offprint/b";';
    expect(problems("npm install @offprint/b\nnpm install @offprint/a # for files", code)).toEqual([]);
    expect(problems("npm install @offprint/b", code)).toEqual([expect.stringContaining("@offprint/a")]);
  });
});
