"""Several proposals: compared, ranked, chosen among."""
