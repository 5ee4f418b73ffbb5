"""The checks of an installation: run by `eopctl diagnose` and by the module's `diagnose`."""
