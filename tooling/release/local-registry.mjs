// A throw-away registry on this machine. What it does not hold itself it takes from the registry that npm is set to.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainEnvironment, succeed } from "./child.mjs";

const manifest = new URL("registry/package.json", import.meta.url);

/**
 * Installs verdaccio into the cache, once for each version.
 *
 * @param {string} cache
 * @returns {Promise<string>} path of its script
 */
export async function installRegistry(cache) {
  const text = readFileSync(manifest, "utf8");
  const stamp = createHash("sha256").update(`${process.version} ${text}`).digest("hex").slice(0, 12);
  const folder = join(cache, `registry-${stamp}`);
  const script = join(folder, "node_modules", "verdaccio", "bin", "verdaccio");
  if (existsSync(join(folder, "complete"))) return script;
  mkdirSync(folder, { recursive: true });
  cpSync(manifest, join(folder, "package.json"));
  await succeed("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder, env: process.env });
  writeFileSync(join(folder, "complete"), "");
  return script;
}

/** @returns {Promise<number>} a port that nobody listens on */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

/** @param {string} uplink address of the registry behind it */
function configuration(uplink) {
  const own = ["@offprint/*", "offprint"].map(
    (name) => `  "${name}":\n    access: $all\n    publish: $all\n    unpublish: $all\n`,
  );
  return [
    "storage: ./storage\n",
    `uplinks:\n  behind:\n    url: ${JSON.stringify(uplink)}\n    timeout: 120s\n    max_fails: 20\n`,
    `packages:\n${own.join("")}  "**":\n    access: $all\n    proxy: behind\n`,
    "max_body_size: 200mb\n",
    "log: { type: stdout, format: json, level: error }\n",
  ].join("");
}

/** The registry that npm is set to: read when it is needed, and kept in no file that outlives the run. */
export async function configuredRegistry() {
  const { stdout } = await succeed("npm", ["config", "get", "registry"], { cwd: tmpdir(), env: process.env });
  return stdout.trim();
}

/**
 * Starts the registry.
 *
 * @param {string} script from `installRegistry`
 * @param {string} folder an empty one for its settings and packages
 * @param {string} uplink address of the registry behind it
 * @returns {Promise<{ url: string, storage: string, stop: () => Promise<void> }>}
 */
export async function startRegistry(script, folder, uplink) {
  writeFileSync(join(folder, "config.yaml"), configuration(uplink));
  const url = `http://127.0.0.1:${await freePort()}/`;
  const args = [script, "--config", join(folder, "config.yaml"), "--listen", url.replace(/^http:\/\/|\/$/g, "")];
  const child = spawn(process.execPath, args, { cwd: folder, env: plainEnvironment(), stdio: "pipe" });
  let output = "";
  child.stdout.on("data", (bytes) => (output += bytes));
  child.stderr.on("data", (bytes) => (output += bytes));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(timer);
  };
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`the registry ended at once:\n${output}`);
    const answer = await fetch(`${url}-/ping`).catch(() => undefined);
    if (answer?.ok) return { url, storage: join(folder, "storage"), stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error(`the registry does not answer after 30 s:\n${output}`);
}
