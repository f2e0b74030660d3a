import { fileURLToPath } from "node:url";
import { bundlePage, chromium, needsChromium, runPage } from "@offprint/testing";
import { describe, expect, it } from "vitest";

interface Found {
  readonly error?: string;
  readonly worst: number;
  readonly wide: number;
  readonly narrow: number;
  readonly described: string;
  readonly blocked: readonly string[];
}

/** What the page finds under a policy. */
async function found(policy: string): Promise<Found> {
  const scripts = await bundlePage({ page: fileURLToPath(new URL("browser-page.ts", import.meta.url)) });
  return runPage(scripts, { headers: { "content-security-policy": policy } });
}

describe.skipIf(chromium === undefined)(`in a browser ${needsChromium}`, () => {
  it("compiled programs agree with eager ones, and so does every primitive", async () => {
    const { error, worst, wide, narrow, described } = await found("script-src 'self' 'wasm-unsafe-eval'");
    expect(error).toBeUndefined();
    expect(worst).toBeLessThan(1e-12);
    expect(wide).toBeLessThan(2e-15);
    expect(narrow).toBeLessThan(5e-7);
    expect(described).toMatch(/^program of \d+ parts?;/);
  });

  it("nothing that a strict policy with Trusted Types forbids is tried", async () => {
    const { error, blocked } = await found("script-src 'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'");
    expect(error).toBeUndefined();
    expect(blocked).toEqual([]);
  });

  it("a policy that forbids compiling leaves them to run operation by operation", async () => {
    const { error, worst, described } = await found("script-src 'self'");
    expect(error).toBeUndefined();
    expect(worst).toBeLessThan(1e-12);
    expect(described).toMatch(/^carried out operation by operation: compiling is forbidden here/);
  });
});
