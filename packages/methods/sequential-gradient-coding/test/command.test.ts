import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { random } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { drawDelays, gilbertElliott, selectParameters } from "../src/index.js";

const folder = temporaryFolder("plan redundancy");

function recorded(): [file: string, delays: number[][]] {
  const rng = random.rng(1);
  const delays = drawDelays(rng, gilbertElliott(rng, { workers: 6, rounds: 30, slowing: 0.05, recovery: 0.8 }));
  const file = join(folder, "delays.csv");
  const lines = delays.flatMap((row, worker) => row.map((seconds, round) => `${round},${worker},${seconds}`));
  writeFileSync(file, `round,worker,seconds\n${lines.reverse().join("\n")}\n`);
  return [file, delays];
}

it("a table of recorded times becomes a scheme with its parameters", async () => {
  const [table, delays] = recorded();
  const output = join(folder, "plan.json");
  const words = [
    "--table",
    table,
    "--work",
    "5",
    "--max-window",
    "4",
    "--max-lambda",
    "3",
    "--max-delay",
    "3",
    "--output",
    output,
  ];
  const { code, out } = await runWords(commands, "plan-redundancy", words);
  expect(code).toBe(0);
  const { best } = await selectParameters(delays, { alpha: 5, maxWindow: 4, maxLambda: 3, maxDelay: 3 });
  expect(JSON.parse(readFileSync(output, "utf8")).best).toEqual(best);
  expect(out).toContain("6 workers, 30 rounds");
  expect(out).toContain(`models to train side by side`);
});

it("from times at several loads it finds what work costs", async () => {
  const [, delays] = recorded();
  const table = join(folder, "loads.csv");
  const lines = [0.25, 0.5].flatMap((load) =>
    delays.flatMap((row, worker) => row.map((seconds, round) => `${worker},${round},${load},${seconds + 5 * load}`)),
  );
  writeFileSync(table, `worker,round,load,seconds\n${lines.join("\n")}\n`);
  const output = join(folder, "loads.json");
  const limits = ["--max-window", "4", "--max-lambda", "3", "--max-delay", "3"];
  const { code, out } = await runWords(commands, "plan-redundancy", ["--table", table, ...limits, "--output", output]);
  expect([code, out]).toEqual([
    0,
    expect.stringContaining("A full gradient takes 5.000 s on one worker, from 2 loads."),
  ]);
  // The times without work are those that were recorded.
  const { best } = await selectParameters(delays, { alpha: 5, maxWindow: 4, maxLambda: 3, maxDelay: 3 });
  const found = JSON.parse(readFileSync(output, "utf8")).best;
  expect(found.parameters).toEqual(best.parameters);
  expect(found.total).toBeCloseTo(best.total, 8);
});

it("a table without the columns is refused in one line", async () => {
  const table = join(folder, "other.csv");
  writeFileSync(table, "worker,time\n0,1\n");
  const { code, err } = await runWords(commands, "plan-redundancy", ["--table", table]);
  expect(code).toBe(2);
  expect(err).toContain('no column "round" of numbers');
  writeFileSync(table, "worker,round,seconds\n0,0,1\n0,1,1\n1,0,1\n");
  const gap = await runWords(commands, "plan-redundancy", ["--table", table]);
  expect([gap.code, gap.err]).toEqual([2, expect.stringContaining("other.csv: worker 1 has no time for round 1")]);
  writeFileSync(table, "worker,round,seconds\n0,0,1\n4000000000,0,1\n");
  const far = await runWords(commands, "plan-redundancy", ["--table", table]);
  expect([far.code, far.err]).toEqual([
    2,
    expect.stringContaining("other.csv: worker is 4000000000 and there are 2 times"),
  ]);
  writeFileSync(table, "worker,round,seconds\n0,0,1\n0,1,-1\n");
  const negative = await runWords(commands, "plan-redundancy", ["--table", table]);
  expect([negative.code, negative.err]).toEqual([2, expect.stringContaining("other.csv: time is -1")]);
});

it("refuses options of schemes that are not tried, and more jobs than rounds were recorded for", async () => {
  const [table] = recorded();
  const said = async (words: Record<string, string | number>) =>
    (await runWords(commands, "plan-redundancy", { table, ...words })).err;
  expect(await said({ schemes: "uncoded,gc", maxBurst: 3 })).toMatch(/--max-burst would do nothing, as no scheme of/);
  expect(await said({ schemes: "gc", maxWindow: 3, maxDelay: 2 })).toMatch(/--max-delay, --max-window would/);
  expect(await said({ jobs: 1e5, maxDelay: 2 })).toMatch(
    /^offprint: delays has \d+ rounds; 100000 jobs with a delay of 2 take 100002: give fewer jobs, or a smaller --max-delay\n/,
  );
});

it("goes on after an interruption to the same plan", async () => {
  const [table] = recorded();
  const words = { table, work: 5, maxWindow: 4, maxLambda: 3, maxDelay: 3 };
  const files = { output: join(folder, "resumed.json"), state: join(folder, "state.json"), interruptAt: 0.02 };
  const [whole, parts] = await runInTwo(commands, "plan-redundancy", words, files);
  expect(parts).toEqual(whole);
});

it("takes schemes to try by the hundred thousand", async () => {
  const delays = Array.from({ length: 8 }, () => new Float64Array(20).fill(1));
  const limits = { maxWindow: 30_000, maxDelay: 8, maxBurst: 2, maxLambda: 4 };
  const { status } = await selectParameters(delays, { ...limits, signal: AbortSignal.abort() });
  expect(status).toBe("aborted");
});
