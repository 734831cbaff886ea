"""Methods that grow data, each one async generator with its prompts beside it."""
