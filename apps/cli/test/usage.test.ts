import { describe, expect, it } from "vitest";
import { usageOf } from "../src/commands/info.js";

describe("usageOf", () => {
  it("is the first code block of the section on usage", () => {
    expect(
      usageOf("# x\n\n## Install\n\n```sh\nnpm i\n```\n\n## How to use it\n\ntext\n\n```ts\na();\nb();\n```\n"),
    ).toBe("a();\nb();");
    expect(usageOf("# x\n\n## Usage\n\nno code\n\n## Options\n\n```ts\na();\n```\n")).toBeUndefined();
    expect(usageOf("")).toBeUndefined();
  });
});
