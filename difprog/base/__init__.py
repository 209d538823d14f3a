"""What everything stands on: errors, files, units. Imports nothing else of difprog."""
