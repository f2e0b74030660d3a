import { expect, it } from "vitest";
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
