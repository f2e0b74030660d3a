import { describe, expect, it } from "vitest";
import { runtimeName } from "../src/runtime-name.js";

describe("runtimeName", () => {
  it("names what really runs", () => {
    expect(runtimeName()).toEqual(["Node", process.versions.node]);
    expect(runtimeName({ node: "26.3.0", bun: "1.4.5" })).toEqual(["Bun", "1.4.5"]);
    expect(runtimeName({ node: "26.3.0", deno: "2.9.6" })).toEqual(["Deno", "2.9.6"]);
  });
});
