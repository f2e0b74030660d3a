"""Exports a language model whose tokens are letters to an .onnx file that sequences are designed with.

    python export_encoder.py Rostlab/prot_bert --letters ACDEFGHIKLMNPQRSTVWY --length 237 --output encoder.onnx
    npx offprint design-sequences --table measured.csv --alphabet protein --model encoder.onnx

The file takes one-hot rows [designs, length, letters], the letters in the order given, and gives features
[designs, length, d]: so they have gradients in the letters. The special tokens of the tokenizer stand around them, and are
left out of the features. Needs torch and onnx, and transformers for the names and folders of Hugging Face. What was
exported is compared with the model on tokens; no more than 1e-3 of the largest feature may be between them.

DNABERT, whose tokens are words of letters, is read from its folder instead: --model DNA_bert_3 --kmer 3.
"""

import argparse
import inspect

import torch


class Given(torch.nn.Module):
    """In the place of the table of embeddings: whatever the tokens, the rows that were given."""

    rows = None

    def forward(self, _):
        return self.rows


class Letters(torch.nn.Module):
    """An encoder that is entered by one-hot rows of letters."""

    def __init__(self, encoder, letters, before, after, length):
        super().__init__()
        table = encoder.get_input_embeddings().weight.detach().clone()
        self.register_buffer("letters", table[letters])
        self.register_buffer("before", table[before][None])
        self.register_buffer("after", table[after][None])
        # Positions and masks are made of tokens: one letter everywhere stands for all.
        self.register_buffer("ids", torch.tensor([before + [letters[0]] * length + after]))
        self.places = slice(len(before), len(before) + length)
        self.given = Given()
        self.encoder = encoder
        encoder.set_input_embeddings(self.given)

    def forward(self, one_hot):
        designs = one_hot.shape[0]
        around = [part.expand(designs, -1, -1) for part in (self.before, self.after)]
        self.given.rows = torch.cat([around[0], one_hot @ self.letters, around[1]], 1)
        hidden = self.encoder(input_ids=self.ids, attention_mask=torch.ones_like(self.ids)).last_hidden_state
        return hidden[:, self.places]


def tokens_of(tokenizer, letters):
    """Numbers of the letters, and of the special tokens before and behind a sequence."""
    ids = [tokenizer.convert_tokens_to_ids(letter) for letter in letters]
    unknown = [letter for letter, i in zip(letters, ids) if i is None or i == tokenizer.unk_token_id]
    if unknown:
        raise SystemExit(f"the tokenizer has no token for {', '.join(unknown)}: are its tokens words of letters?")
    framed = tokenizer.build_inputs_with_special_tokens([ids[0]])
    place = framed.index(ids[0])
    return ids, framed[:place], framed[place + 1 :]


def export(encoder, tokenizer, letters, length, path):
    """Writes the file, and gives the largest difference from the model on tokens, as a part of its largest feature."""
    encoder = encoder.eval().float()
    ids, before, after = tokens_of(tokenizer, letters)
    drawn = torch.randint(len(letters), (2, length), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        tokens = torch.tensor([before + [ids[k] for k in row] + after for row in drawn.tolist()])
        known = encoder(input_ids=tokens, attention_mask=torch.ones_like(tokens)).last_hidden_state
        known = known[:, len(before) : len(before) + length]
        model = Letters(encoder, ids, before, after, length)
        one_hot = torch.nn.functional.one_hot(drawn, len(letters)).float()
        error = (model(one_hot) - known).abs().max().item() / known.abs().max().item()
        if not error < 1e-3:
            raise SystemExit(f"entered by one-hot rows the model differs by {error}: it does more with tokens than look them up")
        old = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
        torch.onnx.export(
            model,
            (one_hot,),
            path,
            input_names=["one_hot"],
            output_names=["features"],
            dynamic_axes={"one_hot": {0: "designs"}, "features": {0: "designs"}},
            opset_version=17,
            **old,
        )
    return error


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="name or folder of a model of Hugging Face")
    parser.add_argument("--letters", default="ACDEFGHIKLMNPQRSTVWY", help="the alphabet, in order")
    parser.add_argument("--length", type=int, required=True, help="letters of a sequence")
    parser.add_argument("--output", default="encoder.onnx")
    given = parser.parse_args()
    from transformers import AutoModel, AutoTokenizer

    encoder = AutoModel.from_pretrained(given.model, attn_implementation="eager")
    error = export(encoder, AutoTokenizer.from_pretrained(given.model), given.letters, given.length, given.output)
    print(f"{given.output}: {given.length} letters of {given.letters}; {error:.1e} from the model on tokens")


if __name__ == "__main__":
    main()
