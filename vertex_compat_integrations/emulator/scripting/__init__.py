"""What a test may script: answers, faults, and their order."""
