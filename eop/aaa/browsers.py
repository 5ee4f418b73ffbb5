"""What a browser calls itself, in words: for people to read, not for decisions. Pure."""

from flask_babel import gettext

# the first that is found wins: most browsers also name those they descend from
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-requests/", "Python"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
MAX_UNKNOWN_CHARACTERS = 40


def in_words(browser: str) -> str:
    """“Firefox on Linux”; of an unknown one, the beginning of what it says."""
    name = next((word for mark, word in _BROWSERS if mark in browser), "")
    system = next((word for mark, word in _SYSTEMS if mark in browser), "")
    if name and system:
        return str(gettext("%(browser)s on %(system)s", browser=name, system=system))
    return name or system or browser[:MAX_UNKNOWN_CHARACTERS] or str(gettext("Unknown browser"))
