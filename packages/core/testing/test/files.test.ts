import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ValueError } from "@offprint/tensor-core";
import { afterAll, describe, expect, it } from "vitest";
import { errorLike, failureOf, readFixture, temporaryFolder } from "../src/index.js";

describe("a temporary folder", () => {
  let made = "";
  describe("while tests run", () => {
    const folder = temporaryFolder("kit");
    made = folder;
    it("can be written to", () => {
      writeFileSync(join(folder, "a.txt"), "a");
      expect(folder).toMatch(/offprint kit /);
    });
  });
  afterAll(() => expect(existsSync(made)).toBe(false));
  it("is gone afterwards", () => expect(existsSync(made)).toBe(false));
});

it("a fixture is read from the folder beside the test", () => {
  expect(readFixture<{ answer: number }>(import.meta.url, "small.json")).toEqual({ answer: 42 });
  expect(() => readFixture(import.meta.url, "absent.json")).toThrow(/absent\.json/);
});

describe("errors", () => {
  const fail = () => {
    throw new ValueError("the rate is -1");
  };
  it("are told by name and message", () => {
    expect(fail).toThrow(errorLike("ValueError", /rate/));
    expect(() => expect(fail).toThrow(errorLike("ShapeError", /rate/))).toThrow();
    expect(() => expect(fail).toThrow(errorLike("ValueError", /shape/))).toThrow();
  });
  it("are caught, of functions and promises", async () => {
    expect((await failureOf(fail)).name).toBe("ValueError");
    expect((await failureOf(async () => fail())).message).toBe("the rate is -1");
    await expect(failureOf(async () => 3)).rejects.toThrow("no error was thrown, but 3 came");
    await expect(failureOf(() => Promise.reject("text"))).rejects.toThrow("no error was thrown, but text came");
  });
});
