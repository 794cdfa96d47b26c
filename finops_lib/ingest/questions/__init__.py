"""Questions: what sums by day cannot answer, asked of the requests at the grain a report needs."""
