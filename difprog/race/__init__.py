"""The race: its vocabulary, a project's effects, and the chance of success. Touches no file."""
