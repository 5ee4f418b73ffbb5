"""Pixels and damage, without any I/O."""
