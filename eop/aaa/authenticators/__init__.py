"""Ways to learn who someone is, each behind the interface of `base`."""
