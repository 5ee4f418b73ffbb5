"""Students' machines: where they are stored, how they are reached, what can be told of them."""
