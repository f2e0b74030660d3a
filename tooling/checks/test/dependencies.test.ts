import { describe, expect, it } from "vitest";
import { check } from "../dependencies.mjs";
import { type Files, lines, repositoryOf } from "./sandbox.js";

const workspace = "workspace:^";

/** A repository in which one file of one package imports something. */
function importing(from: string, file: string, specifier: string, dependencies: Record<string, string> = {}): string[] {
  const files: Files = { [`${from}/${file}`]: `import { x } from "${specifier}";\n` };
  for (const folder of [
    "core/tensor-core",
    "core/solvers",
    "core/optim",
    "core/onnx-runtime",
    "core/onnx-format",
    "core/claims",
    "core/datasets",
    "methods/a",
    "methods/b",
  ]) {
    const name = `@offprint/${folder.split("/")[1]}`;
    files[`packages/${folder}/package.json`] = { name, ...(`packages/${folder}` === from ? { dependencies } : {}) };
  }
  files["apps/cli/package.json"] = { name: "offprint", ...(from === "apps/cli" ? { dependencies } : {}) };
  return lines(check(repositoryOf(files)));
}

describe("dependencies", () => {
  it("lets methods stand on core packages, and apps on methods", () => {
    expect(
      importing("packages/methods/a", "src/index.ts", "@offprint/optim", { "@offprint/optim": workspace }),
    ).toEqual([]);
    expect(
      importing("packages/core/onnx-runtime", "src/index.ts", "@offprint/onnx-format", {
        "@offprint/onnx-format": workspace,
      }),
    ).toEqual([]);
    expect(
      importing("packages/core/optim", "src/index.ts", "@offprint/solvers", { "@offprint/solvers": workspace }),
    ).toEqual([]);
    expect(importing("apps/cli", "src/bin.ts", "@offprint/a/claims", { "@offprint/a": workspace })).toEqual([]);
  });

  it.each([
    ["packages/methods/a", "@offprint/onnx-runtime", "methods take a Backend"],
    ["packages/methods/a", "@offprint/b", "nothing but the apps imports a method"],
    ["packages/methods/a", "@offprint/claims", "it is for claims, commands, examples and tests"],
    ["packages/methods/a", "@offprint/datasets", "it is for claims, commands, examples and tests"],
    ["packages/core/optim", "@offprint/datasets", "it is for claims, commands, examples and tests"],
    ["packages/core/optim", "@offprint/a", "nothing but the apps imports a method"],
    ["packages/core/tensor-core", "@offprint/optim", "stands on no other package"],
    ["packages/core/solvers", "@offprint/optim", "solvers stands on tensor-core only"],
    ["packages/core/claims", "@offprint/optim", "claims stands on tensor-core only"],
    ["packages/core/onnx-format", "@offprint/optim", "onnx-format stands on tensor-core only"],
    ["packages/core/onnx-runtime", "@offprint/optim", "onnx-runtime stands on tensor-core only"],
  ])("%s must not import %s", (from, to, reason) => {
    const found = importing(from, "src/index.ts", to, { [to]: workspace });
    expect(found).toHaveLength(2);
    expect(found[0]).toContain(`${from}/src/index.ts: must not import ${to}`);
    expect(found[1]).toContain(reason);
  });

  describe("of a method's claims and commands", () => {
    const peer = { peerDependencies: { "@offprint/claims": "*" } };
    const optional = { peerDependenciesMeta: { "@offprint/claims": { optional: true } } };
    const developed = { devDependencies: { "@offprint/claims": workspace } };
    const found = (manifest: object, folder = "claims", command: object = { "@offprint/claims": workspace }) =>
      lines(
        check(
          repositoryOf({
            "packages/core/claims/package.json": { name: "@offprint/claims" },
            "packages/methods/a/package.json": { name: "@offprint/a", ...manifest },
            [`packages/methods/a/${folder}/index.ts`]: 'import { x } from "@offprint/claims";\n',
            "apps/cli/package.json": { name: "offprint", dependencies: command },
          }),
        ),
      );

    it("are optional peers, which tests and the command have", () => {
      expect(found({ ...peer, ...optional, ...developed })).toEqual([]);
      expect(found({ ...peer, ...optional, ...developed }, "cli")).toEqual([]);
      expect(found({ ...peer, ...developed })).toEqual([expect.stringContaining("must be optional")]);
      expect(found({ ...peer, ...optional })).toEqual([expect.stringContaining("must be in devDependencies too")]);
      expect(found({ ...peer, ...optional, ...developed }, "claims", {})).toEqual([
        expect.stringContaining("apps/cli/package.json must depend on it"),
      ]);
      const narrow = { peerDependencies: { "@offprint/claims": workspace } };
      expect(found({ ...narrow, ...optional, ...developed })).toEqual([expect.stringContaining('must be "*"')]);
    });

    it("are not installed with the method", () => {
      expect(found({ dependencies: { "@offprint/claims": workspace } })).toEqual([
        expect.stringContaining("which src does not import"),
        expect.stringContaining("must not depend on @offprint/claims"),
      ]);
    });

    it("may not be needed to compute", () => {
      const manifest = {
        peerDependencies: { ndarray: "*" },
        peerDependenciesMeta: { ndarray: { optional: true } },
        devDependencies: { ndarray: "1" },
      };
      const repository = (folder: string) =>
        repositoryOf({
          "packages/methods/a/package.json": { name: "@offprint/a", ...manifest },
          [`packages/methods/a/${folder}/index.ts`]: 'import "ndarray";\n',
        });
      expect(lines(check(repository("claims")))).toEqual([]);
      expect(lines(check(repository("src")))).toEqual([expect.stringContaining("add it to dependencies")]);
    });
  });

  it("keeps packages that are not published to tests and benchmarks", () => {
    const using = (file: string) =>
      lines(
        check(
          repositoryOf({
            "packages/core/kit/package.json": { name: "@offprint/kit", private: true },
            "packages/core/kit/src/index.ts": 'import { expect } from "vitest";\n',
            "packages/methods/a/package.json": {
              name: "@offprint/a",
              devDependencies: { "@offprint/kit": workspace },
            },
            [`packages/methods/a/${file}`]: 'import { x } from "@offprint/kit";\n',
          }),
        ),
      );
    expect(using("test/a.test.ts")).toEqual([]);
    expect(using("bench/a.bench.ts")).toEqual([]);
    expect(using("claims/a.ts").join()).toContain("kit is not published; only tests and benchmarks use it");
  });

  it("finds dynamic, type-only and re-exporting imports", () => {
    for (const statement of [
      'await import("@offprint/b")',
      'import type { X } from "@offprint/b"',
      'export * from "@offprint/b"',
    ]) {
      const repository = repositoryOf({
        "packages/methods/a/package.json": { name: "@offprint/a" },
        "packages/methods/b/package.json": { name: "@offprint/b" },
        "packages/methods/a/src/index.ts": `${statement};\n`,
      });
      expect(lines(check(repository))).toHaveLength(1);
    }
  });

  it("wants every imported package declared, in src as a dependency", () => {
    expect(importing("packages/core/optim", "src/index.ts", "ndarray")[0]).toContain("add it to dependencies");
    expect(importing("packages/core/optim", "src/index.ts", "ndarray", { ndarray: "1" })).toEqual([]);
    expect(importing("packages/core/optim", "test/a.test.ts", "ndarray")[0]).toContain("add it to devDependencies");
    expect(importing("packages/core/optim", "test/a.test.ts", "vitest")).toEqual([]);
    expect(importing("packages/core/optim", "claims/make-data.mjs", "ndarray")[0]).toContain(
      "add it to devDependencies",
    );
    expect(importing("packages/core/optim", "src/index.ts", "vitest")[0]).toContain("add it to dependencies");
  });

  it("knows a package's own names for its parts", () => {
    const imports = { "#binding": "./src/node.ts" };
    const found = (specifier: string) => {
      const files = { "packages/core/a/package.json": { name: "@offprint/a", imports } };
      return lines(check(repositoryOf({ ...files, "packages/core/a/src/index.ts": `import "${specifier}";` })));
    };
    expect(found("#binding")).toEqual([]);
    expect(found("#other")).toHaveLength(1);
  });

  it("forbids a relative import that leaves the package", () => {
    expect(importing("packages/core/optim", "src/index.ts", "../../tensor-core/src/index.js")[0]).toContain(
      "leaves the package",
    );
    expect(importing("packages/core/optim", "test/a.test.ts", "../src/index.js")).toEqual([]);
  });

  it("finds a cycle", () => {
    const repository = repositoryOf({
      "packages/core/nn/package.json": { name: "@offprint/nn", dependencies: { "@offprint/data": workspace } },
      "packages/core/data/package.json": { name: "@offprint/data", dependencies: { "@offprint/nn": workspace } },
    });
    expect(lines(check(repository))[0]).toContain("@offprint/data -> @offprint/nn -> @offprint/data");
  });
});
