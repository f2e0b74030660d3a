import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Says in the summary of `npm test` why browser tests did not run. */
export const needsChromium =
  "needs Chromium: install Debian's chromium, or the shared libraries that the npm one misses";

/** Longest time of anything that a browser does, in milliseconds: a busy machine is slow. */
const timeout = 150_000;

const systemBrowsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

async function npmBrowser(): Promise<{ path: string; args: string[] } | undefined> {
  try {
    const { default: packed } = await import("@sparticuz/chromium");
    return { path: await packed.executablePath(), args: packed.args };
  } catch {
    return undefined;
  }
}

/**
 * A headless Chromium; nothing when none starts. The one from npm is a headless shell, which lays pages out for three
 * fifths of the processor time that the system's whole browser takes (decision 0014). It goes before that, but where a
 * device is asked for by flags.
 */
export async function launchChromium(flags: readonly string[] = []): Promise<Browser | undefined> {
  const launch = (executablePath: string, args: readonly string[] = []) =>
    chromium.launch({ executablePath, args: ["--no-sandbox", ...args, ...flags], timeout }).catch(() => undefined);
  const named = process.env["OFFPRINT_CHROMIUM"];
  const shell = named ? undefined : await npmBrowser();
  const installed = systemBrowsers.filter((path) => existsSync(path));
  const first = [...(named ? [named] : []), ...(shell && flags.length === 0 ? [shell.path] : []), ...installed];
  for (const path of first) {
    const browser = await launch(path);
    if (browser) return browser;
  }
  return shell && launch(shell.path, shell.args);
}

/** A page of its own context. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(timeout);
  return context.newPage();
}

/** Goes to a page of the site, and waits until its scripts have taken it over: what is pressed before that is lost. */
export async function goTo(page: Page, address: string, waitUntil: "load" | "networkidle" = "load"): Promise<void> {
  await page.goto(address, { waitUntil });
  // The switch between dark and light is named once the page is alive.
  await page.locator(".VPSwitchAppearance:not([title=''])").first().waitFor({ state: "attached" });
}

/** What a page complains of from now on, in a list that grows; also that it asks others than the site for something. */
export function problemsOf(page: Page, site: string): string[] {
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => {
    const url = request.url();
    if (url.startsWith("http") && !url.startsWith(site)) problems.push(`asks for ${url}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} for ${response.url()}`);
  });
  return problems;
}

/** A reader who saves data is sent no page ahead: what is asked for does not depend on what a page happens to link to. */
export async function withoutPrefetch(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    Object.defineProperty(navigator, "connection", { value: { saveData: true } });
  });
}
