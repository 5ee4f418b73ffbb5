"""The workstations being looked at: who looks, and what is kept open for them."""
