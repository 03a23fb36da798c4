"""What a person starts: the diff2lip command and its jobs."""
