"""controle-vnc: the daemon that owns every pixel, and the gateway beside it."""

__version__ = "0.1.0"
