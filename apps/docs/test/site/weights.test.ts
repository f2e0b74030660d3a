import type { Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServedSite, servedSite } from "../built-site.js";
import { launchChromium, needsChromium, openPage } from "../chromium.js";

const browser = await launchChromium();

/** What pages may transfer, in kB: home has all pictures in both colours of a visitor's setting, the playground the core. */
const heaviest: Readonly<Record<string, number>> = { home: 600, playground: 900 };

describe.skipIf(!browser)(`the site in Chromium${browser ? "" : ` [${needsChromium}]`}`, () => {
  let site: ServedSite;
  beforeAll(async () => {
    site = await servedSite("weights");
  }, 900_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it("is light: what a page transfers, compressed, before anything is pressed", async () => {
    const weights: Record<string, number> = {};
    for (const address of ["", "methods/diffgrad", "api/optim", "gallery", "benchmark", "playground"]) {
      const page = await openPage(browser!, { viewport: { width: 1280, height: 800 } });
      const finished: Request[] = [];
      page.on("requestfinished", (request) => finished.push(request));
      await page.goto(site.address + address, { waitUntil: "networkidle" });
      // Those of now: what comes later, on a busy machine, may end when the page is closed.
      const sizes = await Promise.all([...finished].map((request) => request.sizes()));
      const total = sizes.reduce((sum, size) => sum + size.responseBodySize + size.responseHeadersSize, 0);
      weights[address || "home"] = Math.round(total / 1000);
      await page.context().close();
    }
    console.log("page weights, kB:", weights);
    for (const [address, kilobytes] of Object.entries(weights)) {
      expect(kilobytes, address).toBeLessThan(heaviest[address] ?? heaviest["home"]!);
    }
  });
});
