"""controle-vnc-files: the only process that touches people's homes, and what it does there.

It runs where the homes are, with the rights to read and give away files and no others, takes typed
messages from the daemon over a private socket, and trusts nothing that lies in a home.
"""
