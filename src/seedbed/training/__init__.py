"""Supervised fine-tuning of a student on examples, and what training says of them."""
