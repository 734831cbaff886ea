"""Language models and what wraps them."""
