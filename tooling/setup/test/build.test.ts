import { expect, it } from "vitest";
import { build, SetupError } from "../setup.mjs";

it("names what is no package, rather than building nothing", () => {
  expect(() => build(["lipsdp", "lipsdq"])).toThrow(SetupError);
  expect(() => build(["lipsdq"])).toThrow(/no package lipsdq to build/);
});
