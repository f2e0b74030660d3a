import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { workloads } from "../../src/benchmark/workloads.js";
import { type ServedSite, servedSite } from "../built-site.js";
import { goTo, launchChromium, needsChromium, openPage } from "../chromium.js";

const browser = await launchChromium();

describe.skipIf(!browser)(`the benchmark's page in Chromium${browser ? "" : ` [${needsChromium}]`}`, () => {
  let site: ServedSite;
  beforeAll(async () => {
    site = await servedSite("benchmark");
  }, 900_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it("loads the libraries when asked, measures all of them with equal results, and raises no error", async () => {
    const page = await openPage(browser!);
    const [problems, asked]: [string[], string[]] = [[], []];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => asked.push(request.url()));
    await goTo(page, `${site.address}benchmark`, "networkidle");
    expect(asked.filter((url) => url.includes("/live/"))).toEqual([]);
    await page.getByLabel("How long").selectOption({ label: "a quick look (about 5 seconds)" });
    await page.getByRole("button", { name: "Measure" }).click();
    await page.waitForFunction(() =>
      /^(Measured|Failed)/.test(document.querySelector(".benchmark .status")?.textContent ?? ""),
    );
    expect(await page.getByRole("status").textContent()).toContain("Measured");
    const rows = await page
      .locator(".benchmark tbody tr")
      .evaluateAll((all) =>
        all.map((row) =>
          [...row.querySelectorAll("td")].slice(1).map((cell) => cell.textContent.replace(/\s+/g, " ").trim()),
        ),
      );
    expect(rows.length).toBe(workloads.length);
    for (const [place, cells] of rows.entries()) {
      for (const cell of cells.slice(0, 3)) expect(cell, workloads[place]!.id).toMatch(/^[\d.]+ (µs|ms)/);
      const runsGraphsOnly = ["chain", "product"].includes(workloads[place]!.id);
      expect(cells[3]).toMatch(runsGraphsOnly ? /^[\d.]+ (µs|ms)/ : /no gradients of its own/);
    }
    expect(asked.filter((url) => url.startsWith("http") && !url.startsWith(site.address))).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});
