"""Who is who: users, classes, and what each user was granted."""
