import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeFrame } from "@offprint/tensor-core/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Installation } from "./installation.js";

let offprint: Installation;
beforeAll(async () => {
  offprint = await Installation.create(["bowl"]);
});
afterAll(() => offprint.remove());

/** Long enough that only a signal ends it. */
const endless = ["descend", "--steps", "1000000000", "--pause", "1"];
const height = (folder: string) => readFileSync(join(folder, "height.txt"), "utf8");

/** The steps that were made before a run that is resumed goes on, from what it says. */
function stepOf(err: string): number {
  return Number(/at step (\d+)\n/.exec(err)?.[1]);
}

async function whole(steps: number): Promise<string> {
  const cwd = offprint.folder();
  const { code } = await offprint.run(["descend", "--steps", String(steps), "--output", "height.txt"], cwd);
  expect(code).toBe(0);
  expect(readdirSync(cwd)).toEqual(["height.txt"]);
  return height(cwd);
}

describe("a command that computes", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "ended by %s keeps its state, and goes on to the same bits",
    async (signal) => {
      const cwd = offprint.folder();
      const { child, shows, finished } = offprint.start(endless, cwd);
      await shows(/at step 20/);
      child.kill(signal);
      const { code, out, err } = await finished;
      expect([code, out]).toEqual([130, ""]);
      expect(err).toContain("Interrupted. The run is kept in descend.state; --resume goes on with it.");
      expect(readdirSync(cwd)).toEqual(["descend.state"]);

      const words = ["descend", "--steps", "100000", "--resume", "--output", "height.txt"];
      const again = await offprint.run(words, cwd);
      expect(again.code).toBe(0);
      expect(stepOf(again.err)).toBeGreaterThanOrEqual(20);
      expect(readdirSync(cwd)).toEqual(["height.txt"]);
      expect(height(cwd)).toBe(await whole(100000));
    },
  );

  it("that makes no pause is ended all the same, and keeps what was saved last", async () => {
    const cwd = offprint.folder();
    const words = [...endless, "--stubborn", "--checkpoint", "0.000001"];
    const { child, shows, finished } = offprint.start(words, cwd);
    await shows(/no pause from here on/);
    child.kill("SIGINT");
    const { code, err } = await finished;
    expect(code).toBe(130);
    expect(err).toContain("Interrupted. The run as it was last saved is in descend.state; --resume goes on with it.");
    const again = await offprint.run(["descend", "--steps", "50", "--resume"], cwd);
    expect(again.code).toBe(0);
    expect(stepOf(again.err)).toBeGreaterThan(0);
  });

  it("that is killed loses what came after the last saving only, and leaves nothing half-written", async () => {
    const cwd = offprint.folder();
    const { child, shows, finished } = offprint.start([...endless, "--checkpoint", "0.000001"], cwd);
    await shows(/at step 20/);
    child.kill("SIGKILL");
    await finished;
    expect(decodeFrame(readFileSync(join(cwd, "descend.state")))).toMatchObject({ command: "descend" });
    // The process that computes notices that nobody waits for it, and ends.
    const words = ["descend", "--steps", "100000", "--resume", "--output", "height.txt"];
    const again = await offprint.run(words, cwd);
    expect(again.code).toBe(0);
    expect(stepOf(again.err)).toBeGreaterThan(0);
    expect(height(cwd)).toBe(await whole(100000));
  });

  it("keeps the state in the file that is named, also at the end, so that more steps can follow", async () => {
    const cwd = offprint.folder();
    const words = ["descend", "--state", "mine.json", "--output", "height.txt"];
    expect((await offprint.run([...words, "--steps", "10"], cwd)).code).toBe(0);
    expect(existsSync(join(cwd, "mine.json"))).toBe(true);
    const more = await offprint.run([...words, "--steps", "30", "--resume"], cwd);
    expect([more.code, stepOf(more.err)]).toEqual([0, 10]);
    expect(height(cwd)).toBe(await whole(30));
  });
});

describe("offprint bench", () => {
  it("is ended by Ctrl-C", async () => {
    const log = join(offprint.folder(), "log");
    const { child, finished } = offprint.start(["bench", "bowl", "--device", "host"], offprint.folder(), {
      OFFPRINT_FIXTURE_LOG: log,
      OFFPRINT_FIXTURE_GATE: "never",
    });
    await expect.poll(() => existsSync(log) && readFileSync(log, "utf8")).toContain("patience-pays");
    child.kill("SIGINT");
    expect(await finished).toEqual({ code: 130, out: "", err: "Interrupted.\n" });
  });
});
