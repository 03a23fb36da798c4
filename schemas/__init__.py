"""What flows: rows, exact time, the closed list of reasons."""
