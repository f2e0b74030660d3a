import { expect, it } from "vitest";
import { answered } from "../src/nats/streams.js";
import { afterPatience } from "../src/patience.js";

const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

it("a thread that stands still loses no patience: what came meanwhile is heard first", async () => {
  let over = false;
  afterPatience(100, () => {
    over = true;
  });
  standStill(300);
  await new Promise((resolve) => setImmediate(resolve));
  expect(over).toBe(false);
  await expect.poll(() => over).toBe(true);
});

it("patience that is ended never runs out", async () => {
  const out: string[] = [];
  const end = afterPatience(10, () => out.push("ended"));
  end();
  await new Promise<void>((resolve) => afterPatience(10, resolve));
  expect(out).toEqual([]);
});

it("what the server does not answer is asked again: this program may have stood still; a refusal is one", async () => {
  const failures = ["TimeoutError", "NoRespondersError"].map((name) => Object.assign(new Error(name), { name }));
  const ask = async () => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    return "answer";
  };
  expect(await answered(ask)).toBe("answer");
  await expect(answered(() => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
});
