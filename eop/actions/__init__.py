"""Acting on workstations."""
