import { readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { cluster, joinCluster } from "@offprint/cluster";
import { NatsTestServer, natsServer, needsNatsServer } from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuiltJobs, buildJobs } from "./built-jobs.js";
import { collected } from "./collected.js";

const certificates = join(import.meta.dirname, "fixtures", "certificates");
const ca = join(certificates, "authority.pem");

let built: BuiltJobs;
const ended: (() => void)[] = [];
beforeAll(async () => {
  built = await buildJobs();
});

const failure = (options: object) =>
  cluster({ kind: "nats", manifest: built.manifest, connectTimeout: 100_000, ...options } as Parameters<
    typeof cluster
  >[0]).then(
    async (opened) => {
      await opened.close();
      return "connected";
    },
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("an address", () => {
  it("of another machine needs both TLS and credentials", async () => {
    const credentials = { token: "secret" };
    const text = await failure({ servers: "nats://nats.example.org:4222", credentials });
    expect(text).toContain("nats.example.org is another machine, and TLS (a tls:// address) is missing");
    expect(await failure({ servers: "tls://nats.example.org" })).toContain("credentials is missing");
    expect(await failure({ servers: ["nats://127.0.0.1", "nats://10.0.0.7"] })).toContain(
      "10.0.0.7 is another machine",
    );
    expect(text).not.toContain("secret");
  });

  it("with a password in it is refused, and not shown", async () => {
    const text = await failure({ servers: "nats://me:hunter2@127.0.0.1:4222" });
    expect(text).toContain("give `credentials`");
    expect(text).not.toContain("hunter2");
  });

  it("that is none is an error", async () => {
    expect(await failure({ servers: "http://127.0.0.1" })).toContain("not http://");
    expect(await failure({ servers: "nats://[" })).toContain("write nats://host:4222");
    expect(await failure({ servers: [] })).toContain("servers is missing");
    expect(await failure({})).toContain("servers is missing");
    expect(await failure({ servers: "127.0.0.1", name: "a.b" })).toContain("letters, digits");
    expect(await failure({ servers: "127.0.0.1", ackWait: 10 })).toContain("ackWait is 10");
    expect(await failure({ servers: "127.0.0.1", user: "x" })).toContain('no option "user"');
  });

  it("comes with credentials and certificates whose fields are known, and a flag that is one", async () => {
    const servers = "nats://nats.example.org:4222";
    expect(await failure({ servers, insecure: "no" })).toContain('insecure is "no"; give true or false');
    expect(await failure({ servers, tls: { authority: ca } })).toContain(
      'cluster: tls: there is no option "authority"',
    );
    expect(await failure({ servers, credentials: { files: "x" } })).toContain('did you mean "file"');
    for (const credentials of [{}, { user: "a" }, { token: "" }, { token: "t0ken", file: "x" }, { file: undefined }]) {
      const text = await failure({ servers, credentials });
      expect(text).toContain("credentials must be { file }, { token } or { user, password }");
      expect(text).not.toContain("t0ken");
    }
    expect(await failure({ servers, connectTimeout: 1e12 })).toContain("connectTimeout is 1000000000000");
  });

  it("where nobody listens, or nobody speaks NATS, is reported soon", async () => {
    expect(await failure({ servers: "nats://127.0.0.1:1" })).toContain(
      "ClusterConnectionError: cluster: no connection to 127.0.0.1:1",
    );
    const silent = createServer((socket) => ended.push(() => socket.destroy()));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const text = await failure({ servers: `nats://127.0.0.1:${port}`, connectTimeout: 200 });
    expect(text).toContain("nothing that speaks NATS answered within 200 ms");
    for (const end of ended) end();
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe.skipIf(natsServer === undefined)(`a server ${needsNatsServer}`, () => {
  const servers: NatsTestServer[] = [];
  const start = async (settings: string) => {
    const server = await NatsTestServer.start(settings);
    servers.push(server);
    return server;
  };
  afterAll(() => Promise.all(servers.map((server) => server.remove())));

  it("that asks for a token, a password or a key gets it from options, files or the environment", async () => {
    const user = nkeys.createUser();
    const token = await start('authorization { token: "t0ken" }');
    const users = await start(
      `authorization { users: [{ user: "a", password: "b" }, { nkey: "${user.getPublicKey()}" }] }`,
    );
    const seed = join(built.manifest, "..", "seed");
    writeFileSync(seed, new TextDecoder().decode(user.getSeed()));
    expect(await failure({ servers: token.address, credentials: { token: "t0ken" } })).toBe("connected");
    const wrong = await failure({ servers: token.address, credentials: { token: "wr0ng" } });
    expect(wrong).toContain("it refuses these credentials");
    expect(wrong).not.toContain("wr0ng");
    expect(await failure({ servers: token.address })).toContain("it refuses these credentials");
    expect(await failure({ servers: users.address, credentials: { user: "a", password: "b" } })).toBe("connected");
    expect(await failure({ servers: users.address, credentials: { file: seed } })).toBe("connected");
    expect(await failure({ servers: users.address, credentials: { file: "nowhere" } })).toContain(
      "nowhere cannot be read",
    );
    process.env["OFFPRINT_NATS_TOKEN"] = "t0ken";
    expect(await failure({ servers: token.address })).toBe("connected");
    delete process.env["OFFPRINT_NATS_TOKEN"];
  });

  it("that speaks TLS is believed only with its authority's certificate; one that does not is refused by tls://", async () => {
    const files = `cert_file: ${JSON.stringify(join(certificates, "server.pem"))}, key_file: ${JSON.stringify(join(certificates, "server-key.pem"))}`;
    const secure = await start(`tls { ${files} }`);
    const address = `tls://localhost:${secure.port}`;
    const options = { servers: address, tls: { ca }, connectTimeout: 100_000 };
    expect(await failure(options)).toBe("connected");
    expect(await failure({ servers: address })).toMatch(/certificate|SELF_SIGNED|UNABLE/i);
    const worker = await joinCluster({ ...options, workers: 1, entry: built.entry, manifest: built.manifest });
    const master = await cluster({ kind: "nats", ...options, manifest: built.manifest });
    const [outcome] = await collected(master.map("@fixture/jobs#square", [3]));
    expect(outcome!.value).toBe(9);
    await master.close();
    await worker.close();
    const plain = await start("");
    expect(await failure({ servers: `tls://127.0.0.1:${plain.port}` })).toContain("does not support 'tls'");
  });

  it("that allows a worker its own subjects alone serves jobs, large values and teams", async () => {
    const guide = readFileSync(
      join(import.meta.dirname, "../../../../apps/docs/guides/from-one-machine-to-many.md"),
      "utf8",
    );
    const publish = /worker_may_publish: (\[[^\]]*\])/.exec(guide)![1]!;
    const subscribe = /worker_may_hear: (\[[^\]]*\])/.exec(guide)![1]!.replaceAll("UWORKER1...", "worker");
    const server = await start(`authorization { users: [
      { user: "program", password: "p" },
      { user: "worker", password: "w", permissions: { publish: ${publish}, subscribe: ${subscribe} } } ] }`);
    const { manifest, entry } = built;
    const connection = { ...server.connection, manifest };
    const master = await cluster({ kind: "nats", ...connection, credentials: { user: "program", password: "p" } });
    const said: string[] = [];
    const worker = await joinCluster({
      ...{ ...connection, entry, workers: 1 },
      credentials: { user: "worker", password: "w" },
      onEvent: (line) => said.push(line),
    });
    const large = new Float64Array(2e5).fill(3);
    const outcomes = await collected(master.map<unknown, unknown>("@fixture/jobs#echo", [1, large]));
    expect(outcomes.map(({ value, error }) => value ?? error)).toEqual([1, large]);
    const ref = await master.put(large);
    const [sum] = await collected(master.map<unknown, number>("@fixture/jobs#sumOf", [{ ref, from: 0 }]));
    expect(sum!.value).toBe(6e5);
    const team = await master.team<Float64Array, { power: number }, number>("@fixture/jobs#shard", {
      size: 2,
      initial: () => new Float64Array([1, 2]),
    });
    await team.broadcast(large);
    expect((await team.round(() => ({ power: 2 })).all()).map(({ value }) => value)).toEqual([5, 5]);
    await team.close();
    await worker.close();
    await master.close();
    expect(said.filter((line) => line.startsWith("the server says"))).toEqual([]);
  });

  it("without JetStream says what to start", async () => {
    const server = await NatsTestServer.start("", false);
    servers.push(server);
    expect(await failure({ servers: server.address })).toContain("start nats-server with -js");
  });
});
