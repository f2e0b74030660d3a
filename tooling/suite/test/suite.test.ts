import { describe, expect, it } from "vitest";
import { summary, timed } from "../suite.mjs";

const row = (name: string, passed: number, failed: number, absent = 0) => ({
  name,
  passed,
  failed,
  seconds: 1,
  notRun: absent > 0 ? [{ what: "needs Vulkan: install mesa-vulkan-drivers", count: absent }] : [],
});

describe("summary", () => {
  it("ends with the counts of all stages", () => {
    const { text, failed } = summary([row("types", 1, 0), row("tests", 40, 2)], false);
    expect(text.split("\n").at(-1)).toBe("41 passed, 2 failed");
    expect(failed).toBe(2);
  });

  it("names what is absent, and counts it as failed where everything is required", () => {
    const lenient = summary([row("tests", 40, 0, 3)], false);
    expect(lenient.text).toContain("tests: needs Vulkan: install mesa-vulkan-drivers, 3 not run");
    expect(lenient.failed).toBe(0);
    const strict = summary([row("tests", 40, 0, 3)], true);
    expect(strict.text.split("\n").at(-1)).toBe("40 passed, 3 failed");
  });
});

it("counts a stage that throws as failed", async () => {
  const stage = () => {
    throw new Error("broken on purpose");
  };
  expect(await timed("stage", stage)).toMatchObject({ passed: 0, failed: 1 });
});
