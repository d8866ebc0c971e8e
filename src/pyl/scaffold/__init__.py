"""What `pyl new` makes: a project with one function, its test and an event, for each kind of trigger."""
