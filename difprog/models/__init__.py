"""The readings of the race: model files, found and loaded."""
