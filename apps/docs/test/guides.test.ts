import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const app = join(import.meta.dirname, "..");
const folder = join(app, "guides");
const contributors = join(app, "..", "..", "docs");
// Apart from the README code of this package, whose own job empties its folder.
const output = join(import.meta.dirname, ".readme-code", "guides");

interface Block {
  readonly name: string;
  readonly path: string;
  readonly code: string;
}

/** The TypeScript of a guide; blank lines keep the numbers of the lines. */
function blocksOf(folder: string, file: string): Block[] {
  const text = readFileSync(join(folder, file), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => {
    const line = text.slice(0, match.index).split("\n").length;
    const name = `${file}:${line}`;
    return { name, path: join(output, `${file.replace(".md", "")}-${line}.ts`), code: "\n".repeat(line) + match[1] };
  });
}

const blocks = [folder, contributors].flatMap((each) =>
  readdirSync(each)
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => blocksOf(each, file)),
);
rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
for (const { path, code } of blocks) writeFileSync(path, `${code}\nexport {};\n`);

/** What the comments behind `console.log` say that it prints. */
function promised(code: string): string[] {
  return [...code.matchAll(/^\s*console\.log\(.*\);(?: \/\/ (.*))?$/gm)].flatMap((match) =>
    match[1] ? [match[1]] : [],
  );
}

describe("the code of the guides", () => {
  // What a guide's program leaves in the folder of temporary files belongs to this run alone.
  const temporary = mkdtempSync(join(tmpdir(), "offprint-guides-"));
  beforeAll(() => void vi.stubEnv("TMPDIR", temporary));
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(temporary, { recursive: true, force: true });
  });

  it("has correct types", () => {
    const program = ts.createProgram(
      blocks.map(({ path }) => path),
      {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
        customConditions: ["@offprint/source"],
        types: ["node"],
        typeRoots: [join(app, "node_modules", "@types")],
        strict: true,
        noEmit: true,
        skipLibCheck: true,
      },
    );
    const wrong = blocks.flatMap(({ name, path }) =>
      ts
        .getPreEmitDiagnostics(program, program.getSourceFile(path))
        .map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each(blocks)("$name runs and prints what its comments say", async ({ path, code }) => {
    const printed: string[] = [];
    const log = vi
      .spyOn(console, "log")
      .mockImplementation((...values) => void printed.push(values.map(String).join(" ")));
    try {
      await import(path);
    } finally {
      log.mockRestore();
    }
    const expected = promised(code);
    expect(printed.filter((line) => expected.includes(line))).toEqual(expected);
  });

  it("runs the exported training step in Python", (context) => {
    const python = /```python\n(.*?)```/s.exec(readFileSync(join(folder, "exporting-to-onnx.md"), "utf8"))![1]!;
    // Debian's own Python, which is where its packages are, and then whichever comes first.
    const interpreter = ["/usr/bin/python3", "python3"].find(
      (name) => spawnSync(name, ["-c", "import numpy, onnxruntime"]).status === 0,
    );
    const exported = join(temporary, "step.onnx");
    if (!interpreter) return context.skip("needs Python's onnxruntime: pip install onnxruntime numpy");
    expect(existsSync(exported)).toBe(true);
    const { stdout, stderr } = spawnSync(interpreter, ["-c", python], { cwd: temporary, encoding: "utf8" });
    expect(stdout.trim(), stderr).toBe("True [1. 2.]");
  });
});
