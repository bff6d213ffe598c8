"""How many requests a second this machine carries from Send to the last e-mail, and what each one costs: make burst."""
