"""The user's own files: found, shown as layers, changed without losing a byte."""
