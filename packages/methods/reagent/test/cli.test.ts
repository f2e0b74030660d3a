import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadModel, onnxRuntime } from "@offprint/onnx-runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const [attribute] = commands;
const fixture = (path: string) => fileURLToPath(new URL(`./fixtures/${path}`, import.meta.url));
const backend = await onnxRuntime().catch(() => undefined);
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reagent-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function call(given: Record<string, unknown>, more: object = { loadModel }) {
  const lines: string[] = [];
  const defaults = Object.fromEntries((attribute.options ?? []).map((o) => [o.name, o.default]));
  const files = { output: join(folder, "map.html"), json: join(folder, "map.json") };
  await attribute.run({
    arguments: {},
    options: { ...defaults, "max-steps": 40, ...files, ...given } as never,
    print: (line) => lines.push(line),
    onProgress: () => {},
    signal: new AbortController().signal,
    backend: async () => backend,
    ...more,
  });
  return { lines, html: await readFile(files.output, "utf8"), json: JSON.parse(await readFile(files.json, "utf8")) };
}

describe("offprint attribute", () => {
  it("explains the example of the small model by default: the capital, by the country", async () => {
    const { lines, html, json } = await call({ "max-steps": 100, keep: 3 });
    expect(lines[0]).toMatch(/^"lima" \(0\.\d+\): "peru"/);
    expect(html).toContain("<q>lima</q>");
    expect(html).not.toMatch(/(src|href)=/);
    expect(json.tokens[0].text).toBe(" <bos>");
    expect(html).toContain("&lt;bos&gt;");
    expect(json.explained[0].importance.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 9);
    expect(json.explained[0].importance.length).toBe(json.promptLength);
  });

  it("explains a folder of optimum by another one, token after token, with a map of all", async () => {
    const given = { model: fixture("gpt2"), replacer: fixture("roberta"), prompt: "the old lamp was", tokens: 3 };
    const { html, json } = await call({ ...given, "max-steps": 5 });
    expect(json.explained.length).toBe(3);
    expect(json.explained.map((token: { importance: number[] }) => token.importance.length)).toEqual(
      [0, 1, 2].map((k) => json.promptLength + k),
    );
    expect(
      json.tokens
        .slice(0, json.promptLength)
        .map((t: { text: string }) => t.text)
        .join(""),
    ).toBe("the old lamp was");
    expect(html).toContain("<svg");
  });

  it.each(["uniform", "causal", "part-of-speech", fixture("bert")])("takes replacements from %s", async (replacer) => {
    const given = { model: fixture("gpt2"), replacer, prompt: "the old lamp was late", "max-steps": 3, target: " for" };
    const { json } = await call(given);
    expect(json.explained.length).toBe(1);
    expect(" for".startsWith(json.explained[0].text)).toBe(true);
  });

  it("says what is wrong", async () => {
    await expect(call({ prompt: "when my plane landed" })).rejects.toThrow(/"plane" is not among the 172 words/);
    await expect(call({ replacer: "gpt" })).rejects.toThrow(/with --model tiny it must be tiny, uniform/);
    await expect(call({ model: fixture("gpt2") })).rejects.toThrow(/--prompt is missing/);
    await expect(call({ model: fixture("missing"), prompt: "a" })).rejects.toThrow(/neither tokenizer.json nor/);
    await expect(call({ model: fixture("gpt2"), prompt: "a" }, {})).rejects.toThrow(/install @offprint\/onnx-runtime/);
    await expect(call({ ratio: 2 })).rejects.toThrow(/ratio is 2/);
  });
});
