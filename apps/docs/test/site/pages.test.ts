import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteFolder } from "../../serve.mjs";
import type { CatalogueEntry } from "../../src/pages/catalogue.js";
import { examplesOf, readmePrograms } from "../../src/pages/playground-page.js";
import { importableEntries } from "../../src/playground-bundle.js";
import { searchOf } from "../../src/search-index.js";
import { readWorkspace } from "../../src/workspace/workspace.js";
import { builtCatalogue, pageAddresses, type ServedSite, servedSite } from "../built-site.js";
import { goTo, launchChromium, needsChromium, openPage, problemsOf, withoutPrefetch } from "../chromium.js";
import { KeptVisits, keptAt } from "../kept-visits.js";

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

/** Pages that a tab is shown: one that has shown hundreds takes twice as long for each. */
const pagesOfTab = 10;

/** The same result for all who ask. */
function once<R>(make: () => Promise<R>): () => Promise<R> {
  let made: Promise<R> | undefined;
  return () => (made ??= make());
}

describe.skipIf(!browser)(`the built site in Chromium${browser ? "" : ` [${needsChromium}]`}`, () => {
  let site: ServedSite;
  let methods: readonly CatalogueEntry[] = [];
  beforeAll(async () => {
    site = await servedSite();
    methods = builtCatalogue();
  }, 900_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

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
      const own = problemsOf(page, site.address);
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
    await withoutPrefetch(context);
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
    const page = await openPage(browser!, { viewport: desktop });
    const problems = problemsOf(page, site.address);
    await goTo(page, site.address);
    await page.keyboard.press("Control+k");
    const found = searchOf(readFileSync(join(siteFolder, "search.json"), "utf8"));
    const shown = await searchFor(page, "friction");
    expect(shown).toContain("/methods/diffgrad");
    expect(shown).toEqual(found("friction").map((address) => address.split("#")[0]));
    expect((await searchFor(page, "diffGrad: An Optimization Method"))[0]).toBe("/methods/diffgrad");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/methods/diffgrad*");
    expect(problems).toEqual([]);
    await page.context().close();
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
  }, 900_000);

  it("cuts no code on a wide screen", async () => {
    const { visits } = await walk();
    // Tables with many columns scroll.
    const wrong = [...visits].flatMap(([address, { cutWhenWide }]) =>
      cutWhenWide.filter((text) => text.startsWith("PRE")).map((text) => `${address}: cuts "${text}"`),
    );
    expect(wrong).toEqual([]);
  }, 900_000);
});

const repository = join(import.meta.dirname, "..", "..", "..", "..");
const { homepage } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const workspace = readWorkspace(repository);
const available = new Set(importableEntries(workspace).map(({ specifier }) => specifier));

describe("the link of a README to the playground", () => {
  it.each([...workspace.core, ...workspace.methods].map((pkg) => [pkg.name, pkg] as const))(
    "%s leads to a program that is there",
    async (_, pkg) => {
      const programs = [...(await readmePrograms(pkg, available)).values()].map(({ id }) => id);
      const examples = (await examplesOf(pkg, available)).map(({ id }) => id);
      const address = `${homepage}/playground#`;
      const [, linked] = new RegExp(`\\(${address.replaceAll(".", "\\.")}([^)]+)\\)`).exec(pkg.readme) ?? [];
      if (!pkg.forPages) expect(linked).toBeUndefined();
      else expect([...programs.slice(0, 1), ...examples, undefined]).toContain(linked);
      // Where a program of the README runs there, it is the first one that is opened.
      if (pkg.forPages && programs.length > 0) expect(linked).toBe(programs[0]);
    },
  );
});
