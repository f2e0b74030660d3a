import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "@offprint/testing";
import { afterAll, describe, expect, it } from "vitest";
import { readAsset } from "../src/index.js";

const server = createServer((request, response) => {
  if (request.url === "/weights.bin") response.end(Buffer.of(1, 2, 3));
  else response.writeHead(404).end();
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const folder = temporaryFolder("asset");
afterAll(() => server.close());

describe("binary files beside a module", () => {
  it("are read from the disk, and over the network", async () => {
    expect(await readAsset(new URL("../package.json", import.meta.url))).toBeInstanceOf(Uint8Array);
    expect(Array.from(await readAsset(new URL(`${base}/weights.bin`)))).toEqual([1, 2, 3]);
  });

  it("that are not there are named", async () => {
    const absent = pathToFileURL(`${folder}/absent.bin`);
    await expect(readAsset(absent)).rejects.toThrow(/absent\.bin cannot be read; is the package whole\?/);
    await expect(readAsset(new URL(`${base}/absent.bin`))).rejects.toThrow(/absent\.bin answered 404/);
  });
});
