"""eop-pam: the only process that asks PAM, as root, and does nothing else.

It imports nothing of the site: what runs as root is what is in this folder, msgspec and python-pam.
"""
