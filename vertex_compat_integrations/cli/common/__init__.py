"""What several commands need: targets, printing, exit codes, child programs."""
