import { expect, it } from "vitest";
import { installLines } from "../install-lines.mjs";

it("a README says what to install: in its section on that, else anywhere", () => {
  const section = "# a\n```sh\nnpm install wrong\n```\n## Install\n```sh\nnpm i a b # both\n```\n## Use\n";
  expect(installLines(section)).toEqual([["a", "b"]]);
  expect(installLines("# a\n```sh\nX=skip npm install a\nnpm i b c # only for d\n```\n")).toEqual([["a"], ["b", "c"]]);
  expect(installLines("# a\n## Install\nSee below.\n## Use\nnpm install a\n")).toEqual([]);
});
