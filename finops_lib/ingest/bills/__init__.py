"""Bills: what providers and infrastructure charge, one contract for every format and currency."""
