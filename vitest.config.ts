import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { installFingerprint, moduleCache } from "./tooling/setup/setup.mjs";

/** Packages resolve each other's TypeScript through this export condition: tests need no build. */
const source = "@offprint/source";

export default defineConfig({
  resolve: { conditions: [source, "module", "browser", "development|production"] },
  ssr: { resolve: { conditions: [source, "module", "node", "development|production"] } },
  test: {
    include: ["packages/*/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "tooling/*/test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/fixtures/**"],
    environment: "node",
    globals: false,
    // Only what hangs is ended by the clock: a busy machine is several times slower.
    testTimeout: 400_000,
    hookTimeout: 400_000,
    expect: { poll: { timeout: 100_000 } },
    maxWorkers: 2,
    // Transformed modules are shared by all runs. A manifest decides what an import means: another one, another folder.
    experimental: { fsModuleCache: true, fsModuleCachePath: join(moduleCache, installFingerprint()) },
  },
});
