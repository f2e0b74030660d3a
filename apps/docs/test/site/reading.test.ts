import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServedSite, servedSite } from "../built-site.js";
import { goTo, launchChromium, needsChromium, openPage, problemsOf, withoutPrefetch } from "../chromium.js";
import { KeptVisits, keptAt } from "../kept-visits.js";

const browser = await launchChromium();

const desktop = { width: 1280, height: 800 };

/** Pages whose content comes with their scripts: their markup does not tell whether they are the same. */
const alive = new Set(["benchmark", "playground"]);

describe.skipIf(!browser)(`reading the site in Chromium${browser ? "" : ` [${needsChromium}]`}`, () => {
  let site: ServedSite;
  beforeAll(async () => {
    site = await servedSite("reading");
  }, 900_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  async function open(colorScheme: "light" | "dark" = "light") {
    const page = await openPage(browser!, { viewport: desktop, colorScheme });
    await withoutPrefetch(page.context());
    return { page, problems: problemsOf(page, site.address), close: () => page.context().close() };
  }

  async function visit(page: Page, address: string): Promise<void> {
    await page.goto(site.address + address, { waitUntil: "load" });
    await page.locator(".VPContent").waitFor();
  }

  it("turns dark and light again as the reader's setting does", async () => {
    const { page, close } = await open();
    await visit(page, "methods/diffgrad");
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForFunction(
        (dark) => document.documentElement.classList.contains("dark") === dark,
        colorScheme === "dark",
      );
    }
    await close();
  });

  it("narrows the list of methods down as one types", async () => {
    const { page, close } = await open();
    await goTo(page, `${site.address}methods/`);
    const field = page.getByLabel("Find a method");
    const links = page.locator(".method-list li a");
    const all = await links.count();
    for (const words of ["diffGrad: An Optimization", "chakraborty", "FRICTION"]) {
      await field.fill(words);
      expect(await links.evaluateAll((all) => all.map((a) => a.getAttribute("href")))).toContain("/methods/diffgrad");
      expect(await links.count()).toBeLessThan(all);
    }
    await field.fill("no method has these words");
    expect(await links.count()).toBe(0);
    expect(await page.getByRole("status").textContent()).toContain("0 of");
    await close();
  });

  it("leads from a method's card to its API", async () => {
    const { page, close } = await open();
    await visit(page, "methods/diffgrad");
    expect(await page.locator(".offprint-card").getByRole("link", { name: "API" }).getAttribute("href")).toBe(
      "/api/diffgrad",
    );
    await close();
  });

  it("shows every picture of the gallery, and leads from it to the playground", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page, problems, close } = await open(colorScheme);
      await visit(page, "gallery");
      const shown = await page.evaluate(async () => {
        const images = [...document.querySelectorAll<HTMLImageElement>("ul.gallery img")];
        const visible = images.filter((image) => getComputedStyle(image).display !== "none");
        for (const image of visible) image.loading = "eager";
        await Promise.all(visible.map((image) => image.decode()));
        return visible.map(({ src, naturalWidth }) => ({ src, naturalWidth }));
      });
      await visit(page, "methods/");
      expect(shown.length).toBeGreaterThanOrEqual(await page.locator(".method-list li a").count());
      for (const { src, naturalWidth } of shown) {
        expect(src).toContain(`.${colorScheme}.svg`);
        expect(naturalWidth, src).toBeGreaterThan(0);
      }
      expect(problems).toEqual([]);
      await close();
    }
  });

  it("has no picture whose texts leave it, whichever font the reader has", async () => {
    const { page, close } = await open();
    await visit(page, "gallery");
    const wrong = await page.evaluate(async () => {
      const addresses = [...document.querySelectorAll<HTMLImageElement>("ul.gallery img")].map(({ src }) => src);
      const place = document.body.appendChild(document.createElement("div"));
      const found: string[] = [];
      for (const address of addresses.filter((each) => each.includes(".light."))) {
        const picture = await (await fetch(address)).text();
        for (const family of ["system-ui", "DejaVu Sans", "Liberation Sans"]) {
          place.innerHTML = picture.replaceAll(/font-family:[^;}]*/g, `font-family:${family}`);
          const { width } = place.querySelector("svg")!.viewBox.baseVal;
          for (const text of place.querySelectorAll("text")) {
            const box = text.getBBox();
            if (box.x < -2 || box.x + box.width > width + 2) found.push(`${address}: "${text.textContent}"`);
          }
        }
      }
      place.remove();
      return found;
    });
    expect(wrong).toEqual([]);
    await close();
  });

  it("opens a README's program in the playground", async () => {
    const { page, close } = await open();
    await goTo(page, `${site.address}methods/diffgrad`);
    await page.getByRole("link", { name: "Open in the playground" }).first().click();
    await page.waitForURL("**/playground#readme/diffgrad/1");
    await page.getByRole("heading", { name: "@offprint/diffgrad" }).waitFor();
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByText("Finished in").waitFor();
    await close();
  });

  it("has a first stop for the keyboard that skips the navigation", async () => {
    const { page, close } = await open();
    await goTo(page, site.address);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Skip to content");
    await close();
  });

  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  for (const colorScheme of ["light", "dark"] as const) {
    it(`has no accessibility fault that axe finds, in the ${colorScheme} setting`, async () => {
      const { page, close } = await open(colorScheme);
      const kept = new KeptVisits<true>(keptAt(`accessible-${colorScheme}`));
      const faults: string[] = [];
      for (const address of [
        "",
        "methods/",
        "methods/diffgrad",
        "guides/getting-started",
        "gallery",
        "compare",
        "benchmark",
        "playground",
        "api/optim",
        "api/bib/adaptive-rate",
        "methods/bib",
        "packages/graph",
      ]) {
        const key = kept.keyOf(address);
        if (!alive.has(address) && kept.get(key)) {
          // It is asked for, too: what these tests find depends on it.
          await fetch(site.address + address);
          continue;
        }
        await goTo(page, site.address + address, "networkidle");
        await page.evaluate(axe);
        const violations = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: any[] }> } };
          // The search button's name omits the key shown beside it, and CodeMirror scrolls with the cursor of its textbox.
          const result = await axe.run({
            resultTypes: ["violations"],
            rules: {
              "label-content-name-mismatch": { enabled: false },
              "scrollable-region-focusable": { enabled: false },
            },
          });
          return result.violations.map(
            ({ id, nodes }) =>
              `${id}: ${nodes
                .slice(0, 3)
                .map((node: any) => node.html.slice(0, 160))
                .join(" | ")}`,
          );
        });
        faults.push(...violations.map((fault) => `${address || "home"}: ${fault}`));
        if (violations.length === 0) kept.set(key, true);
      }
      await close();
      kept.save();
      expect(faults).toEqual([]);
    });
  }
});
