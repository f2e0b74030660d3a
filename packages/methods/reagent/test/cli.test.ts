import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runWords } from "@offprint/commands/testing";
import { loadModel, onnxRuntime } from "@offprint/onnx-runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const fixture = (path: string) =>
  fileURLToPath(new URL(`../../../core/language/test/fixtures/${path}`, import.meta.url));
const backend = await onnxRuntime().catch(() => undefined);
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reagent-"));
});
afterAll(() => rm(folder, { recursive: true }));

type Given = Record<string, number | string>;

const files = () => ({ output: join(folder, "map.html"), json: join(folder, "map.json") });

const run = (given: Given, more: object = { loadModel }) =>
  runWords(
    commands,
    "attribute-tokens",
    { maxIterations: 40, ...files(), ...given },
    { ...(backend && { backend }), ...more },
  );

async function call(given: Given) {
  const { code, out, err } = await run(given);
  expect([code, err]).toEqual([0, ""]);
  const { output, json } = files();
  return {
    lines: out.split("\n"),
    html: await readFile(output, "utf8"),
    json: JSON.parse(await readFile(json, "utf8")),
  };
}

describe("offprint attribute-tokens", () => {
  it("explains the example of the small model by default: the capital, by the country", async () => {
    const { lines, html, json } = await call({ maxIterations: 100, keep: 3 });
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
    const { html, json } = await call({ ...given, maxIterations: 5 });
    expect(json.settings.keepTopN).toBe(Math.min(5, Math.floor(json.promptLength / 2)));
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
    const given = {
      model: fixture("gpt2"),
      replacer,
      prompt: "the old lamp was late",
      maxIterations: 3,
      target: " for",
    };
    const { json } = await call(given);
    expect(json.explained.length).toBe(1);
    expect(" for".startsWith(json.explained[0].text)).toBe(true);
  });

  it("says so where the tokens that it keeps are the whole prompt, which tells nothing", async () => {
    const given = { model: fixture("gpt2"), replacer: "uniform", prompt: "the old lamp was", maxIterations: 2 };
    const { code, err } = await run({ ...given, keep: 20 });
    expect([code, err]).toEqual([0, expect.stringMatching(/--keep 20 covers the prompt: .* give a smaller one/)]);
  });

  it("is interrupted between tokens with its state kept, and goes on to the same numbers", async () => {
    const state = join(folder, "state.json");
    const given = { tokens: 2, maxIterations: 10, state };
    const controller = new AbortController();
    controller.abort();
    const first = await run(given, { loadModel, signal: controller.signal });
    expect([first.code, first.err]).toEqual([130, expect.stringContaining("The run is kept in")]);
    const words = { ...given, ...files(), resume: true };
    const again = await runWords(commands, "attribute-tokens", words, { ...(backend && { backend }), loadModel });
    expect(again.code).toBe(0);
    const resumed = await readFile(files().json, "utf8");
    await call({ tokens: 2, maxIterations: 10 });
    expect(resumed).toBe(await readFile(files().json, "utf8"));
  });

  it("says what is wrong", async () => {
    const wrong = async (given: Given, more?: object) => (await run(given, more)).err;
    expect(await wrong({ prompt: "when my plane landed" })).toMatch(/"plane" is not among the 172 words/);
    expect(await wrong({ replacer: "unifrom" })).toMatch(/there is no such folder\. Did you mean uniform\?/);
    expect(await wrong({ replacer: fixture("bert") })).toMatch(/with --model tiny it must be tiny, uniform/);
    expect(await wrong({ model: fixture("gpt2") })).toMatch(/--prompt is missing/);
    expect(await wrong({ model: fixture("missing"), prompt: "a" })).toMatch(/there is no such folder/);
    expect(await wrong({ model: folder, prompt: "a" })).toMatch(/neither tokenizer\.json nor/);
    expect(await wrong({ model: fixture("gpt2"), prompt: "a" }, {})).toMatch(/install @offprint\/onnx-runtime/);
    expect(await wrong({ target: "lima", tokens: 2 })).toMatch(/--tokens would do nothing/);
    expect(await wrong({ ratio: 2 })).toMatch(/--ratio must be a number above 0 and below 1/);
  });
});
