"""Create new projects for `pyl new`: a function, its test and a sample event for each kind of trigger."""
