import { describe, expect, it } from "vitest";
import { outcomesOf, type Results } from "../stages/claims.mjs";

const packages = ["cbo", "bib"].map((slug) => ({ name: `@offprint/${slug}`, slug }));
const record = (id: string, holds: boolean, error?: string) => ({
  ...{ id, holds, detail: "The figures." },
  ...(error !== undefined && { error }),
});
const run = (method: string, processorSeconds: number, ...records: ReturnType<typeof record>[]) => ({
  method,
  processorSeconds,
  records,
});

describe("claims of several methods in one process", () => {
  it("are counted by method, which each take their part of the processor time", () => {
    const runs = [run("cbo", 3, record("a", true), record("b", true)), run("bib", 1, record("a", true))];
    expect(outcomesOf({ runs, failures: [] }, packages, 0)).toEqual({
      "@offprint/cbo": { passed: 2, failed: 0, failures: [], share: 0.75 },
      "@offprint/bib": { passed: 1, failed: 0, failures: [], share: 0.25 },
    });
  });

  it("name what does not hold, and what ended with an error", () => {
    const runs = [run("cbo", 1, record("a", false), record("b", false, "RangeError: no")), run("bib", 1)];
    const outcomes = outcomesOf({ runs, failures: [] }, packages, 1);
    expect(outcomes["@offprint/cbo"]).toMatchObject({
      failed: 2,
      failures: ["cbo a: The figures.", "cbo b: RangeError: no"],
    });
    // No claims at all are no claims that hold.
    expect(outcomes["@offprint/bib"]).toMatchObject({ passed: 0, failed: 1 });
  });

  it("lose nothing where one method's process crashes", () => {
    const error = "bib: the process of the claims ended with SIGSEGV.";
    const results = { runs: [run("cbo", 1, record("a", true))], failures: [{ method: "bib", error }] };
    expect(outcomesOf(results, packages, 1)).toEqual({
      "@offprint/cbo": { passed: 1, failed: 0, failures: [] },
      "@offprint/bib": { passed: 0, failed: 1, failures: [error] },
    });
  });

  it("have all failed where the command ended with a code that nothing explains, or left no results", () => {
    const runs = packages.map(({ slug }) => run(slug, 1, record("a", true)));
    const failedOf = (results: Results, status: number | null) =>
      Object.values(outcomesOf(results, packages, status)).map(({ failed }) => failed);
    expect(failedOf({ runs, failures: [] }, 2)).toEqual([1, 1]);
    expect(failedOf({ runs: [], failures: [] }, null)).toEqual([1, 1]);
  });
});
