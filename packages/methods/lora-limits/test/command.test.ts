import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { writeNpy, writeSafetensors } from "@offprint/data";
import { concatenate, mul, random } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("judge lora");
const rng = random.rng("command");
const [weights, activations] = [join(folder, "model.safetensors"), join(folder, "x.npy")];
// The first of two heads has small weights, the second large ones.
const part = () => concatenate([mul(rng.normal([4, 2]), 0.1), mul(rng.normal([4, 2]), 6)], 1);
writeFileSync(weights, writeSafetensors({ "h.0.attn.c_attn.weight": concatenate([part(), part(), part()], 1) }));
writeFileSync(activations, writeNpy(rng.normal([3000, 4])));
const words = [weights, "--activations", activations, "--heads", "2"];

it("judges every head of a layer, and writes what it found", async () => {
  const output = join(folder, "report.json");
  const { code, out } = await runWords(commands, "judge-lora", [...words, "--output", output]);
  expect(out).toMatch(/head +0 +linear/);
  expect(out).toMatch(/head +1 +quadratic .*no polynomial/);
  expect(Number(/error of dW_Q at most, by a unit gradient +(.+)/.exec(out)?.[1])).toBeGreaterThan(0);
  expect(out).toMatch(/heads with an almost linear gradient +1 of 2/);
  expect(code).toBe(0);
  const [first, second] = JSON.parse(readFileSync(output, "utf8"));
  expect([first.verdict, second.verdict]).toEqual(["linear", "quadratic"]);
  expect(first.gamma).toBeLessThan(first.threshold);
  await runWords(commands, "judge-lora", [...words, "--output", output, "--center"]);
  const centred = JSON.parse(readFileSync(output, "utf8"));
  expect(centred[0].range).not.toBe(first.range);
  expect(centred[0].range).toBeCloseTo(first.range, 1);
});

it("answers with its exit code where no head is fit for it, and says what is wrong", async () => {
  expect((await runWords(commands, "judge-lora", [...words, "--head", "1"])).code).toBe(1);
  const wrong = await runWords(commands, "judge-lora", [...words, "--layer", "3"]);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("there is neither h.3.attn.c_attn.weight")]);
  const far = await runWords(commands, "judge-lora", [...words, "--head", "2"]);
  expect([far.code, far.err]).toEqual([2, expect.stringContaining("--head is 2; a layer of 2 heads has 0 to 1")]);
  const many = await runWords(commands, "judge-lora", [...words.slice(0, -1), "1000000000"]);
  expect([many.code, many.err]).toEqual([2, expect.stringContaining("1000000000 heads do not divide 4 columns")]);
  const alone = await runWords(commands, "judge-lora", [...words, "--alpha", "8"]);
  expect([alone.code, alone.err]).toEqual([2, expect.stringContaining("--alpha would do nothing, as it is of the")]);
});

it("scales an adapter as the adapter_config.json beside it says, unless told otherwise, and says how", async () => {
  const adapter = join(folder, "adapter_model.safetensors");
  const module = "base_model.model.h.0.attn.c_attn";
  writeFileSync(
    adapter,
    writeSafetensors({
      [`${module}.lora_A.weight`]: rng.normal([4, 4]),
      [`${module}.lora_B.weight`]: rng.normal([12, 4]),
    }),
  );
  const output = join(folder, "adapted.json");
  const judge = async (...more: string[]) => {
    const asked = [...words, "--head", "0", "--adapter", adapter, "--output", output, ...more];
    const { out, err } = await runWords(commands, "judge-lora", asked);
    expect(err).toBe("");
    const [{ gammas }] = JSON.parse(readFileSync(output, "utf8"));
    return { how: /adapter is scaled by +(.+)/.exec(out)?.[1], size: gammas.XBA_Q };
  };
  const plain = await judge();
  expect(plain.how).toBe("q 4 / 4, k 4 / 4, v 4 / 4; no adapter_config.json lies beside it");
  writeFileSync(join(folder, "adapter_config.json"), JSON.stringify({ r: 4, lora_alpha: 16, use_rslora: true }));
  const stable = await judge();
  expect(stable.how).toBe("q 16 / sqrt(4), k 16 / sqrt(4), v 16 / sqrt(4)");
  expect(stable.size / plain.size).toBeCloseTo(8, 5);
  const told = await judge("--scaling", "lora", "--alpha", "8");
  expect(told.how).toBe("q 8 / 4, k 8 / 4, v 8 / 4");
  expect(told.size / plain.size).toBeCloseTo(2, 5);
  writeFileSync(join(folder, "adapter_config.json"), "{");
  const damaged = await runWords(commands, "judge-lora", [...words, "--adapter", adapter]);
  expect([damaged.code, damaged.err]).toEqual([2, expect.stringContaining("adapter_config.json beside")]);
});

it("takes activations as a model gives them of one text, and one of several models by its prefix", async () => {
  const batch = join(folder, "batch.npy");
  writeFileSync(batch, writeNpy(random.rng("batch").normal([1, 3000, 4])));
  const several = join(folder, "several.safetensors");
  const joint = () => concatenate([part(), part(), part()], 1);
  writeFileSync(
    several,
    writeSafetensors({ "a.h.0.attn.c_attn.weight": joint(), "b.h.0.attn.c_attn.weight": joint() }),
  );
  const asked = [several, "--activations", batch, "--heads", "2"];
  const unclear = await runWords(commands, "judge-lora", asked);
  expect([unclear.code, unclear.err]).toEqual([2, expect.stringContaining("say by prefix which one is meant")]);
  const { code, out } = await runWords(commands, "judge-lora", [...asked, "--prefix", "b"]);
  expect([code, out]).toEqual([0, expect.stringMatching(/tokens +3000/)]);
});
