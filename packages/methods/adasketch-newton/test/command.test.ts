import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { hockSchittkowski } from "../claims/hock-schittkowski.js";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("minimize-formula");

interface Problem {
  readonly minimize: string;
  readonly equations: readonly string[];
  readonly start: Readonly<Record<string, number>>;
}

function file(problem: unknown): string {
  const path = join(folder, "problem.json");
  writeFileSync(path, typeof problem === "string" ? problem : JSON.stringify(problem));
  return path;
}

async function solved(problem: Problem, ...more: string[]) {
  const output = join(folder, "solution.json");
  const { code, out, err } = await runWords(commands, "minimize-formula", [file(problem), "--output", output, ...more]);
  expect([code, err]).toEqual([0, ""]);
  return { ...JSON.parse(readFileSync(output, "utf8")), out };
}

/** Hock and Schittkowski's problems as people write them. */
const texts: Record<number, readonly [minimize: string, ...equations: string[]]> = {
  6: ["(1 - a)^2", "10*(b - a^2) = 0"],
  7: ["log(1 + a^2) - b", "(1 + a^2)^2 + b^2 = 4"],
  28: ["(a + b)^2 + (b + c)^2", "a + 2*b + 3*c = 1"],
  39: ["-a", "b = a^3 + c^2", "a^2 = b + d^2"],
  40: ["-a*b*c*d", "a^3 + b^2 = 1", "a^2*d = c", "d^2 = b"],
  42: ["(a-1)^2 + (b-2)^2 + (c-3)^2 + (d-4)^2", "a = 2", "c^2 + d^2 = 2"],
  77: [
    "(a-1)^2 + (a-b)^2 + (c-1)^2 + (d-1)^4 + (e-1)^6",
    "a^2*d + sin(d - e) = 2*sqrt(2)",
    "b + c^4*d^2 = 8 + sqrt(2)",
  ],
  78: ["a*b*c*d*e", "a^2 + b^2 + c^2 + d^2 + e^2 = 10", "b*c = 5*d*e", "a^3 + b^3 = -1"],
  79: [
    "(a-1)^2 + (a-b)^2 + (b-c)^2 + (c-d)^4 + (d-e)^4",
    "a + b^2 + c^3 = 2 + 3*sqrt(2)",
    "b - c^2 + d = -2 + 2*sqrt(2)",
    "a*e = 2",
  ],
};

const sphere = { minimize: "x + y", equations: ["x^2 + y^2 = 2"], start: { x: -1.5, y: -0.5 } };

describe("minimize-formula", () => {
  it("finds the known minima of Hock and Schittkowski's problems", async () => {
    for (const [number, [minimize, ...equations]] of Object.entries(texts)) {
      const { start, least } = hockSchittkowski.find((each) => each.number === Number(number))!;
      const named = Object.fromEntries(start.map((value, j) => ["abcde"[j], value]));
      const found = await solved({ minimize, equations, start: named });
      expect([number, found.value]).toEqual([number, expect.closeTo(least, 5)]);
      for (const { difference } of found.equations) expect(Math.abs(difference)).toBeLessThan(1e-6);
    }
  });

  it("gives the multipliers, which are the slope of the least value by the right side", async () => {
    const { variables, value, equations, out } = await solved(sphere);
    expect([variables.x, variables.y, value]).toEqual([-1, -1, -2].map((each) => expect.closeTo(each, 8)));
    expect(equations[0].multiplier).toBeCloseTo(0.5, 8);
    const moved = await solved({ ...sphere, equations: ["x^2 + y^2 = 2.0002"] });
    expect((moved.value - value) / 0.0002).toBeCloseTo(-equations[0].multiplier, 4);
    expect(out).toMatch(/x\^2 \+ y\^2 = 2 +multiplier 0\.5, left - right -?\d/);
  });

  it("finds the same in any units", async () => {
    const start = { x: -1.5e-9, y: -0.5e9 };
    const problem = { minimize: "1e6*(x*1e9 + y*1e-9)", equations: ["1e-5*((x*1e9)^2 + (y*1e-9)^2) = 2e-5"], start };
    const { variables, equations } = await solved(problem);
    expect([variables.x * 1e9, variables.y * 1e-9]).toEqual([-1, -1].map((each) => expect.closeTo(each, 7)));
    expect(equations[0].multiplier / 0.5e11).toBeCloseTo(1, 7);
  });

  it("solves by sketches, too", async () => {
    const { value } = await solved(sphere, "--sketch", "kaczmarz", "--seed", "3");
    expect(value).toBeCloseTo(-2, 7);
  });

  it("goes on after an interruption to the same solution", async () => {
    const words = [file(sphere), "--sketch", "kaczmarz"];
    const files = { output: join(folder, "resumed.json"), state: join(folder, "state.json"), interruptAt: 0.003 };
    const [whole, parts] = await runInTwo(commands, "minimize-formula", words, files);
    expect(parts).toEqual(whole);
  });

  it("says what is wrong", async () => {
    const refusal = async (problem: unknown, ...more: string[]) => {
      const { code, err } = await runWords(commands, "minimize-formula", [file(problem), ...more]);
      expect(code).toBe(2);
      return err;
    };
    expect(await refusal("no json")).toContain("is no JSON");
    expect(await refusal({ ...sphere, minimise: "x" })).toContain('there is no "minimise"');
    expect(await refusal({ ...sphere, minimize: 3 })).toContain('"minimize" must be a formula');
    expect(await refusal({ ...sphere, minimize: "x + * y" })).toContain("cannot be read at character 5");
    expect(await refusal({ ...sphere, equations: [] })).toContain('"equations" must be a list');
    expect(await refusal({ ...sphere, equations: ["x^2 + y^2"] })).toContain("is no equation");
    expect(await refusal({ ...sphere, equations: ["1 = 2"] })).toContain('there is no variable in "1 = 2"');
    expect(await refusal({ ...sphere, equations: ["x = 1", "y = 1", "x*y = 1"] })).toContain(
      "3 equations for 2 variables",
    );
    expect(await refusal({ ...sphere, start: {} })).toContain('"start" must give a number');
    expect(await refusal({ ...sphere, start: { x: 1 } })).toContain('"start" has no y');
    expect(await refusal({ ...sphere, start: { x: 1, y: 1, z: 1 } })).toContain("z, which is in no formula");
    expect(await refusal({ ...sphere, minimize: "log(x) + y" })).toContain("is not finite where");
    expect(await refusal(sphere, "--seed", "1")).toContain("nothing is random with --sketch exact");
  });

  it("says that a formula without a minimum was not minimised", async () => {
    const path = file({ ...sphere, equations: ["x = 2"] });
    const { code, out, err } = await runWords(commands, "minimize-formula", [path, "--max-iterations", "5"]);
    expect([code, out]).toEqual([1, expect.stringContaining("limit after 5 iterations")]);
    expect(err).toContain("It may be unbounded");
  });

  it("says so where equations depend on each other", async () => {
    const twice = { ...sphere, equations: ["x + y = 1", "2*x + 2*y = 2"] };
    const { code, out, err } = await runWords(commands, "minimize-formula", [file(twice)]);
    expect([code, out]).toEqual([1, expect.stringContaining("singularJacobian")]);
    expect(err).toContain("The equations depend on each other there");
  });
});
