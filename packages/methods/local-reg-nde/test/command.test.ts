import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readSafetensors } from "@offprint/data";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("learn dynamics");
const at = (name: string) => join(folder, name);
const table = at("series.csv");
const rows = Array.from({ length: 31 }, (_, i) => {
  const t = 0.2 * i;
  return `${t},${Math.exp(-0.2 * t) * Math.cos(2 * t)},${Math.exp(-0.2 * t) * Math.sin(2 * t)}`;
});
writeFileSync(table, `time,x,y\n${rows.join("\n")}\n`);
const figure = (out: string, label: string) => Number((out.match(new RegExp(`${label}\\s+(\\S+)`)) ?? [])[1]);

it("learns a damped oscillation from a table by every adjoint, writes network and plot", async () => {
  for (const adjoint of ["interpolating", "backsolve", "discrete"]) {
    const files = { output: at(`${adjoint}.safetensors`), plot: at("fit.svg") };
    const words = { table, steps: 100, learningRate: 0.03, hidden: 8, stretch: 5, adjoint, ...files };
    const { code, out } = await runWords(commands, "learn-dynamics", words);
    expect(code).toBe(0);
    expect(out).toMatch(/31 rows, 2 series: x, y/);
    expect(figure(out, "of the last step")).toBeLessThan(0.3 * figure(out, "loss of the first step"));
    const { tensors } = readSafetensors(new Uint8Array(readFileSync(files.output)));
    expect([tensors["w1"]?.shape, tensors["centre"]?.shape]).toEqual([[2, 8], [2]]);
    expect(readFileSync(files.plot, "utf8")).toMatch(/^<svg/);
  }
});

it("penalises one random time: a heavy weight makes the equation cheaper than none", async () => {
  const evaluations = async (lambda: number) => {
    const words = { table, steps: 60, learningRate: 0.03, hidden: 8, stretch: 0, tolerance: 1e-6, lambda };
    return figure((await runWords(commands, "learn-dynamics", words)).out, "evaluations for the whole series");
  };
  expect(await evaluations(1e5)).toBeLessThan(await evaluations(0));
});

it("goes on after an interruption to the same network", async () => {
  const words = { table, steps: 8, hidden: 4, columns: "x" };
  const files = { output: at("resumed.safetensors"), state: at("state.json") };
  const [whole, parts] = await runInTwo(commands, "learn-dynamics", words, files);
  expect(parts).toEqual(whole);
});

it("refuses options of a term that is left out", async () => {
  for (const words of [
    { mode: "none", samples: 3 },
    { mode: "none", lambda: 2 },
    { lambda: 0, regularize: "stiffness" },
  ]) {
    const { code, err } = await runWords(commands, "learn-dynamics", { table, steps: 1, ...words });
    expect([code, err]).toEqual([2, expect.stringMatching(/(--mode none|--lambda 0) leaves the local term out/)]);
  }
  expect((await runWords(commands, "learn-dynamics", { table, steps: 1, mode: "none" })).code).toBe(0);
});
