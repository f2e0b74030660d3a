import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { loadModel } from "../src/index.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "forwardgnn-"));
});
afterAll(() => rm(folder, { recursive: true }));

type Given = Record<string, number | string>;

async function call(name: string, given: Given) {
  const { code, out, err } = await runWords(commands, name, { graph: "karate-club", ...given });
  expect([code, err]).toEqual([0, ""]);
  return out.trimEnd().split("\n");
}

describe("commands", () => {
  it("classify the members of the karate club, and write model and table", async () => {
    const files = { save: join(folder, "model.safetensors"), output: join(folder, "classes.csv") };
    const lines = await call("classify-nodes", { hidden: 16, epochs: 60, ...files });
    expect(lines[0]).toContain("34 nodes, 156 directed edges");
    expect(lines[1]).toMatch(/^method +sf$/);
    expect(lines[3]).toMatch(/^test nodes right +\d+\.\d\d %$/);
    const table = (await readFile(files.output, "utf8")).trim().split("\n");
    expect(table[0]).toBe("node,class,score instructor,score officers");
    expect(table.length).toBe(35);
    expect(loadModel(new Uint8Array(await readFile(files.save)))).toMatchObject({ method: "sf", classes: 2 });
  });

  it("predict the links of the karate club", async () => {
    const output = join(folder, "links.csv");
    const lines = await call("predict-links", { hidden: 16, epochs: 40, output });
    expect(lines[3]).toMatch(/^AUC on test links +\d+\.\d\d %$/);
    expect((await readFile(output, "utf8")).trim().split("\n").length).toBe(1 + 2 * 16);
  });

  it("go on after an interruption to the same predictions", async () => {
    for (const name of ["classify-nodes", "predict-links"]) {
      const words = { graph: "karate-club", hidden: 4, epochs: 6 };
      const [whole, parts] = await runInTwo(commands, name, words, {
        output: join(folder, "resumed.csv"),
        state: join(folder, "state.json"),
      });
      expect(parts).toEqual(whole);
    }
  });

  it("say what is wrong", async () => {
    const wrong = async (name: string, given: Given) =>
      (await runWords(commands, name, { graph: "karate-club", ...given })).err;
    expect(await wrong("classify-nodes", { method: "pepita" })).toMatch(/--method cannot be "pepita"/);
    expect(await wrong("classify-nodes", { convolution: "gin" })).toMatch(/Did you mean gcn\? Choices: gcn, sage, gat/);
    expect(await wrong("classify-nodes", { graph: join(folder, "missing") })).toMatch(/there is no such folder/);
    expect(await wrong("classify-nodes", { graph: "karate" })).toMatch(/Did you mean karate-club/);
    expect(await wrong("predict-links", { set: "cora" })).toMatch(/--set names a data set of a folder/);
    expect(await wrong("classify-nodes", { heads: 2 })).toMatch(/--heads would do nothing, as gcn has none/);
    expect(await wrong("predict-links", { convolution: "gat", hidden: 9 })).toMatch(
      /4 heads do not divide the width 9/,
    );
    const few = { graph: "karate-club", convolution: "gat", hidden: 9, heads: 3, epochs: 1 };
    expect((await runWords(commands, "predict-links", few)).code).toBe(0);
    const raw = { graph: "karate-club", rawFeatures: true };
    expect((await runWords(commands, "classify-nodes", raw)).err).toMatch(/--raw-features: each node of karate-club/);
    expect(await wrong("predict-links", { graph: folder })).toMatch(/holds no data set/);
  });
});
