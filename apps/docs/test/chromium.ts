import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Says in the summary of `npm test` why browser tests did not run. */
export const needsChromium =
  "needs Chromium: install Debian's chromium, or the shared libraries that the npm one misses";

const systemBrowsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

async function npmBrowser(): Promise<{ path: string; args: string[] } | undefined> {
  try {
    const { default: packed } = await import("@sparticuz/chromium");
    return { path: await packed.executablePath(), args: packed.args };
  } catch {
    return undefined;
  }
}

/** A headless Chromium: the system's, else the one from npm; nothing when neither starts. */
export async function launchChromium(flags: readonly string[] = []): Promise<Browser | undefined> {
  const installed = [process.env["OFFPRINT_CHROMIUM"], ...systemBrowsers].filter((path) => path && existsSync(path));
  for (const executablePath of installed) {
    try {
      return await chromium.launch({ executablePath, args: ["--no-sandbox", ...flags] });
    } catch {
      // The next one.
    }
  }
  const packed = await npmBrowser();
  if (!packed) return undefined;
  return chromium.launch({ executablePath: packed.path, args: [...packed.args, ...flags] }).catch(() => undefined);
}

/** A page of its own context, which waits long for what it waits for: a busy machine is slow. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(150_000);
  return context.newPage();
}
