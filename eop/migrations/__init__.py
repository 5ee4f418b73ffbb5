"""The site's migrations, run by `eopctl db upgrade`."""
