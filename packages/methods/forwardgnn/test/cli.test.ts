import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MethodCommand } from "@offprint/claims";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { loadModel } from "../src/index.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "forwardgnn-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function call(command: MethodCommand, graph: string, given: Record<string, unknown> = {}) {
  const lines: string[] = [];
  const defaults = Object.fromEntries((command.options ?? []).map((o) => [o.name, o.default]));
  await command.run({
    arguments: { graph },
    options: { ...defaults, ...given } as never,
    print: (line) => lines.push(line),
    onProgress: () => {},
    signal: new AbortController().signal,
    backend: async () => undefined,
  });
  return lines;
}

describe("commands", () => {
  const [classify, predict] = commands;

  it("classify the members of the karate club, and write model and table", async () => {
    const files = { save: join(folder, "model.safetensors"), output: join(folder, "classes.csv") };
    const lines = await call(classify, "karate-club", { hidden: 16, epochs: 60, ...files });
    expect(lines[0]).toContain("34 nodes, 156 directed edges");
    expect(lines[1]).toMatch(/^sf: \d+ epochs, \d+\.\d\d % of test nodes right$/);
    const table = (await readFile(files.output, "utf8")).trim().split("\n");
    expect(table[0]).toBe("node,class,score instructor,score officers");
    expect(table.length).toBe(35);
    expect(loadModel(new Uint8Array(await readFile(files.save)))).toMatchObject({ method: "sf", classes: 2 });
  });

  it("predict the links of the karate club", async () => {
    const output = join(folder, "links.csv");
    const lines = await call(predict, "karate-club", { hidden: 16, epochs: 40, output });
    expect(lines[1]).toMatch(/^ce: \d+ epochs, AUC on test links \d+\.\d\d %$/);
    expect((await readFile(output, "utf8")).trim().split("\n").length).toBe(1 + 2 * 16);
  });

  it("say what is wrong", async () => {
    await expect(call(classify, "karate-club", { method: "pepita" })).rejects.toThrow(/one of sf/);
    await expect(call(classify, "karate-club", { convolution: "gin" })).rejects.toThrow(/gcn, sage or gat/);
    await expect(call(classify, join(folder, "missing"))).rejects.toThrow(/cannot read the folder/);
    await expect(call(predict, folder)).rejects.toThrow(/holds no data set/);
  });
});
