import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { NatsTestServer, natsServer, needsNatsServer } from "@offprint/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Installation } from "./installation.js";

let offprint: Installation;
beforeAll(async () => {
  offprint = await Installation.create(["bowl", "slope"]);
});
afterAll(() => offprint.remove());

describe("offprint worker", () => {
  it("says what it needs, and that nobody answers", async () => {
    const without = await offprint.run(["worker"]);
    expect([without.code, without.err]).toEqual([2, expect.stringContaining("--cluster is missing")]);
    const alone = await offprint.run(["worker", "--cluster", "nats://127.0.0.1:1"]);
    expect([alone.code, alone.err]).toEqual([2, expect.stringContaining("no connection to 127.0.0.1:1")]);
    const away = await offprint.run(["reproduce", "--cluster", "nats://10.0.0.1"]);
    expect([away.code, away.err]).toEqual([
      2,
      expect.stringContaining("TLS (a tls:// address) and credentials are missing"),
    ]);
  });
});

describe.skipIf(natsServer === undefined)(`claims on a cluster ${needsNatsServer}`, () => {
  let server: NatsTestServer;
  const started: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    server = await NatsTestServer.start();
  });
  afterEach(() => Promise.all(started.splice(0).map((end) => end())));
  afterAll(() => server.remove());
  const startWorker = async (environment: NodeJS.ProcessEnv = {}) => {
    const words = ["worker", "--cluster", server.address, "--workers", "2"];
    const worker = offprint.start(words, offprint.folder(), environment);
    await worker.shows(/serving \d+ jobs? on 2 threads/);
    started.push(() => {
      worker.child.kill("SIGKILL");
      return worker.finished;
    });
    return worker;
  };
  const measured = (folder: string) =>
    JSON.parse(readFileSync(join(folder, "r.json"), "utf8")).runs.map(
      (run: { method: string; seed: number; records: { id: string; measured: unknown }[] }) => [
        run.method,
        run.seed,
        run.records.map(({ id, measured }) => [id, measured]),
      ],
    );

  it("give the numbers of one machine, also where a worker is killed", async () => {
    const words = ["reproduce", "--seeds", "3", "--json", "r.json", "--device", "host"];
    const [here, there] = [offprint.folder(), offprint.folder()];
    await offprint.run(words, here);
    const first = await startWorker({ OFFPRINT_FIXTURE_GATE: "never" });
    const run = offprint.start([...words, "--cluster", server.address], there);
    await run.shows(/holds/);
    first.child.kill("SIGKILL");
    await startWorker();
    const { code, out, err } = await run.finished;
    expect(err).toContain("2 workers on 1 machine.");
    expect([code, out]).toEqual([1, expect.stringContaining("2 of 4 claims hold at nine seeds of ten")]);
    expect(measured(there)).toEqual(measured(here));
  });

  it("are interrupted by Ctrl-C, keep what is finished, and go on", async () => {
    await startWorker({ OFFPRINT_FIXTURE_GATE: "never" });
    const cwd = offprint.folder();
    const words = ["reproduce", "bowl", "--cluster", server.address];
    const run = offprint.start(words, cwd);
    await run.shows(/reaches-bottom: holds/);
    run.child.kill("SIGINT");
    const { code, err } = await run.finished;
    expect([code, err]).toEqual([130, expect.stringContaining("--resume continues")]);
    await started.pop()!();
    await startWorker();
    const again = await offprint.run([...words, "--resume"], cwd);
    expect([again.code, again.err]).toEqual([0, expect.stringContaining("Resuming: 1 finished claim")]);
  });

  it("a worker that is told to stop leaves", async () => {
    const worker = await startWorker();
    worker.child.kill("SIGINT");
    expect((await worker.finished).code).toBe(130);
  });
});

describe.skipIf(natsServer === undefined)(`the compose file of the guide ${needsNatsServer}`, () => {
  const core = join(import.meta.dirname, "..", "..", "..", "packages", "core");
  const certificates = join(core, "cluster", "test", "fixtures", "certificates");
  const guide = readFileSync(
    join(import.meta.dirname, "..", "..", "docs", "guides", "from-one-machine-to-many.md"),
    "utf8",
  );
  const started: (() => Promise<unknown>)[] = [];
  afterAll(() => Promise.all(started.map((end) => end())));
  /** The block of a file that the guide shows. */
  const shown = (file: string) => guide.split(`\`${file}\`\n\n`)[1]!.split("```")[1]!.replace(/^.*\n/, "");

  it("joins machines by keys of their own, encrypted: its server's configuration and its commands, without containers", async () => {
    const folder = offprint.folder();
    const keys = (name: string) => {
      const key = nkeys.createUser();
      writeFileSync(join(folder, name), new TextDecoder().decode(key.getSeed()));
      return key.getPublicKey();
    };
    const configuration = shown("nats.conf")
      .replaceAll("UPROGRAM...", keys("program.nk"))
      .replaceAll("UWORKER1...", keys("worker.nk"))
      .replaceAll("/certificates", certificates);
    const server = await NatsTestServer.configured(({ address, store }) =>
      configuration.replace("0.0.0.0:4222", address).replace('"/data"', JSON.stringify(store)),
    );
    started.push(() => server.remove());
    const address = `tls://localhost:${server.port}`;
    const places: Readonly<Record<string, string>> = {
      "authority.pem": join(certificates, "authority.pem"),
      "worker.nk": join(folder, "worker.nk"),
      "program.nk": join(folder, "program.nk"),
    };
    /** The words of a command of the guide, with addresses and files of this machine. */
    const words = (command: readonly string[]) =>
      command.map((word) => (word.startsWith("tls://") ? address : (places[word.split("/").pop()!] ?? word)));
    const [, service] = /working_dir.*\n *command: (\[.*\])/.exec(shown("compose.yaml"))!;
    const [npx, name, ...serving]: string[] = JSON.parse(service!);
    expect([npx, name]).toEqual(["npx", "offprint"]);
    const worker = offprint.start(words(serving), folder);
    started.push(() => {
      worker.child.kill("SIGKILL");
      return worker.finished;
    });
    await worker.shows(/waiting for a program that does/);
    // Who does not know the authority does not believe the server.
    const trusting = await offprint.run(
      words(["reproduce", "bowl", "--cluster", "tls://", "--credentials", "program.nk"]),
    );
    expect([trusting.code, trusting.err]).toEqual([2, expect.stringMatching(/certificate|SELF_SIGNED|UNABLE/i)]);
    const [, program] = /npx offprint (reproduce --full .*) --report report/.exec(guide)!;
    const { code, out, err } = await offprint.run(words(program!.replace("--full --seeds 10", "bowl").split(" ")));
    expect([code, err]).toEqual([0, expect.stringContaining("reaches-bottom: holds")]);
    expect(out).toContain("claims hold");
    worker.child.kill("SIGINT");
    expect((await worker.finished).err).not.toContain("the server says");
  });
});
