"""A report's sections: each takes what was measured, and is None where there is nothing to say."""
