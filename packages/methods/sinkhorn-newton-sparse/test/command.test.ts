import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
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

const run = (source: string, target: string, given: Record<string, string | number> = {}) =>
  runWords(commands, "transport-mass", { source, target, ...given });

/** What is printed beside a label. */
function printed(out: string, label: string): number {
  const line = out.split("\n").find((each) => each.startsWith(label));
  return Number(line?.split(/\s+/).at(-1));
}

describe("offprint transport-mass", () => {
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
    const files = { output: at("plan.npy"), potentials: at("dual.npz"), json: at("out.json") };
    const { code, out } = await run(source, target, { eta: 100, ...files });
    expect(code).toBe(0);
    // The largest squared distance is 2.5^2 + 1.5^2.
    const cost = costMatrix(points, others);
    const expected = await sinkhornNewtonSparse({ cost }, { eta: 100 / 8.5 });
    expect(out).toMatch(/^a\.csv -> b\.csv: 4 x 3\n/);
    expect(printed(out, "cost <C, P>")).toBeCloseTo(expected.cost, 12);
    expect(distance(readNpy(readFileSync(files.output)), expected.plan)).toBeLessThan(1e-12);
    const { x, y } = readNpz(readFileSync(files.potentials)) as Record<string, Tensor>;
    expect(distance(x, expected.x)).toBeLessThan(1e-11);
    expect(y.shape).toEqual([3]);
    const saved = JSON.parse(readFileSync(files.json, "utf8"));
    expect(saved.status).toBe("converged");
    expect(saved.cost).toBeCloseTo(expected.cost, 12);
    expect(saved.history.length).toBeGreaterThan(5);
  });

  it("moves points in any unit alike", async () => {
    for (const unit of [1e-200, 1e200]) {
      const scaled = (rows: number[][]) => csv(rows.map((row) => row.map((value) => value * unit)));
      const [source, target] = [put("a.csv", scaled(points)), put("b.csv", scaled(others))];
      const plain = await run(put("c.csv", csv(points)), put("d.csv", csv(others)), { eta: 100, metric: "euclidean" });
      const { code, out } = await run(source, target, { eta: 100, metric: "euclidean" });
      expect(code).toBe(0);
      expect(printed(out, "cost <C, P>") / unit / printed(plain.out, "cost <C, P>")).toBeCloseTo(1, 12);
    }
    const far = put("far.csv", "1e200,0\n");
    expect((await run(far, far)).code).toBe(0);
    expect((await run(far, put("far2.csv", "-1e200,0\n"))).err).toMatch(/squared distances are beyond floating point/);
  });

  it("takes a cost matrix with two histograms, with empty places and any total", async () => {
    const { cost } = randomProblem(1, 3, 4);
    const options = { cost: put("cost.npy", writeNpy(cost)), eta: 60, output: at("plan.csv") };
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
    const { out } = await run(put("a.png", image(0)), put("b.png", image(11)), { metric: "l1" });
    expect(printed(out, "cost <C, P>")).toBeCloseTo(5, 12);
  });

  it("says 1 when it has not converged, and refuses what it cannot read", async () => {
    const source = put("a.csv", csv(points));
    const target = put("b.csv", csv(others));
    expect((await run(source, target, { eta: 3000, maxIterations: 0 })).code).toBe(1);
    const short = await run(source, target, { eta: 1e6, maxIterations: 25 });
    expect(short.code).toBe(1);
    const counted =
      short.out
        .match(/(\d+) Sinkhorn, (\d+) Newton, (\d+) fallback/)
        ?.slice(1)
        .map(Number) ?? [];
    expect(counted.reduce((all, n) => all + n, 0)).toBe(25);
    const wrong = async (from: string, given: Record<string, string | number> = {}) =>
      (await run(from, target, given)).err;
    expect(await wrong(source, { metric: "cosine" })).toMatch(/--metric cannot be "cosine"/);
    expect(await wrong(put("a.txt", "1"))).toMatch(/a\.txt: give numbers as \.npy or \.csv/);
    expect(await wrong(put("bad.csv", "x\none\n"))).toMatch(/column x holds texts/);
    expect(await wrong(put("bad.npy", "nothing"))).toMatch(/bad\.npy/);
    expect(await wrong(put("empty.csv", ""))).toMatch(/empty\.csv: it holds no numbers/);
    expect(await wrong(put("names.csv", "x,y\n"))).toMatch(/names\.csv: it holds no numbers/);
    expect(await wrong(put("gap.csv", "1,2\n3,\n"))).toMatch(
      /gap\.csv: the number at place 4 is missing or not finite/,
    );
    expect(await wrong(put("wide.csv", "1,2,3,4,5\n"))).toMatch(/points of --source have 5 coordinates and those of/);
    expect(await wrong(source, { sourceMasses: put("m.csv", "1\n") })).toMatch(
      /m\.csv: 1 masses for the \d+ points of/,
    );
    expect(await wrong(source, { sourceMasses: put("m.csv", "1\n-1\n1\n1\n") })).toMatch(/m\.csv: masses must be/);
    const cost = put("cost.csv", "1,2\n");
    expect(await wrong(source, { cost, metric: "l1" })).toMatch(
      /--metric would do nothing, as --cost is taken as it is/,
    );
    expect(await wrong(at("missing.csv"))).toMatch(/there is no such file/);
    expect(await wrong(source, { output: at("plan.txt") })).toMatch(/must end in \.npy, \.csv/);
  });
});

it("goes on after an interruption to the same plan", async () => {
  const { cost } = randomProblem(2, 6, 6);
  const even = (name: string) => put(name, "1\n1\n1\n1\n1\n1\n");
  const words = {
    source: even("even.csv"),
    target: even("uniform.csv"),
    cost: put("cost.npy", writeNpy(cost)),
    eta: 60,
  };
  const settings = { output: at("resumed.csv"), state: at("state.json"), interruptAt: 0.05 };
  const [whole, parts] = await runInTwo(commands, "transport-mass", words, settings);
  expect(parts).toEqual(whole);
});
