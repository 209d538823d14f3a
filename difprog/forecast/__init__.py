"""Beliefs and models brought together: drawn, evaluated, summarised."""
