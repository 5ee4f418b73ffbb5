"""Students' passwords: one by a teacher, a batch by a head teacher, shown once and never kept."""
