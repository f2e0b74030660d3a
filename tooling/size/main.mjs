// `pnpm size`: prints the sizes beside their budgets; build first.
import { readRepository } from "../checks/repository.mjs";
import { root } from "../setup/setup.mjs";
import { measure } from "./size.mjs";

const rows = await measure(readRepository(root));
for (const { title, bytes, limit } of rows) {
  console.log(`${(bytes / 1000).toFixed(2).padStart(8)} kB of ${(limit / 1000).toFixed(1).padStart(5)} kB  ${title}`);
}
process.exitCode = rows.some(({ bytes, limit }) => bytes > limit) ? 1 : 0;
