"""From summaries to what people and programs read. Knows nothing of PyMC or of how draws are made."""
