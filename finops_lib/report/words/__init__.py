"""Words: the sentences a page opens with, made from the same frames as its figures."""
