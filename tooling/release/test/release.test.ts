import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { plainEnvironment, run, succeed } from "../child.mjs";
import { Consumer } from "../consumer.mjs";
import { bundle, runsInPage } from "../page.mjs";
import { copyTree, publishTo } from "../release-tree.mjs";
import { Absent, inParallel, Steps } from "../steps.mjs";
import { contentProblems, entriesOf, tarballPath } from "../tarball.mjs";

/** A folder with some files, which the end of the test removes. */
function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "offprint release "));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const good = ["LICENSE", "README.md", "dist/index.d.ts", "dist/index.js", "package.json"];

describe("a tarball", () => {
  it("gives its names, long ones too", () => {
    const long = `dist/${"folder/".repeat(30)}index.js`;
    const folder = folderOf({ "package/package.json": "{}", [`package/${long}`]: "1", "package/README.md": "" });
    const { status } = spawnSync("tar", ["czf", "a.tgz", "package"], { cwd: folder });
    expect(status).toBe(0);
    expect(entriesOf(readFileSync(join(folder, "a.tgz")))).toEqual(["README.md", long, "package.json"]);
  });

  it("holds licence, README, manifest, JavaScript and types, and nothing else", () => {
    expect(contentProblems(good, true)).toEqual([]);
    const more = ["dist/commands/bench.js", "assets/tiny.safetensors", "export/export_encoder.py"];
    expect(contentProblems([...good, ...more], true)).toEqual([]);
    const surplus = [
      "src/index.ts",
      "dist/.tsbuildinfo",
      "dist/index.js.map",
      "dist/test/a.js",
      "dist/a.test.js",
      "tsconfig.json",
      "CHANGELOG.md",
      "assets/make-weights.mjs",
      "bench/peer.py",
    ];
    for (const name of surplus) expect(contentProblems([...good, name], true)).toEqual([`${name} is not for users`]);
    for (const name of ["LICENSE", "README.md"]) {
      expect(
        contentProblems(
          good.filter((each) => each !== name),
          true,
        ),
      ).toEqual([`${name} is missing`]);
    }
    const untyped = good.filter((name) => !name.endsWith(".d.ts"));
    expect(contentProblems(untyped, true)).toEqual(["dist holds no types"]);
    expect(contentProblems(untyped, false)).toEqual([]);
  });

  it("lies in the registry's storage under its name", () => {
    expect(tarballPath("s", "@offprint/a", "1.0.0")).toBe(join("s", "@offprint", "a", "a-1.0.0.tgz"));
    expect(tarballPath("s", "offprint", "1.0.0")).toBe(join("s", "offprint", "offprint-1.0.0.tgz"));
  });
});

describe("a README", () => {
  it("has code for pages, unless it reaches for Node or a binding", () => {
    expect(runsInPage('import { a } from "@offprint/data";')).toBe(true);
    for (const name of ["node:fs", "@offprint/data/node", "@offprint/onnx-runtime"]) {
      expect(runsInPage(`import { a } from "${name}";`)).toBe(false);
    }
  });

  it("are bundled with the files that they name beside them", async () => {
    const folder = folderOf({
      "node_modules/@offprint/a/dist/index.js": `export const place = new URL("../assets/w.bin", import.meta.url).href;`,
      "node_modules/@offprint/a/assets/w.bin": "weights",
      "node_modules/@offprint/a/package.json": `{ "name": "@offprint/a", "type": "module", "exports": "./dist/index.js" }`,
    });
    const code = `import { place } from "@offprint/a"; console.log(place);`;
    const [path = ""] = await bundle(folder, [{ path: "", code }]);
    const name = /[0-9a-f]{12}-w\.bin/.exec(readFileSync(path, "utf8"))?.[0] ?? "";
    expect(readFileSync(join(folder, "page", name), "utf8")).toBe("weights");
  });
});

describe("a consumer", () => {
  const manifest = (name: string) => JSON.stringify({ name, type: "module", exports: { ".": "./index.js" } });

  it("finds every copy of a package, and counts linked ones once", () => {
    const folder = folderOf({
      "node_modules/@offprint/tensor-core/package.json": "{}",
      "node_modules/@x/y/node_modules/@offprint/tensor-core/package.json": "{}",
    });
    symlinkSync(join(folder, "node_modules", "@offprint"), join(folder, "node_modules", "@linked"), "dir");
    const consumer = new Consumer(folder, plainEnvironment());
    expect(consumer.copiesOf("@offprint/tensor-core").length).toBe(2);
    expect(consumer.copiesOf("@offprint/nn")).toEqual([]);
  });

  it("loads entries both ways, and fails where one cannot be required", async () => {
    const folder = folderOf({
      "node_modules/good/package.json": manifest("good"),
      "node_modules/good/index.js": "export const a = 1;",
      "node_modules/bad/package.json": manifest("bad"),
      "node_modules/bad/index.js": "export const a = await 1;",
      "node_modules/empty/package.json": manifest("empty"),
      "node_modules/empty/index.js": "export {};",
    });
    const consumer = new Consumer(folder, plainEnvironment());
    await consumer.loadEntries("good", ["."]);
    await expect(consumer.loadEntries("bad", ["."])).rejects.toThrow(/exit code 1/);
    await expect(consumer.loadEntries("empty", ["."])).rejects.toThrow(/empty exports nothing/);
  });

  it("knows which entries need the optional peers", () => {
    const folder = folderOf({
      "node_modules/a/package.json": JSON.stringify({
        exports: { ".": "./a.js", "./claims": "./claims.js", "./cli": "./cli.js", "./package.json": "./package.json" },
        peerDependenciesMeta: { b: { optional: true } },
      }),
    });
    expect(new Consumer(folder, plainEnvironment()).entriesOf("a")).toEqual({
      alone: ["."],
      withPeers: ["./claims", "./cli"],
      peers: ["b"],
    });
  });

  it("runs a README's code in Node, and names the block that fails", async () => {
    const readme = "```ts\nconst n: number = await 1;\n```\n```ts\nthrow new Error('no 1 here');\n```\n";
    const folder = folderOf({ "node_modules/a/README.md": readme, "node_modules/a/package.json": manifest("a") });
    const consumer = new Consumer(folder, plainEnvironment());
    const modules = await consumer.readmeModules("a");
    expect(modules.length).toBe(2);
    await consumer.runInNode(modules.slice(0, 1));
    await expect(consumer.runInNode(modules)).rejects.toThrow(/README.md:4: Error: no 1 here/);
  });
});

describe("publishing", () => {
  it("goes to this machine only", async () => {
    for (const url of ["https://registry.example.org/", "http://127.0.0.1.example.org:80/", "http://127.0.0.1:1/x/"]) {
      const folder = folderOf({ "package.json": "{}" });
      await expect(publishTo(folder, url)).rejects.toThrow(/not on this machine/);
      expect(existsSync(join(folder, ".npmrc"))).toBe(false);
    }
  });

  it("keeps tokens and the settings of the calling package manager from children", () => {
    process.env.OFFPRINT_FAKE_TOKEN = "secret";
    process.env.npm_config_offprint_fake = "1";
    onTestFinished(() => {
      delete process.env.OFFPRINT_FAKE_TOKEN;
      delete process.env.npm_config_offprint_fake;
    });
    const names = Object.keys(plainEnvironment({ npm_config_registry: "x" }));
    expect(names.filter((name) => /token|^npm_/i.test(name))).toEqual(["npm_config_registry"]);
    expect(names).toContain("PATH");
  });
});

it("copies what git would track, as a repository of its own", async () => {
  const root = folderOf({ ".gitignore": "ignored\n", "a/tracked": "1", "new file": "2", ignored: "3", removed: "4" });
  const git = (...args: string[]) => spawnSync("git", args, { cwd: root });
  git("init", "-q");
  git("add", "a/tracked", "removed", ".gitignore");
  rmSync(join(root, "removed"));
  const copy = join(root, "..", `${Date.now()}-copy`);
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  expect(await copyTree(root, copy)).toBe(3);
  expect(readFileSync(join(copy, "new file"), "utf8")).toBe("2");
  expect(existsSync(join(copy, "ignored"))).toBe(false);
  const { stdout } = spawnSync("git", ["status", "--porcelain"], { cwd: copy, encoding: "utf8" });
  expect(stdout).toBe("");
});

describe("steps", () => {
  it("are summed up: failures, and what could not run", async () => {
    const steps = new Steps();
    expect(await steps.run("works", () => "three things")).toBe("three things");
    expect(
      await steps.run("fails", () => {
        throw new Error("first line\nsecond");
      }),
    ).toBeUndefined();
    await steps.run("cannot", () => {
      throw new Absent("needs a browser");
    });
    const { text, passed, failed, notRun } = steps.summary(false);
    expect([passed, failed, notRun]).toEqual([1, 1, [{ what: "needs a browser", count: 1 }]]);
    expect(text).toMatch(/works .*three things\nfails .*FAILED: first line\ncannot .*not run: needs a browser/);
    expect(steps.summary(true).failed).toBe(2);
  });

  it("work through a list, no more at a time than allowed", async () => {
    let [running, most, done] = [0, 0, 0];
    await inParallel([1, 2, 3, 4, 5], 2, async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      done += 1;
    });
    expect([most, done]).toEqual([2, 5]);
  });
});

describe("a child", () => {
  const options = { cwd: tmpdir(), env: plainEnvironment() };

  it("is ended when its time is over", async () => {
    const { code, stderr } = await run(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
      ...options,
      seconds: 1,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/SIGKILL.*limit: 1 s/);
  });

  it("that must succeed throws with what it printed", async () => {
    const failing = succeed(process.execPath, ["-e", "console.error('why'); process.exit(3)"], options);
    await expect(failing).rejects.toThrow(/exit code 3\nwhy/);
  });
});
