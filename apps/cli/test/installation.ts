import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;
const application = join(here, "..");

/** What a child process left behind. */
export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What modules give as one file each: the tests of all files install the same. */
const bundles = new Map<string, Promise<string>>();

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    conditions: ["@offprint/source"],
    // Its threads begin with a file of its own.
    external: ["@offprint/cluster"],
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

async function bundle(entry: string, outfile: string): Promise<void> {
  const text = bundles.get(entry) ?? bundled(entry);
  bundles.set(entry, text);
  mkdirSync(dirname(outfile), { recursive: true });
  writeFileSync(outfile, await text);
}

/**
 * The command with fixture methods beside it, laid out as npm does: package.json, dist/bin.js and node_modules. The
 * code is bundled from sources, so that the tests need no build.
 */
export class Installation {
  readonly directory = mkdtempSync(join(tmpdir(), "offprint cli "));
  private readonly packages = join(this.directory, "node_modules", "@offprint");

  /** Bundles the command and installs methods. */
  static async create(methods: readonly string[]): Promise<Installation> {
    const installation = new Installation();
    const dependencies = Object.fromEntries(methods.map((name) => [`@offprint/${name}`, "*"]));
    const manifest = {
      ...{ name: "offprint", version: "7.8.9", type: "module", dependencies },
      exports: { "./jobs": "./dist/claims-job.js" },
      offprint: { jobs: { reproduceClaims: "./jobs" } },
    };
    writeFileSync(join(installation.directory, "package.json"), JSON.stringify(manifest));
    mkdirSync(installation.packages, { recursive: true });
    for (const name of ["claims", "cluster", "tensor-core"]) {
      symlinkSync(join(application, "..", "..", "packages", "core", name), join(installation.packages, name), "dir");
    }
    const program = (name: string) =>
      bundle(join(application, "src", `${name}.ts`), join(installation.directory, "dist", `${name}.js`));
    await Promise.all([program("bin"), program("claims-job"), ...methods.map((name) => installation.install(name))]);
    return installation;
  }

  /** Installs a fixture package. */
  async install(name: string): Promise<void> {
    const from = join(here, "fixtures", name);
    const to = join(this.packages, name);
    cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith(".ts") });
    const entries = ["claims", "cli", "index"].filter((entry) => existsSync(join(from, `${entry}.ts`)));
    await Promise.all(entries.map((entry) => bundle(join(from, `${entry}.ts`), join(to, `${entry}.js`))));
  }

  /** Removes an installed package. */
  uninstall(name: string): void {
    rmSync(join(this.packages, name), { recursive: true, force: true });
  }

  /** A new empty folder. */
  folder(): string {
    return mkdtempSync(join(this.directory, "work "));
  }

  /** Starts the command. */
  start(words: readonly string[], cwd: string, environment: NodeJS.ProcessEnv = {}, output: "pipe" | number = "pipe") {
    const child = spawn(process.execPath, [join(this.directory, "dist", "bin.js"), ...words], {
      cwd,
      env: { PATH: process.env["PATH"], COLUMNS: "100", ...environment },
      stdio: ["ignore", output, "pipe"],
    });
    const { stdout, stderr } = child;
    if (stderr === null) throw new Error("the child has no standard error");
    let [out, err] = ["", ""];
    const waiting: (() => void)[] = [];
    stdout?.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
      for (const check of waiting) check();
    });
    const finished = new Promise<Finished>((resolve) => child.on("close", (code) => resolve({ code, out, err })));
    /** Resolves when standard error shows something. */
    const shows = (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const check = () => pattern.test(err) && resolve();
        waiting.push(check);
        check();
        child.on("close", (code) => reject(new Error(`ended with ${code} and did not show ${pattern}: ${err}`)));
      });
    return { child, finished, shows };
  }

  /** Runs the command to its end. */
  run(
    words: readonly string[],
    cwd: string = this.folder(),
    environment: NodeJS.ProcessEnv = {},
    output: "pipe" | number = "pipe",
  ): Promise<Finished> {
    return this.start(words, cwd, environment, output).finished;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
