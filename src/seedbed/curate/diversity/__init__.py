"""Diverse batches: what a training step sees at once is to be as varied as the pool allows.

SeDi-Instruct (arXiv 2502.04774) keeps instructions that are more alike than Self-Instruct would
keep, and makes up for it by composing each batch across clusters. Which features, how many
clusters and how to draw from them its sources do not say; ours are here, each a named setting,
and `benchmarks/diversity.py` shows what each is worth.

`vectors` turns texts into directions, `clusters` groups them, `batches` composes batches as the
pool grows, `measures` says how diverse a batch is, and `embedding` adapts a Hugging Face model.
"""

from seedbed.curate.diversity.batches import Balance, Batch, Batches, Compose, Composition, Pick
from seedbed.curate.diversity.measures import Diversity, measured, measured_at_random
from seedbed.curate.diversity.vectors import Embed, TfIdf

__all__ = [
    "Balance",
    "Batch",
    "Batches",
    "Compose",
    "Composition",
    "Diversity",
    "Embed",
    "Pick",
    "TfIdf",
    "measured",
    "measured_at_random",
]
