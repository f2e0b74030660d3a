import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteFolder } from "../../serve.mjs";
import type { CatalogueEntry } from "../../src/pages/catalogue.js";
import { searchOf } from "../../src/search-index.js";
import { builtData, pageAddresses, servedSite } from "../built-site.js";
import { launchChromium, needsChromium, openPage } from "../chromium.js";
import { KeptVisits } from "../kept-visits.js";

const browser = await launchChromium();

interface Visit {
  readonly ids: readonly string[];
  readonly links: readonly string[];
  readonly width: number;
  /** Beginnings of code and tables that are wider than their place. */
  readonly cut: readonly string[];
  /** Labels of cells that reach into the next row. */
  readonly overlapping: readonly string[];
  /** What stands in it, without navigation. */
  readonly text: string;
}

/** A page seen on a phone, then on a wide screen, both in the dark setting. */
interface WideVisit extends Visit {
  readonly cutWhenWide: readonly string[];
  readonly widthWhenWide: number;
  /** Whether the page follows the setting. */
  readonly dark: boolean;
}

const phone = { width: 360, height: 740 };
const desktop = { width: 1280, height: 800 };

/** A file that keeps what was seen of pages. */
const keptAt = (name: string) => join(import.meta.dirname, `../../../../node_modules/.cache/offprint/${name}.json`);
/** Pages that a tab is shown: one that has shown hundreds takes twice as long for each. */
const pagesOfTab = 10;
/** Pages whose content comes with their scripts: their markup does not tell whether they are the same. */
const alive = new Set(["benchmark", "playground"]);

/** The same result for all who ask. */
function once<R>(make: () => Promise<R>): () => Promise<R> {
  let made: Promise<R> | undefined;
  return () => (made ??= make());
}

interface Viewport {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
}

/** What pages may transfer, in kB: home has all pictures in both colours of a visitor's setting, the playground the core. */
const heaviest: Readonly<Record<string, number>> = { home: 600, playground: 900 };

describe.skipIf(!browser)(`the built site in Chromium${browser ? "" : ` [${needsChromium}]`}`, () => {
  let site: Awaited<ReturnType<typeof servedSite>>;
  let methods: readonly CatalogueEntry[] = [];
  beforeAll(async () => {
    site = await servedSite();
    methods = builtData("catalogue");
  }, 900_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  async function open({ width = 1280, height = 800, colorScheme = "light" }: Viewport = {}) {
    const page = await openPage(browser!, { viewport: { width, height }, colorScheme });
    return { page, problems: problemsOf(page), close: () => page.context().close() };
  }

  /** What a page complains of from now on, in a list that grows. */
  function problemsOf(page: Page): string[] {
    const problems: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => {
      const url = request.url();
      if (url.startsWith("http") && !url.startsWith(site.address)) problems.push(`asks for ${url}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) problems.push(`${response.status()} for ${response.url()}`);
    });
    return problems;
  }

  async function visit(page: Page, address: string): Promise<Visit> {
    await page.goto(site.address + address, { waitUntil: "load" });
    await page.locator(".VPContent").waitFor();
    const found = await page.evaluate(() => ({
      ids: [...document.querySelectorAll("[id]")].map(({ id }) => id),
      links: [...new Set([...document.querySelectorAll<HTMLAnchorElement>("a[href]")].map(({ href }) => href))],
      width: document.documentElement.scrollWidth,
      text: document.querySelector("main")?.textContent ?? "",
      overlapping: [...document.querySelectorAll<HTMLElement>("main td[data-label]")]
        .filter((cell) => Number.parseFloat(getComputedStyle(cell, "::before").height) > cell.offsetHeight + 1)
        .map(({ dataset }) => `the label ${dataset["label"]}`),
    }));
    return { ...found, links: found.links.map(addressless), cut: await cutOn(page) };
  }

  function cutOn(page: Page): Promise<string[]> {
    return page.evaluate(() =>
      // The playground's editor scrolls.
      [...document.querySelectorAll<HTMLElement>("main :is(pre, table):not(.playground *)")]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
        .map(({ tagName, textContent }) => `${tagName} ${textContent.slice(0, 40)}`),
    );
  }

  /** A link of the site as its address from the site's root behind this mark, which is the same on every port. */
  const ownMark = "site:";
  const addressless = (link: string) =>
    link.startsWith(site.address) ? ownMark + link.slice(site.address.length) : link;

  /** What the one walk over all pages finds. Two tabs share what they load, and fetch no page ahead. */
  const walk = once(async () => {
    const kept = new KeptVisits<WideVisit>(keptAt("visits"));
    const visits = new Map<string, WideVisit>();
    const problems: string[] = [];
    const waiting: { readonly address: string; readonly key: string }[] = [];
    for (const address of pageAddresses()) {
      const key = kept.keyOf(address);
      const known = kept.get(key);
      if (known) visits.set(address, known);
      else waiting.push({ address, key });
    }
    const tab = async (page: Page) => {
      const own = problemsOf(page);
      for (let seenHere = 0; seenHere < pagesOfTab; seenHere++) {
        const next = waiting.shift();
        if (next === undefined) break;
        const narrow = await visit(page, next.address);
        const dark = await page.evaluate(() => document.documentElement.classList.contains("dark"));
        await page.setViewportSize(desktop);
        const widthWhenWide = await page.evaluate(() => document.documentElement.scrollWidth);
        const seen = { ...narrow, dark, widthWhenWide, cutWhenWide: await cutOn(page) };
        // A page that is left at the width it has is not laid out once more.
        await page.goto("about:blank");
        await page.setViewportSize(phone);
        const found = own.splice(0).map((problem) => `${next.address}: ${problem}`);
        visits.set(next.address, seen);
        problems.push(...found);
        if (found.length === 0) kept.set(next.key, seen);
      }
    };
    // What moves, or changes its colours slowly, is styled anew in every frame.
    const first = await openPage(browser!, { viewport: phone, colorScheme: "dark", reducedMotion: "reduce" });
    const context: BrowserContext = first.context();
    await context.addInitScript(() => {
      Object.defineProperty(navigator, "connection", { value: { saveData: true } });
    });
    await first.close();
    const tabs = async () => {
      while (waiting.length > 0) {
        const page = await context.newPage();
        await tab(page);
        await page.close();
      }
    };
    await Promise.all([tabs(), tabs()]);
    await context.close();
    kept.save();
    return { visits, problems };
  });

  it("loads every page without errors, finds every link's target, fits 360 and 1280 pixels, and can be dark", async () => {
    const { visits, problems } = await walk();
    const wrong = [...problems];
    const sets = new Map([...visits.values()].map((seen) => [seen, new Set(seen.ids)]));
    const idsOf = (seen: WideVisit) => sets.get(seen)!;
    for (const [address, { links, width, widthWhenWide, dark, cut, overlapping }] of visits) {
      if (width > phone.width) wrong.push(`${address}: is ${width} pixels wide`);
      if (widthWhenWide > desktop.width) wrong.push(`${address}: is ${widthWhenWide} pixels wide on a wide screen`);
      if (!dark) wrong.push(`${address}: stays light in the dark setting`);
      wrong.push(...cut.map((text) => `${address}: cuts "${text}"`));
      wrong.push(...overlapping.map((text) => `${address}: ${text} lies over the next row`));
      for (const link of links) {
        if (!link.startsWith(ownMark)) continue;
        const [path = "", anchor = ""] = link.slice(ownMark.length).split("#");
        const target = visits.get(path);
        const isExample = path === "playground" && anchor.includes("/");
        if (!target) wrong.push(`${address}: links to ${path}, which is not there`);
        else if (anchor && !isExample && !idsOf(target).has(decodeURIComponent(anchor))) {
          wrong.push(`${address}: links to ${path}#${anchor}, which is not there`);
        }
      }
    }
    expect(visits.size).toBeGreaterThan(40);
    expect(wrong).toEqual([]);
  }, 900_000);

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

  async function searchFor(page: Page, words: string): Promise<string[]> {
    const field = page.locator(".VPLocalSearchBox input");
    const results = page.locator(".VPLocalSearchBox .results a");
    // What is found for no words is nothing: what stands there next is of these words.
    await field.fill("");
    await results.first().waitFor({ state: "detached" });
    await field.fill(words);
    await results.first().waitFor();
    return results.evaluateAll((links) => links.map((a) => (a as HTMLAnchorElement).pathname));
  }

  it("finds every method by its title and its first author", async () => {
    const found = searchOf(readFileSync(join(siteFolder, "search.json"), "utf8"));
    for (const { slug, title, authors } of methods) {
      const surname = authors.split(",")[0]!.split(" ").at(-1)!;
      for (const words of [title, surname]) {
        const pages = found(words).map((address) => address.split("#")[0]);
        expect(pages, words).toContain(`/methods/${slug}`);
      }
    }
  });

  it("finds diffGrad by a keyword from the keyboard, as the index says, and opens the first result with Enter", async () => {
    const { page, problems, close } = await open();
    await page.goto(site.address, { waitUntil: "networkidle" });
    await page.keyboard.press("Control+k");
    const found = searchOf(readFileSync(join(siteFolder, "search.json"), "utf8"));
    const shown = await searchFor(page, "friction");
    expect(shown).toContain("/methods/diffgrad");
    expect(shown).toEqual(found("friction").map((address) => address.split("#")[0]));
    expect((await searchFor(page, "diffGrad: An Optimization Method"))[0]).toBe("/methods/diffgrad");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/methods/diffgrad*");
    expect(problems).toEqual([]);
    await close();
  });

  it("narrows the list of methods down as one types", async () => {
    const { page, close } = await open();
    await page.goto(`${site.address}methods/`, { waitUntil: "networkidle" });
    const field = page.getByLabel("Find a method");
    const links = page.locator(".method-list li a");
    for (const words of ["diffGrad: An Optimization", "chakraborty", "FRICTION"]) {
      await field.fill(words);
      expect(await links.evaluateAll((all) => all.map((a) => a.getAttribute("href")))).toContain("/methods/diffgrad");
      expect(await links.count()).toBeLessThan(methods.length);
    }
    await field.fill("no method has these words");
    expect(await links.count()).toBe(0);
    expect(await page.getByRole("status").textContent()).toContain("0 of");
    await close();
  });

  it("shows of every method its authors, its paper, its API and its claims", async () => {
    const { visits } = await walk();
    for (const { slug, title, authors } of methods) {
      const { text = "", links = [] } = visits.get(`methods/${slug}`) ?? {};
      for (const part of [title, authors, `@offprint/${slug}`, "Measured"]) expect(text).toContain(part);
      for (const beginning of [
        "https://arxiv.org/abs/",
        "https://github.com/offprint/offprint/tree/main/packages/methods/",
        `${ownMark}api/${slug}`,
      ]) {
        expect(
          links.some((href) => href.startsWith(beginning)),
          `${slug}: ${beginning}`,
        ).toBe(true);
      }
    }
    const { page, close } = await open();
    await visit(page, "methods/diffgrad");
    expect(await page.locator(".offprint-card").getByRole("link", { name: "API" }).getAttribute("href")).toBe(
      "/api/diffgrad",
    );
    await close();
  }, 900_000);

  it("shows every picture of the gallery, and leads from it to the playground", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page, problems, close } = await open({ colorScheme });
      await visit(page, "gallery");
      const shown = await page.evaluate(async () => {
        const images = [...document.querySelectorAll<HTMLImageElement>("ul.gallery img")];
        const visible = images.filter((image) => getComputedStyle(image).display !== "none");
        for (const image of visible) image.loading = "eager";
        await Promise.all(visible.map((image) => image.decode()));
        return visible.map(({ src, naturalWidth }) => ({ src, naturalWidth }));
      });
      expect(shown.length).toBeGreaterThanOrEqual(methods.length);
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

  it("is light: what a page transfers, compressed, before anything is pressed", async () => {
    const weights: Record<string, number> = {};
    for (const address of ["", "methods/diffgrad", "api/optim", "gallery", "benchmark", "playground"]) {
      const { page, close } = await open();
      const sizes: Promise<number>[] = [];
      page.on("requestfinished", (request) => {
        sizes.push(
          request.sizes().then(({ responseBodySize, responseHeadersSize }) => responseBodySize + responseHeadersSize),
        );
      });
      await page.goto(site.address + address, { waitUntil: "networkidle" });
      const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      weights[address || "home"] = Math.round(total / 1000);
      await close();
    }
    console.log("page weights, kB:", weights);
    for (const [address, kilobytes] of Object.entries(weights)) {
      expect(kilobytes, address).toBeLessThan(heaviest[address] ?? heaviest["home"]!);
    }
  });

  it("cuts no code on a wide screen", async () => {
    const { visits } = await walk();
    // Tables with many columns scroll.
    const wrong = [...visits].flatMap(([address, { cutWhenWide }]) =>
      cutWhenWide.filter((text) => text.startsWith("PRE")).map((text) => `${address}: cuts "${text}"`),
    );
    expect(wrong).toEqual([]);
  }, 900_000);

  it("opens a README's program in the playground", async () => {
    const { page, close } = await open();
    await page.goto(`${site.address}methods/diffgrad`, { waitUntil: "networkidle" });
    await page.getByRole("link", { name: "Open in the playground" }).first().click();
    await page.waitForURL("**/playground#readme/diffgrad/1");
    await page.getByRole("heading", { name: "@offprint/diffgrad" }).waitFor();
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByText("Finished in").waitFor();
    await close();
  });

  it("has a first stop for the keyboard that skips the navigation", async () => {
    const { page, close } = await open();
    await page.goto(site.address, { waitUntil: "networkidle" });
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Skip to content");
    await close();
  });

  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  for (const colorScheme of ["light", "dark"] as const) {
    it(`has no accessibility fault that axe finds, in the ${colorScheme} setting`, async () => {
      const { page, close } = await open({ colorScheme });
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
        if (!alive.has(address) && kept.get(key)) continue;
        await page.goto(site.address + address, { waitUntil: "networkidle" });
        // The switch between dark and light is named once the page is alive.
        await page.locator(".VPSwitchAppearance:not([title=''])").first().waitFor({ state: "attached" });
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
