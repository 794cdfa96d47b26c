"""Gateway: budgets, limits and routes in the form a gateway accepts."""
