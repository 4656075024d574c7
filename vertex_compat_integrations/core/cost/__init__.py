"""The cost of answers by list price: prices, what an answer is billed for, and sums over several answers."""
