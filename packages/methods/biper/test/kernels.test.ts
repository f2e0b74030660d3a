import { expect, it } from "vitest";
import { sourceHash } from "../make-kernels.mjs";
import { sourceHash as builtFrom } from "../src/pack/wasm-bytes.js";

it("the committed kernels are those of the present sources", () => {
  expect(builtFrom, "run `node make-kernels.mjs`").toBe(sourceHash());
});
