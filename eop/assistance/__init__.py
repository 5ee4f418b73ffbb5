"""Help in the page, and what is said of the console's accessibility."""
