import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

/** Ports below those that systems give out: nobody is given one of these while its server is down. */
const ports = { from: 10_000, count: 20_000 };

/** The text of a server's configuration, which listens at the address and stores in the folder. */
export type NatsConfiguration = (place: { readonly address: string; readonly store: string }) => string;

/** A NATS server of a test on a free port of this machine, with a folder of its own. */
export class NatsTestServer {
  private listens = 0;
  private readonly folder = mkdtempSync(join(tmpdir(), "offprint-nats-"));
  private readonly configuration: NatsConfiguration;
  private child: ChildProcess | undefined;

  private constructor(configuration: NatsConfiguration) {
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
    const server = new NatsTestServer(configuration);
    do server.listens = ports.from + randomInt(ports.count);
    while (!(await server.begin()));
    return server;
  }

  /** Where it listens. */
  get port(): number {
    return this.listens;
  }

  /** What clients are given. */
  get address(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** What clients are given that wait also for a machine that is busy. */
  get connection(): { readonly servers: string; readonly connectTimeout: number } {
    return { servers: this.address, connectTimeout: 100_000 };
  }

  /** Starts it again where it was down: it goes on with what it has stored. */
  async up(): Promise<void> {
    if (!(await this.begin())) throw new Error(`nats-server: the port ${this.port} was taken while it was down`);
  }

  /** Starts it, and waits until it serves; whether its port was free. */
  private async begin(): Promise<boolean> {
    const file = join(this.folder, "server.conf");
    writeFileSync(file, this.configuration({ address: `127.0.0.1:${this.port}`, store: join(this.folder, "store") }));
    const child = spawn(natsServer!, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    this.child = child;
    let said = "";
    return new Promise((resolve, reject) => {
      child.stderr!.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("Server is ready")) resolve(true);
      });
      child.on("close", () => {
        if (said.includes("address already in use")) resolve(false);
        else reject(new Error(`nats-server ended: ${said}`));
      });
    });
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
