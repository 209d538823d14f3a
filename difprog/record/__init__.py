"""The track record: forecasts that time will resolve, kept as they were made, and scored when it has."""
