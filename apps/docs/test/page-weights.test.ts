import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { pageWeights, weightsText } from "../src/page-weights.js";

it("a page weighs its markup and what that loads at once, each file once and compressed", () => {
  const site = temporaryFolder("weights");
  const script = "let sum = 0;\n".repeat(500);
  const html = [
    '<link rel="modulepreload" href="/app.js"><script type="module" src="/app.js"></script>',
    '<link rel="canonical" href="/far.js"><img src="/late.svg" loading="lazy"><img src="/dot.png">',
    '<script src="https://elsewhere.example/x.js"></script>',
  ].join("");
  mkdirSync(join(site, "methods"));
  for (const [path, content] of [
    ["index.html", "<p>Home</p>"],
    ["methods/a.html", html],
    ["404.html", html],
    ["app.js", script],
    ["far.js", script],
    ["late.svg", script],
    ["dot.png", "12345"],
  ] as const) {
    writeFileSync(join(site, path), content);
  }
  const size = (text: string) => gzipSync(text).length;
  const weights = pageWeights(site);
  expect(weights).toEqual([
    { address: "/methods/a", bytes: size(html) + size(script) + 5 },
    { address: "/", bytes: size("<p>Home</p>") },
  ]);
  expect(
    weightsText([
      { address: "/a", bytes: 9400 },
      { address: "/", bytes: 2600 },
      { address: "/b", bytes: 1000 },
    ]),
  ).toBe("pages weigh 3 kB (median), home 3 kB; most: /a 9 kB, / 3 kB, /b 1 kB");
});
