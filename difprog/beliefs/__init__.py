"""What people believe: belief files, distributions, proposals. Draws nothing."""
