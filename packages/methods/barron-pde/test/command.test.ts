import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { writeNpy } from "@offprint/data";
import { loadModel } from "@offprint/onnx-runtime";
import { tensor } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { SparseFourier } from "../src/index.js";

const folder = temporaryFolder("solve elliptic");
const file = (name: string) => join(folder, name);
const solve = (...words: string[]) => runWords(commands, "solve-elliptic", words);

it("solves an equation from a list of cosines, and writes the solution and its network", async () => {
  writeFileSync(
    file("f.json"),
    JSON.stringify({
      cosines: [
        { k: [1, 1], a: 20 },
        { k: [2, 0], a: 9, theta: 1 },
      ],
      constant: 1,
    }),
  );
  const { code, out } = await solve(
    file("f.json"),
    "--beta",
    "1",
    "--output",
    file("u.json"),
    "--network",
    file("u.onnx"),
  );
  expect(code).toBe(0);
  expect(Number(/certified H1 error +(.+)/.exec(out)?.[1])).toBeLessThan(0.05);
  expect(out).not.toMatch(/\u2212/);
  expect(out).toMatch(/worst case \d+(\.\d+)?(e\+?\d+)?\)/);
  const found = JSON.parse(readFileSync(file("u.json"), "utf8"));
  const { dimension, constant, period } = found;
  const u = SparseFourier.cosines(found.cosines, { dimension, constant, period });
  expect([found.status, found.vanishesOnCube]).toEqual(["converged", false]);
  expect(found.budget.descent + found.budget.truncation + found.budget.draw).toBeLessThan(0.05 * 1.1);
  const model = await loadModel(file("u.onnx"));
  const { y } = await model.run({ x: tensor([[0.2, 0.6]]) });
  await model.release();
  expect(Math.abs(Number(y.data()[0]) - u.evaluate([0.2, 0.6]).item())).toBeLessThan(0.3);
});

it("reads sines, whose solution vanishes on the cube, and samples", async () => {
  writeFileSync(file("s.json"), JSON.stringify({ sines: [{ k: [1, 2], b: 9 }] }));
  expect((await solve(file("s.json"), "--beta", "0.5", "-o", file("s-out.json"))).code).toBe(0);
  expect(JSON.parse(readFileSync(file("s-out.json"), "utf8")).vanishesOnCube).toBe(true);
  const samples = Float64Array.from({ length: 16 }, (_, i) => 3 * Math.cos((2 * Math.PI * i) / 16));
  writeFileSync(file("f.npy"), writeNpy(tensor(samples, { dtype: "float64" })));
  expect((await solve(file("f.npy"), "-o", file("n.json"))).code).toBe(0);
  const { cosines } = JSON.parse(readFileSync(file("n.json"), "utf8"));
  expect(cosines).toHaveLength(1);
  expect(cosines[0].a).toBeCloseTo(3 / (1 + 4 * Math.PI ** 2), 10);
});

it("leaves 0 where the cube is much larger than the rest", async () => {
  writeFileSync(file("strong.json"), JSON.stringify({ cosines: [{ k: [1, 0], a: 1e4 }] }));
  await solve(file("strong.json"), "--beta", "1", "--max-iterations", "60", "-o", file("strong-out.json"));
  const { cosines, budget } = JSON.parse(readFileSync(file("strong-out.json"), "utf8"));
  // u + 4 pi^2 u + u^3 = f has u near the cube root of 4/3 of f.
  expect(cosines[0].a).toBeGreaterThan(15);
  expect(cosines[0].a).toBeLessThan(30);
  expect(budget.descent).toBeLessThan(1000);
});

it("comes to a solution that is far from the linear one, as near as a part of its own size", async () => {
  writeFileSync(
    file("steep.json"),
    JSON.stringify({
      cosines: [
        { k: [1, 0], a: 1e3 },
        { k: [1, 1], a: 1e3, theta: 0.5 },
      ],
    }),
  );
  const { code } = await solve(file("steep.json"), "--beta", "1", "-o", file("steep-out.json"));
  const { status, cosines, budget, period } = JSON.parse(readFileSync(file("steep-out.json"), "utf8"));
  expect([code, status]).toEqual([0, "converged"]);
  const u = SparseFourier.cosines(cosines, { period });
  expect(budget.descent + budget.truncation + budget.draw).toBeLessThan(0.05 * 1.12 * u.l2());
  const left = u.add(u.multiply(u, 0).multiply(u, 0)).l2();
  expect(left).toBeGreaterThan(10 * u.l2());
  const stopped = await solve(file("steep.json"), "--beta", "1", "--max-iterations", "50");
  expect([stopped.code, stopped.err]).toEqual([1, expect.stringMatching(/steps are .* long.* --max-iterations/)]);
});

it("refuses a period beside the file's own, and says how many neurons are too many", async () => {
  const put = (content: unknown) => writeFileSync(file("own.json"), JSON.stringify(content));
  put({ cosines: [{ k: [1], a: 1 }] });
  expect((await solve(file("own.json"), "--period", "1e-300")).err).toMatch(
    /--period must be a number of at least 1e-9/,
  );
  put({ cosines: [{ k: [1], a: 1 }], period: 2 });
  expect((await solve(file("own.json"), "--period", "3")).err).toMatch(
    /--period would do nothing, as .*own\.json says/,
  );
  put({ sines: [{ k: [1], b: 1 }] });
  expect((await solve(file("own.json"), "--period", "3")).err).toMatch(/--period would do nothing/);
  put({ cosines: [{ k: [1, 0], a: 2 }] });
  const words = ["--activation", "step", "--accuracy", "0.0001"];
  expect(await solve(file("own.json"), ...words)).toMatchObject({ code: 0, out: expect.stringMatching(/too many/) });
  expect(await solve(file("own.json"), ...words, "--network", file("large.onnx"))).toMatchObject({
    code: 2,
    err: expect.stringMatching(/a network of \d+ neurons is not drawn; give a larger --accuracy/),
  });
});

it("says what is wrong, and answers with its exit code where the descent did not end", async () => {
  writeFileSync(file("bad.json"), "{");
  writeFileSync(file("none.json"), "{}");
  expect(await solve(file("bad.json"))).toMatchObject({ code: 2, err: expect.stringContaining("is no JSON") });
  expect(await solve(file("none.json"))).toMatchObject({
    code: 2,
    err: expect.stringContaining('neither "cosines" nor "sines"'),
  });
  writeFileSync(file("zero.json"), JSON.stringify({ cosines: [{ k: [1], a: 0 }] }));
  expect(await solve(file("zero.json"))).toMatchObject({ code: 2, err: expect.stringContaining("f is 0") });
  writeFileSync(file("large.json"), JSON.stringify({ cosines: [{ k: [1], a: 50 }] }));
  expect((await solve(file("large.json"), "--beta", "1", "--max-iterations", "2")).code).toBe(1);
});

it("reads a file that begins with a byte order mark, and refuses what it would read wrongly", async () => {
  const given = (content: unknown, mark = "") => {
    writeFileSync(file("given.json"), `${mark}${JSON.stringify(content)}`);
    return solve(file("given.json"));
  };
  const cosines = [{ k: [1], a: 1 }];
  expect((await given({ cosines }, "\ufeff")).code).toBe(0);
  const refused: [unknown, RegExp][] = [
    [{ sines: [{ k: [1], b: 1 }], cosines }, /"sines" and "cosines"/],
    [{ sines: [{ k: [1], b: 1 }], period: 1 }, /"sines" and "period"/],
    [{ cosines: [{ k: [1e12], a: 1 }] }, /entries are 2147483647 at most/],
    [{ cosines: [{ a: 1 }] }, /terms\[0\]\.k is missing/],
    [{ cosines: [], constant: 3 }, /terms is empty/],
    [{ cosines: [{ k: [1], a: 1e-160 }] }, /other units/],
    [{ cosines: [{ k: [1], a: 1e200 }] }, /other units/],
  ];
  for (const [content, message] of refused) {
    expect(await given(content)).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  }
});
