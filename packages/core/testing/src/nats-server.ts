import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** The server, where it is installed. */
export const natsServer: string | undefined = [
  process.env["OFFPRINT_NATS_SERVER"],
  "/usr/sbin/nats-server",
  ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "nats-server")),
].find((path) => path !== undefined && existsSync(path));

/** What stands in the names of suites that need it. */
export const needsNatsServer = "[needs nats-server: install Debian's nats-server]";

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** The text of a server's configuration, which listens at the address and stores in the folder. */
export type NatsConfiguration = (place: { readonly address: string; readonly store: string }) => string;

/** A NATS server of a test on a free port of this machine, with a folder of its own. */
export class NatsTestServer {
  /** Where it listens. */
  readonly port: number;
  private readonly folder = mkdtempSync(join(tmpdir(), "offprint-nats-"));
  private readonly configuration: NatsConfiguration;
  private child: ChildProcess | undefined;

  private constructor(port: number, configuration: NatsConfiguration) {
    this.port = port;
    this.configuration = configuration;
  }

  /** Starts one; `settings` are lines of its configuration, `jetstream` says whether it stores. */
  static start(settings = "", jetstream = true): Promise<NatsTestServer> {
    return NatsTestServer.configured(({ address, store }) => {
      const kept = jetstream ? `jetstream { store_dir: ${JSON.stringify(store)} }` : "";
      return `listen: "${address}"\n${kept}\n${settings}\n`;
    });
  }

  /** Starts one with a configuration of its own. */
  static async configured(configuration: NatsConfiguration): Promise<NatsTestServer> {
    const server = new NatsTestServer(await freePort(), configuration);
    await server.up();
    return server;
  }

  /** What clients are given. */
  get address(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts it, again where it was down: it goes on with what it has stored. */
  async up(): Promise<void> {
    const file = join(this.folder, "server.conf");
    writeFileSync(file, this.configuration({ address: `127.0.0.1:${this.port}`, store: join(this.folder, "store") }));
    const child = spawn(natsServer!, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    this.child = child;
    let said = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    while (!(await accepts(this.port))) {
      if (child.exitCode !== null) throw new Error(`nats-server ended: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it at once, as a machine that loses power does. */
  async down(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.on("close", resolve));
    child.kill("SIGKILL");
    await closed;
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
