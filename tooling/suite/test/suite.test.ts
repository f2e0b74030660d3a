import { describe, expect, it } from "vitest";
import { budgetTable, overBudget, usesOf } from "../budgets.mjs";
import { Pace, slownessOf } from "../pace.mjs";
import { failuresOf } from "../stages/types.mjs";
import { rowsOf, summary } from "../suite.mjs";

const row = (name: string, passed: number, failed: number, absent = 0) => ({
  name,
  passed,
  failed,
  seconds: 1,
  notRun: absent > 0 ? [{ what: "needs Vulkan: install mesa-vulkan-drivers", count: absent }] : [],
});

const job = (stage: string, title: string, passed: number, failed: number, cached = false) => ({
  stage,
  title,
  file: stage,
  packages: [title],
  needs: [],
  passed,
  failed,
  seconds: 2,
  cpu: 1.5,
  quiet: 1,
  cached,
  output: "",
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

describe("the rows of a summary", () => {
  it("add up the jobs of a stage, and the processor time of those that ran", () => {
    const results = [job("tests", "optim", 10, 1), job("tests", "nn", 5, 0, true), job("claims", "cbo", 3, 0)];
    const rows = rowsOf(["types", "tests", "claims"], results);
    expect(rows.map(({ name }) => name)).toEqual(["tests", "claims"]);
    expect(rows[0]).toMatchObject({ passed: 15, failed: 1, seconds: 4, cpu: 1.5, cached: 1 });
  });
});

describe("the pace of the machine", () => {
  const looks = [1, 9, 2, 2, 4, 4].map((slowness, k) => ({ at: 10 * k, slowness }));

  it("is the median of the looks in a span and beside it", () => {
    expect(slownessOf(looks, 0, 30)).toBe(2);
    expect(slownessOf(looks, 15, 35)).toBe(3);
    expect(slownessOf(looks, 100, 200)).toBe(4);
    expect(slownessOf(looks, -9, -5)).toBe(1);
    expect(slownessOf([], 0, 1)).toBe(1);
  });

  it("is looked at from the start", () => {
    const pace = new Pace();
    pace.start();
    pace.stop();
    expect(pace.between(0, performance.now())).toBeGreaterThan(0);
  });
});

describe("what the compiler says", () => {
  it("is told of the package that it is of, with its further lines", () => {
    const said = [
      "packages/core/nn/src/a.ts(1,2): error TS2345: Argument",
      "  is not assignable.",
      "tooling/suite/x.mjs(3,4): error TS1: No",
      "packages/core/optim/src/b.ts(1,2): error TS2: No",
    ];
    const packages = ["optim", "nn"].map((slug) => ({ name: `@offprint/${slug}`, folder: `packages/core/${slug}` }));
    expect([...failuresOf(said.join("\n"), packages)]).toEqual([
      ["@offprint/nn", [said.slice(0, 2).join("\n")]],
      ["@offprint/optim", said.slice(2)],
    ]);
  });
});

describe("budgets", () => {
  it("count processor time in that of the machine they are meant for, and mark what is over", () => {
    const results = [
      { ...job("tests", "cbo", 1, 0), quiet: 15, method: true },
      { ...job("tests", "optim", 1, 0), quiet: 99, method: false },
    ];
    const uses = usesOf([{ name: "tests", budget: 12 }, { name: "types" }], results);
    expect(uses).toEqual([{ stage: "tests", method: "cbo", cpu: 15, budget: 12 }]);
    expect(budgetTable(uses)).toContain("15.0 of 12 s !");
    const named = [...uses, { stage: "tests", method: "worse", cpu: 20, budget: 12 }];
    expect(overBudget(named)).toEqual([
      `warning: over 12 s of processor time (fails nothing), tests: worse 20.0, ${uses.find(({ cpu }) => cpu > 12)?.method} 15.0`,
    ]);
    expect(overBudget([])).toEqual([]);
  });
});
