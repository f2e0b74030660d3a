import { type LinearParams, mlp } from "@offprint/nn";
import { type AdamState, adam, trainingStep } from "@offprint/optim";
import {
  add,
  checkOptions,
  exp,
  hostTensor,
  jitSync,
  logSoftmax,
  mean,
  mul,
  NonFiniteError,
  oneHot,
  ones,
  type Rng,
  requireInteger,
  requirePositive,
  reshape,
  scan,
  slice,
  square,
  sub,
  sum,
  type Tensor,
} from "@offprint/tensor-core";
import { requireFit, type TableFit } from "../fit-table.js";
import { drawLetters, type SearchOptions, type SearchResult, searchLetters, searchNames } from "./letter-search.js";
import { levelNames, type RisingLevelOptions, risingLevel } from "./rising-level.js";

/** A variational autoencoder of sequences: two perceptrons with one hidden layer. */
export interface AutoencoderParams {
  /** Of one-hot rows to means and log variances of latent numbers. */
  readonly encoder: readonly LinearParams[];
  /** Of latent numbers to logits of letters. */
  readonly decoder: readonly LinearParams[];
}

/** The autoencoder that is searched with, and that of the table's best. */
export interface CbasVaeModel {
  /** What sequences are drawn from. */
  readonly search: AutoencoderParams;
  /** Adam's, of the search. */
  readonly optimizerState: AdamState;
  /** The same before the search. */
  readonly prior: AutoencoderParams;
  /** The level that is to be exceeded; null before the first round. */
  readonly level: number | null;
}

/** Options of {@link cbasVaeSequences}. */
export interface CbasVaeOptions extends SearchOptions<CbasVaeModel>, RisingLevelOptions {
  /** Latent numbers of a sequence. Default 8. */
  readonly latents?: number;
  /** Units of the hidden layers. Default 64. */
  readonly hidden?: number;
  /** Steps of Adam on the table's best, before the search. Default 300. */
  readonly trainingSteps?: number;
  /** Steps on the weighed sequences of each round. Default 10. */
  readonly updateSteps?: number;
  /** Of Adam, > 0. Default 3e-3. */
  readonly learningRate?: number;
}

const owner = "cbasVaeSequences";
const own = ["latents", "hidden", "trainingSteps", "updateSteps", "learningRate", ...levelNames];

/**
 * CbAS (Brookes, Park and Listgarten 2019) with a variational autoencoder as the search model, as in its paper. A sequence and the latent
 * numbers that it was drawn with are weighed together: by the prior decoder's probability over that of the search's, at the same latent
 * numbers, times the probability to exceed a level that rises.
 */
export async function cbasVaeSequences(
  fit: TableFit,
  options: CbasVaeOptions = {},
): Promise<SearchResult<CbasVaeModel>> {
  requireFit("cbasVaeSequences", fit);
  checkOptions(owner, options, [...own, ...searchNames]);
  const { latents = 8, hidden = 64, trainingSteps = 300, updateSteps = 10, learningRate = 3e-3 } = options;
  for (const [name, value] of Object.entries({ latents, hidden, trainingSteps, updateSteps })) {
    requireInteger(owner, name, value, 1);
  }
  requirePositive(owner, "learningRate", learningRate);
  const rise = risingLevel(owner, options);
  const width = fit.model.alphabet.length;
  const length = [...fit.table.sequences[0]].length;
  const model = autoencoder({ length, width, latents, hidden, learningRate });
  const noise = (rng: Rng, steps: number, count: number) => rng.normal([steps, count, latents], { dtype: "float64" });
  // A round's latent numbers follow from its generator: they are needed where it draws and where it learns.
  const latentOf = (rng: Rng, count: number) => rng.fork("latents").normal([count, latents], { dtype: "float64" });
  const found = await searchLetters<CbasVaeModel>(
    fit,
    {
      owner,
      names: own,
      initial({ letters }, rng) {
        const n = letters.shape[0];
        const params = model.init(rng.fork("weights"));
        const steps = noise(rng.fork("noise"), trainingSteps, n);
        const made = model.train(params, model.start(params), letters, ones([n], "float64"), steps);
        const { params: prior } = checked(made);
        return { search: prior, optimizerState: model.start(prior), prior, level: null };
      },
      draw({ search }, _, round) {
        const chances = model.decode(search.decoder, latentOf(round.rng, round.batchSize));
        return drawLetters(Float64Array.from(exp(chances).data()), { ...round, rng: round.rng.fork("letters") });
      },
      learn({ search, prior, optimizerState, level: before }, { letters, predictions }, round) {
        const z = latentOf(round.rng, round.batchSize);
        const { level, exceeding } = rise(before, predictions.data());
        const ratios = model.logRatio(prior.decoder, search.decoder, z, letters).data();
        const weights = hostTensor(weightsOf(ratios, exceeding), [round.batchSize], "float64");
        const steps = noise(round.rng.fork("noise"), updateSteps, round.batchSize);
        const made = checked(model.train(search, optimizerState, letters, weights, steps));
        return { search: made.params, optimizerState: made.optimizerState, prior, level };
      },
    },
    options,
  );
  model.release();
  return found;
}

/** exp(ratio) exceeding with a mean of 1; all the same where nothing exceeds. */
function weightsOf(ratios: ArrayLike<number>, exceeding: Float64Array): Float64Array {
  const largest = Math.max(...Array.from(ratios));
  const weights = exceeding.map((chance, i) => chance * Math.exp(ratios[i] - largest));
  const total = weights.reduce((a, b) => a + b);
  return total > 0 ? weights.map((weight) => (weight * weights.length) / total) : weights.fill(1);
}

function checked<T extends { readonly loss: Tensor }>(made: T): T {
  const value = made.loss.item();
  if (Number.isFinite(value)) return made;
  throw new NonFiniteError(`${owner}: the autoencoder's loss became ${value}; take a smaller learningRate`);
}

interface AutoencoderSettings {
  readonly length: number;
  readonly width: number;
  readonly latents: number;
  readonly hidden: number;
  readonly learningRate: number;
}

/** The autoencoder with its steps of training, compiled. */
function autoencoder({ length, width, latents, hidden, learningRate }: AutoencoderSettings) {
  const size = length * width;
  const encoder = mlp({ sizes: [size, hidden, 2 * latents], activation: "relu" });
  const decoder = mlp({ sizes: [latents, hidden, size], activation: "relu" });
  const optimizer = adam({ learningRate });
  const logChances = (params: AutoencoderParams["decoder"], z: Tensor) =>
    logSoftmax(reshape(decoder.apply(params as never, z), [z.shape[0], length, width]), -1);
  const rowsOf = (letters: Tensor) => oneHot(letters, width, { dtype: "float64" });
  /** Minus the weighed evidence lower bound. */
  const loss = (params: AutoencoderParams, rows: Tensor, weights: Tensor, noise: Tensor): Tensor => {
    const code = encoder.apply(params.encoder as never, reshape(rows, [rows.shape[0], size]));
    const middle = slice(code, [null, { stop: latents }]);
    const logVariance = slice(code, [null, { start: latents }]);
    const z = add(middle, mul(exp(mul(0.5, logVariance)), noise));
    const fits = sum(mul(rows, logChances(params.decoder, z)), [1, 2]);
    const away = mul(0.5, sum(sub(add(exp(logVariance), square(middle)), add(1, logVariance)), 1));
    return mean(mul(weights, sub(away, fits)));
  };
  const step = trainingStep(loss, optimizer);
  type State = readonly [AutoencoderParams, AdamState];
  const train = jitSync(
    (params: AutoencoderParams, optimizerState: AdamState, letters: Tensor, weights: Tensor, noises: Tensor) => {
      const rows = rowsOf(letters);
      const [[last, state], losses] = scan(
        ([now, before]: State, noise: Tensor): [State, Tensor] => {
          const made = step(now, before as never, rows, weights, noise);
          return [[made.params, made.optimizerState as AdamState], made.loss];
        },
        [params, optimizerState] as State,
        noises,
      );
      return { params: last, optimizerState: state, loss: sum(losses) };
    },
  );
  const decode = jitSync(logChances);
  const logRatio = jitSync(
    (prior: AutoencoderParams["decoder"], search: AutoencoderParams["decoder"], z: Tensor, letters: Tensor) =>
      sum(mul(rowsOf(letters), sub(logChances(prior, z), logChances(search, z))), [1, 2]),
  );
  return {
    init: (rng: Rng): AutoencoderParams => ({
      encoder: encoder.init(rng.fork("encoder"), "float64"),
      decoder: decoder.init(rng.fork("decoder"), "float64"),
    }),
    start: (params: AutoencoderParams) => optimizer.init(params) as AdamState,
    ...{ train, decode, logRatio },
    release: () => [train, decode, logRatio].forEach((compiled) => void compiled.release()),
  };
}
