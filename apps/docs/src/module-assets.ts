import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { Plugin } from "esbuild";

const address = /new URL\("(\.[^"]+)", import\.meta\.url\)/g;

/**
 * Copies the files that modules of the packages name by `new URL("./file", import.meta.url)` into the folder of the
 * bundle, under names that change when their content does. Other bundlers do this by themselves.
 */
export function moduleAssets(output: string): Plugin {
  return {
    name: "module-assets",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]packages[\\/].*[\\/](?:src[\\/].*\.ts|assets[\\/].*\.js)$/ }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        if (source.search(address) < 0) return undefined;
        const contents = source.replace(address, (whole, file: string) => {
          const from = resolve(dirname(path), file);
          // Examples in comments name files that are not there.
          if (!existsSync(from)) return whole;
          const hash = createHash("sha256").update(readFileSync(from)).digest("hex").slice(0, 8).toUpperCase();
          const name = `${basename(from, extname(from))}-${hash}${extname(from)}`;
          copyFileSync(from, join(output, name));
          return `new URL("./${name}", import.meta.url)`;
        });
        return { contents, loader: path.endsWith(".ts") ? "ts" : "js" };
      });
    },
  };
}
