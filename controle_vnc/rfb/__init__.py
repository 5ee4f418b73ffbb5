"""The RFB protocol (RFC 6143), both sides, without any I/O: bytes in, pixels and bytes out."""
