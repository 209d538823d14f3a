"""Where a project stands on the two axes of the research grid. Imports nothing."""

#: Position of a project on each axis.
FOCUS_SCORE = {"average": -1.0, "pessimistic": 0.0, "worst": 1.0}
APPROACH_SCORE = {"engineering": -1.0, "behaviourist": 0.0, "cognitivist": 1.0}
