import { type Claim, figure } from "@offprint/claims";
import { adam } from "@offprint/optim";
import { add, clip, matmul, mul, NonFiniteError, type random, slice } from "@offprint/tensor-core";
import {
  type AdapterRecord,
  type FitAdaptersOptions,
  type Head,
  loraGradients,
  NormExceededError,
  normReport,
  type ProjectionName,
} from "../src/index.js";
import { loraLimits, type Method } from "./method.js";
import { draw, WIDTH } from "./problem.js";

const BETA = 0.5;
const DEGREE = 6;

/** Tokens scaled so that no score of the frozen head is above R. */
const SETTINGS = [
  { name: "small", range: 0.6 },
  { name: "large", range: 8 },
] as const;

/** Frozen weights, tokens of a size, and what a teacher whose weights differ by rank 2 answers to them. */
async function lesson(rng: random.Rng, length: number, range: number) {
  const unscaled = clip(draw(rng, [length, WIDTH]), -2.5, 2.5);
  const weight = () => draw(rng, [WIDTH, WIDTH], 0.5);
  const frozen = { q: weight(), k: weight(), v: weight(), beta: BETA };
  const x = mul(unscaled, Math.sqrt(range / normReport(unscaled, frozen).range));
  const moved = (name: ProjectionName) =>
    add(frozen[name], mul(matmul(draw(rng, [WIDTH, 2]), draw(rng, [2, WIDTH])), 0.5));
  const teacher: Head = { q: moved("q"), k: moved("k"), v: moved("v"), beta: BETA };
  const gradient = slice(mul(x, 0), [null, { stop: WIDTH }]);
  const { output } = await loraGradients(x, teacher, { gradient }, { strategy: "exact" });
  return { head: frozen, example: { x, target: output } };
}

/** Claim 6: training. */
export function fineTuning(method: Method = loraLimits): Claim {
  return {
    id: "fine-tuning",
    statement:
      'Below the threshold adapters trained with almost linear gradients are those trained with exact ones; above it not, and "auto" notices',
    source: "Section 6",
    paper: "controlling norms makes LoRA fast",
    async run({ rng, scale, onProgress }) {
      const [length, steps] = scale === "full" ? [2048, 100] : [1024, 26];
      const histories: Record<string, readonly AdapterRecord[]> = {};
      for (const [i, { name, range }] of SETTINGS.entries()) {
        const { head, example } = await lesson(rng.fork(name), length, range);
        const train = async (how: FitAdaptersOptions) => {
          const seed = rng
            .fork(`${name} start`)
            .clone()
            .randint([], { high: 2 ** 30 })
            .item();
          const options = {
            adapters: ["q", "k", "v"],
            rank: 2,
            alpha: 2,
            deviation: 0.5,
            steps,
            optimizer: adam({ learningRate: 0.02 }),
            seed,
          } as const;
          try {
            return (await method.fitAdapters(head, example, { ...options, ...how })).history;
          } catch (error) {
            if (error instanceof NormExceededError || error instanceof NonFiniteError) return [];
            throw error;
          }
        };
        histories[`${name} exact`] = await train({ strategy: "exact" });
        histories[`${name} degree ${DEGREE}`] = await train({ strategy: "almostLinear", degree: DEGREE });
        histories[`${name} auto`] = await train({ strategy: "auto", tolerance: 1e-3 });
        await onProgress((i + 1) / SETTINGS.length, `${name} norms`);
      }
      const last = (name: string) => histories[name].at(-1)?.loss ?? Infinity;
      const off = (name: string, how: string) => Math.abs(last(`${name} ${how}`) / last(`${name} exact`) - 1);
      const fixed = `degree ${DEGREE}`;
      const small = Math.max(off("small", fixed), off("small", "auto"));
      const ratio = last(`large ${fixed}`) / last("large exact");
      const auto = off("large", "auto");
      const learned = last("small exact") / histories["small exact"][0].loss;
      return {
        measured: { "small norms, difference of loss": small, "large norms, ratio of losses": ratio },
        holds: small <= 1e-3 && learned < 0.95 && ratio >= 2 && auto <= 1e-3,
        detail:
          `Small norms: the losses differ by ${figure(100 * small)} % (at most 0.1 %), after they fell to ${figure(100 * learned)} %. ` +
          `Large norms: degree ${DEGREE} ends ${ratio === Infinity ? "with weights that are no weights" : `at ${figure(ratio)} times the loss`}` +
          ` (2 times at least, or not at all), "auto" within ${figure(100 * auto)} % (0.1 %).`,
        series: SETTINGS.map(({ name }) => ({
          kind: "line" as const,
          title: `Training with ${name} norms`,
          x: { label: "step" },
          y: { label: "loss", scale: "log" as const },
          curves: ["exact", fixed, "auto"].map((how) => ({
            name: how,
            x: histories[`${name} ${how}`].map(({ step }) => step),
            y: histories[`${name} ${how}`].map(({ loss }) => loss),
          })),
        })),
        tables: [
          {
            title: "Where training ended",
            columns: ["norms", "gradient", "loss", "largest score at most", "exact steps"],
            rows: SETTINGS.flatMap(({ name }) =>
              ["exact", fixed, "auto"].map((how) => {
                const history = histories[`${name} ${how}`];
                const exact = history.filter(({ strategy }) => strategy === "exact").length;
                return [name, how, history.at(-1)?.loss ?? null, history.at(-1)?.range ?? null, exact];
              }),
            ),
          },
        ],
      };
    },
  };
}
