"""Economics: the full cost, the cost of an outcome, waste, and what a customer leaves."""
