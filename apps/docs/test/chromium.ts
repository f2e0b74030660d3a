import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

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

/** A software adapter, so that WebGPU can be tried without a GPU. */
export const softwareGpu = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

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
