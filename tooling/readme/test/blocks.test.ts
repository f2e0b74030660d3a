import { expect, it } from "vitest";
import { tsBlocks } from "../blocks.mjs";

it("takes the ts blocks of a README with their lines, and knows which only to type-check", () => {
  const markdown = "# x\n```ts\nconst a = 1;\n```\n```sh\nls\n```\n```ts no-run\nb();\n```\n```tsx\n```\n";
  expect(tsBlocks(markdown)).toEqual([
    { code: "const a = 1;", line: 2, run: true },
    { code: "b();", line: 8, run: false },
  ]);
});
