"""Gate: a change is promoted when a held-out set shows that quality holds."""
