"""The workstation agent."""
