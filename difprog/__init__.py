"""Forecast the differential progress of a research project."""

__version__ = "0.1.0"
