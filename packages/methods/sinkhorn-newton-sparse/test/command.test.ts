import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCsv, readNpy, readNpz, writeNpy, writePng } from "@offprint/data";
import { type Tensor, tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { costMatrix, sinkhornNewtonSparse } from "../src/index.js";
import { distance, randomProblem } from "./problems.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "offprint transport "));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
function put(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

async function run(source: string, target: string, options: Record<string, string | number | boolean> = {}) {
  const defaults = Object.fromEntries((commands[0].options ?? []).map((option) => [option.name, option.default]));
  const lines: string[] = [];
  const code = await commands[0].run({
    arguments: { source, target },
    options: { ...defaults, ...options },
    print: (line) => lines.push(line),
    onProgress: () => {},
    signal: new AbortController().signal,
    backend: async () => undefined,
  });
  return { code, lines };
}

describe("offprint transport", () => {
  const points = [
    [0, 0],
    [1, 0],
    [0, 1],
    [3, 2],
  ];
  const others = [
    [0.5, 0.5],
    [2, 2],
    [1, 1],
  ];
  const csv = (rows: number[][]) => rows.map((row) => row.join(",")).join("\n");

  it("moves points onto points and writes plan, potentials and history, in the points' units", async () => {
    const [source, target] = [put("a.csv", `x,y\n${csv(points)}\n`), put("b.csv", `${csv(others)}\n`)];
    const files = { plan: at("plan.npy"), potentials: at("dual.npz"), json: at("out.json") };
    const { code, lines } = await run(source, target, { eta: 100, ...files });
    expect(code).toBe(0);
    // The largest squared distance is 2.5^2 + 1.5^2.
    const cost = costMatrix(points, others);
    const expected = await sinkhornNewtonSparse({ cost }, { eta: 100 / 8.5 });
    expect(lines[0]).toBe("a.csv -> b.csv: 4 x 3");
    expect(Number(lines[1].split(/\s+/).at(-1))).toBeCloseTo(expected.cost, 12);
    expect(distance(readNpy(readFileSync(files.plan)), expected.plan)).toBeLessThan(1e-12);
    const { x, y } = readNpz(readFileSync(files.potentials)) as Record<string, Tensor>;
    expect(distance(x, expected.x)).toBeLessThan(1e-11);
    expect(y.shape).toEqual([3]);
    const saved = JSON.parse(readFileSync(files.json, "utf8"));
    expect(saved.status).toBe("converged");
    expect(saved.cost).toBeCloseTo(expected.cost, 12);
    expect(saved.history.length).toBeGreaterThan(5);
  });

  it("takes a cost matrix with two histograms, with empty places and any total", async () => {
    const { cost } = randomProblem(1, 3, 4);
    const options = { cost: put("cost.npy", writeNpy(cost)), eta: 60, plan: at("plan.csv") };
    const { code } = await run(put("r.csv", "2\n0\n6\n"), put("c.npy", writeNpy(tensor([1, 1, 1, 1]))), options);
    expect(code).toBe(0);
    const plan = readCsv(readFileSync(at("plan.csv"))).tensor(undefined, { dtype: "float64" });
    const expected = await sinkhornNewtonSparse({ cost, r: [0.25, 0, 0.75] }, { eta: 60, dropZeros: true });
    expect(distance(plan, expected.plan)).toBeLessThan(1e-12);
  });

  it("takes images, whose pixels are places and whose brightness is mass", async () => {
    const image = (place: number) =>
      writePng(
        tensor(
          Float32Array.from({ length: 12 }, (_, k) => (k === place ? 1 : 0)),
          { shape: [3, 4, 1] },
        ),
      );
    const { lines } = await run(put("a.png", image(0)), put("b.png", image(11)), { metric: "l1" });
    expect(Number(lines[1].split(/\s+/).at(-1))).toBeCloseTo(5, 12);
  });

  it("says 1 when it has not converged, and refuses what it cannot read", async () => {
    const source = put("a.csv", csv(points));
    const target = put("b.csv", csv(others));
    expect((await run(source, target, { eta: 3000, iterations: 0 })).code).toBe(1);
    await expect(run(source, target, { metric: "cosine" })).rejects.toThrow(/--metric is "cosine"/);
    await expect(run(put("a.txt", "1"), target)).rejects.toThrow(/a\.txt: give numbers as \.npy or \.csv/);
    await expect(run(put("bad.csv", "x\none\n"), target)).rejects.toThrow(/column x holds texts/);
    await expect(run(put("bad.npy", "nothing"), target)).rejects.toThrow(
      expect.objectContaining({ name: "FormatError" }),
    );
    await expect(run(source, target, { "source-masses": put("m.csv", "1\n-1\n1\n1\n") })).rejects.toThrow(
      /m\.csv: masses must be/,
    );
    await expect(run(at("missing.csv"), target)).rejects.toThrow(/cannot read/);
    await expect(run(source, target, { plan: at("plan.txt") })).rejects.toThrow(/name a \.npy or \.csv file/);
  });
});
