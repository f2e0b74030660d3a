import { join } from "node:path";
import { bundlePage, chromium, needsChromium, runPage } from "@offprint/testing";
import { describe, expect, it } from "vitest";

const here = import.meta.dirname;
const scripts = () =>
  bundlePage({
    page: join(here, "fixtures", "page.ts"),
    thread: join(here, "..", "src", "threads", "thread-main.ts"),
    jobs: join(here, "fixtures", "page-jobs.ts"),
  });

describe.skipIf(chromium === undefined)(`in a page ${needsChromium}`, () => {
  const isolation = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

  it.each([
    ["with shared memory", isolation, true],
    ["without it, where what never yields is ended with its worker", {}, false],
  ])("jobs and teams run on module workers, %s", async (_, headers, isolated) => {
    expect(await runPage(await scripts(), { headers })).toEqual({
      products: [[[2]], [[4]], [[6]]],
      late: ["JobTimeoutError"],
      values: [
        [10, 20],
        [11, 21],
      ],
      nats: "UnsupportedError",
      isolated,
    });
  });
});
