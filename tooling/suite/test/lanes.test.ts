import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Job, type Result, runLanes } from "../lanes.mjs";

let cache = "";
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "offprint-lanes-"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

/** Jobs of a stage that does nothing where it is given no package: the site's. */
const job = (stage: string, needs: string[] = [], key?: string): Job => ({
  stage,
  title: "",
  file: "site",
  packages: [],
  needs,
  ...(key === undefined ? {} : { key }),
});

async function run(jobs: Job[], lanes = 2): Promise<Result[]> {
  const seen: Result[] = [];
  const onResult = (result: Result) => void seen.push(result);
  await runLanes(jobs, { lanes, cache, filtered: false, environment: process.env, onResult });
  return seen;
}

describe("lanes", () => {
  it("run a job after those it needs, whatever their order", async () => {
    const order = await run([job("last", ["first", "second"]), job("first"), job("second", ["first"])]);
    expect(order.map(({ stage }) => stage)).toEqual(["first", "second", "last"]);
  });

  it("do not wait for stages that have no job", async () => {
    expect((await run([job("alone", ["absent"])])).map(({ stage }) => stage)).toEqual(["alone"]);
  });

  it("run what mostly waits beside the others, one such job at a time, and themselves when nothing else is left", async () => {
    const waits = ["a", "b"].map((stage) => ({ ...job(stage), waits: true }));
    const stages = async (jobs: Job[], lanes: number) => (await run(jobs, lanes)).map(({ stage }) => stage);
    expect(await stages([job("one"), ...waits], 0)).toEqual(["a", "b"]);
    expect((await stages([...waits, job("one"), job("two")], 1)).sort()).toEqual(["a", "b", "one", "two"]);
    expect(await stages([{ ...job("after", ["one"]), waits: true }, job("one")], 1)).toEqual(["one", "after"]);
  });

  it("remember what has passed under its hash", async () => {
    const counting = job("counted", [], "hash");
    const [first] = await run([counting], 1);
    expect(first.cached).toBe(false);
    expect(first.cpu).toBeGreaterThan(0);
    const [second] = await run([counting], 1);
    expect(second).toMatchObject({ cached: true, failed: 0, cpu: first.cpu });
  });

  it("remember a job that depends on what others make while the files that it has read are the same", async () => {
    let content = "one";
    const digest = (reads: string[]) => `${content} ${reads.join()}`;
    const reading = { ...job("reading", [], "read"), digest };
    // A run that does not tell what it has read is not remembered.
    for (const _ of [1, 2]) expect((await run([reading], 1))[0].cached).toBe(false);
    const known = { passed: 7, cpu: 1, quiet: 1, reads: ["a", "b"], digest: "one a,b" };
    mkdirSync(join(cache, "passed"), { recursive: true });
    writeFileSync(join(cache, "passed", "read.json"), JSON.stringify(known));
    expect((await run([reading], 1))[0]).toMatchObject({ cached: true, passed: 7 });
    content = "two";
    expect((await run([reading], 1))[0].cached).toBe(false);
  });

  it("count a job that cannot be run as failed, and run it again the next time", async () => {
    const broken = { ...job("broken", [], "other"), file: "no-such-stage" };
    const [first] = await run([broken], 1);
    expect(first).toMatchObject({ passed: 0, failed: 1, cached: false });
    expect(first.output).toContain("ended with exit code 1");
    expect((await run([broken], 1))[0].cached).toBe(false);
  });

  it("do several packages in one process where the stage says so, as far as no lane is left without", async () => {
    const tools = ["bench", "fuzz", "release", "checks"].map((tool, k) => ({
      ...job("joint", [], `tool ${k}`),
      file: "readme",
      title: tool,
      packages: [`@offprint/${tool}`],
      together: 3,
    }));
    const processes = (results: Result[]) => new Set(results.map(({ seconds }) => seconds)).size;
    const named = { ...tools[0], title: "unknown", packages: ["no such package"], key: "none" };
    const results = await run([...tools.slice(0, 2), named], 1);
    expect(results.map(({ title, failed }) => `${title} ${failed}`)).toEqual(["bench 0", "fuzz 0", "unknown 1"]);
    expect(processes(results)).toBe(1);
    const second = await run(tools, 2);
    expect(second.map(({ cached }) => cached)).toEqual([true, true, false, false]);
    expect(processes(second.slice(2))).toBe(2);
  });
});
