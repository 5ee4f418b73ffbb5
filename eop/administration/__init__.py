"""What administrators and the security officer are led to: one page that lists their functions."""
