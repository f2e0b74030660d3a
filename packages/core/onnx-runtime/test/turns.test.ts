import { expect, it } from "vitest";
import { Turns } from "../src/session/turns.js";

it("tasks start when those before them have ended, also badly", async () => {
  const turns = new Turns();
  const events: string[] = [];
  const task =
    (name: string, fail = false) =>
    async () => {
      events.push(`${name} starts`);
      await new Promise((done) => setTimeout(done, 3));
      events.push(`${name} ends`);
      if (fail) throw new Error(name);
      return name;
    };
  const results = await Promise.allSettled([turns.take(task("a")), turns.take(task("b", true)), turns.take(task("c"))]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(events).toEqual(["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
});
