import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../setup/setup.mjs";
import { finish, stepsOf } from "../finish.mjs";

describe("finishing a method", () => {
  it("writes before it hashes, and hashes before it checks", () => {
    const titles = stepsOf("diffgrad").map(([title]) => title);
    expect(titles.indexOf("lay out its code")).toBeLessThan(titles.indexOf("draw its pictures"));
    expect(titles.indexOf("draw its pictures")).toBeLessThan(titles.indexOf("run its claims and keep them"));
    expect(titles.indexOf("build")).toBeLessThan(titles.indexOf("run its claims and keep them"));
    expect(titles.at(-1)).toContain("tests");
    for (const [, script] of stepsOf("diffgrad")) {
      if (!script.includes("/dist/")) expect(existsSync(join(root, script)), script).toBe(true);
    }
  });

  it("stops at what fails, with its exit code", () => {
    const ran: string[] = [];
    const run = (script: string) => (ran.push(script) === 3 ? 4 : 0);
    expect(finish("diffgrad", run)).toBe(4);
    expect(ran).toEqual(
      stepsOf("diffgrad")
        .slice(0, 3)
        .map(([, script]) => script),
    );
    expect(finish("diffgrad", () => 0)).toBe(0);
  });

  it("asks for a method that is there", () => {
    const never = () => {
      throw new Error("ran");
    };
    expect(finish(undefined, never)).toBe(2);
    expect(finish("no-such-method", never)).toBe(2);
  });
});
