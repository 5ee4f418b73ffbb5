"""The demonstration class: desktops that anyone can watch without a school."""
